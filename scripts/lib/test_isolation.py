"""Session scripts (Fixtures/isolation) against FalconDB and a private PostgreSQL 15: both must answer
as the files say. What FalconDB does not do yet is listed in Fixtures/isolation/known-failures.txt; the
list is exact both ways. The format is described in isolation_script.py.

  --rewrite    what the scripts expect becomes what PostgreSQL answers
  --only PART  the scripts whose name has PART; --verbose shows all differences, of the known failures too
"""
import argparse
import difflib
import glob
import os
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from falconserver import Server
from isolation_run import Run, Stuck
from isolation_script import Script, ScriptError
from pgclient import Connection, Disconnected, ServerError
from postgres import VOLATILE, Cluster

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Fixtures",
                        "isolation")


class Falcon:
    host, user, is_peer = "127.0.0.1", "falcon", False

    def __init__(self, binary, folder):
        self.binary, self.folder, self.server = binary, folder, None

    @property
    def port(self):
        return self.server.port

    def start(self):
        self.server = Server(self.binary, os.path.join(self.folder, "data"),
                             os.path.join(self.folder, "log")).start()

    def ended(self):
        """How the process ended; None when it runs on. One that crashes may write its stack first."""
        try:
            status = self.server.process.wait(10)
        except subprocess.TimeoutExpired:
            return None
        return f"the server ended with {status}: {self.server.tail()}"

    def restart(self):
        """After a crash or a session that does not end."""
        if self.server.process.poll() is None:
            self.server.kill()
        self.start()

    def stop(self):
        if self.server and self.server.process.poll() is None:
            self.server.stop()


class Suite(threading.Thread):
    """All scripts against one server, one after the other."""

    def __init__(self, target, scripts, options):
        super().__init__(daemon=True)
        self.target, self.scripts, self.options = target, scripts, options
        self.failures, self.runs, self.took = {}, {}, {}
        self.crashes, self.error = [], None

    def run(self):
        try:
            control = None
            for script in self.scripts:
                began = time.monotonic()
                control = self._run(script, control)
                self.took[script] = time.monotonic() - began
        except Exception as error:  # main raises it: a thread's exception would be lost
            self.error = error

    def _run(self, script, control):
        """Runs one script; the control connection for the next, None when it needs a new one."""
        try:
            control = self._ready(control)
            run = self.runs[script] = Run(self.target, control, script)
            wrong = run.run(self.options.rewrite, goes_on=self.options.verbose)
            if wrong:
                self.failures[script] = (run, wrong)
            control.query("select 1")
            return control
        except (Disconnected, Stuck, ServerError) as error:
            self.failures[script] = (self.runs.get(script), [(None, str(error))])
            if isinstance(error, Disconnected) and (why := self.target.ended()):
                self.crashes.append((script, why))
        self.target.restart()
        return None

    def _ready(self, control):
        """A control connection, and an empty schema."""
        control = control or Connection(self.target.host, self.target.port, user=self.target.user)
        try:
            for (gid,) in control.query("select gid from pg_prepared_xacts"):
                control.query("rollback prepared '" + gid.replace("'", "''") + "'")
        except ServerError:
            pass  # a server without prepared transactions has left none
        for sql in ("set client_min_messages = error", "drop schema if exists iso cascade",
                    "create schema iso"):
            control.query(sql)
        return control


def listed_failures():
    listed = {}
    with open(os.path.join(FIXTURES, "known-failures.txt")) as file:
        for line in file:
            name, _, reason = line.strip().partition(": ")
            if name and not name.startswith("#"):
                listed[name] = reason
    return listed


def load(options):
    scripts = []
    for path in sorted(glob.glob(os.path.join(FIXTURES, "*.script"))):
        name = os.path.basename(path).removesuffix(".script")
        if options.only in name:
            with open(path) as file:
                scripts.append(Script(name, file.read()))
    return scripts


def explain(script, run, wrong):
    """Where it differs, as the lines of a diff."""
    out = []
    for step, why in wrong:
        if step is None:
            out.append(f"    {why}")
            continue
        out.append(f"    line {step.number}: {why}: {step.source}")
        out += ["    " + line for line in difflib.unified_diff(
            step.answer.lines(), run.answers[step].lines() if step in run.answers else [],
            "expected", "answered", lineterm="", n=9)][3:]
    return "\n".join(out)


def rewrite(suite):
    for script, run in suite.runs.items():
        if script not in suite.failures:
            with open(os.path.join(FIXTURES, script.name + ".script"), "w") as file:
                file.write(script.rendered(run.answers))


def judge(peer, falcon, options):
    """Prints what is wrong; true when nothing is."""
    good, listed = True, listed_failures()
    for script, (run, wrong) in peer.failures.items() if peer else ():
        good = False
        print(f"FAILED  {script.name} (PostgreSQL)\n{explain(script, run, wrong)}")
    for script in falcon.scripts if falcon else ():
        if script in falcon.failures and (script.name not in listed or options.verbose):
            good = good and script.name in listed
            word = "known " if script.name in listed else "FAILED"
            print(f"{word}  {script.name}\n{explain(script, *falcon.failures[script])}")
        elif script.name in listed and script not in falcon.failures:
            good = False
            print(f"FAILED  {script.name} is listed as a known failure and holds")
    for script, why in falcon.crashes if falcon else ():
        good = False
        print(f"FAILED  {script.name} (whether listed or not): {why}")
    unknown = set(listed) - {script.name for script in load(argparse.Namespace(only=""))}
    for name in sorted(unknown):
        good = False
        print(f"FAILED  {name} is listed as a known failure and is no script")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", help="directory of the built falcondb")
    parser.add_argument("--rewrite", action="store_true")
    parser.add_argument("--only", default="", metavar="PART")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if not options.bin and not options.rewrite:
        parser.error("--bin is needed, except with --rewrite")
    try:
        suites, scripts = {}, load(options)
    except ScriptError as error:
        sys.exit(str(error))
    if not scripts:
        sys.exit(f"no script in Fixtures/isolation has {options.only!r} in its name")
    with tempfile.TemporaryDirectory(prefix="falcon-isolation-") as folder:
        targets = [Cluster(folder, VOLATILE)]
        if not options.rewrite:
            targets.append(Falcon(os.path.join(options.bin, "falcondb"), folder))
        try:
            for target in targets:
                target.start()
                suites[target.is_peer] = Suite(target, scripts, options)
                suites[target.is_peer].start()
            for suite in suites.values():
                suite.join()
        finally:
            for target in targets:
                target.stop()
    for suite in suites.values():
        if suite.error:
            raise suite.error
    if options.rewrite:
        rewrite(suites[True])
    good = judge(suites[True], suites.get(False), options)
    for is_peer, suite in suites.items():
        slowest = max(suite.took, key=suite.took.get)
        print(f"{'PostgreSQL' if is_peer else 'FalconDB'}: {len(scripts)} scripts, "
              f"{len(suite.failures)} failed, {sum(suite.took.values()):.1f} s "
              f"(longest: {slowest.name}, {suite.took[slowest]:.1f} s)")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
