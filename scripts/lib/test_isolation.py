"""Session scripts (Fixtures/isolation) against FalconDB and a private PostgreSQL 15: both must answer
as the files say. What FalconDB does not do yet is listed in Fixtures/isolation/known-failures.txt; the
list is exact both ways. The format is described in isolation_script.py.

  --rewrite    what the scripts expect becomes what PostgreSQL answers
  --only PART  the scripts whose name has PART; --verbose shows all differences, of the known failures too
"""
import argparse
import contextlib
import difflib
import glob
import os
import sys
import tempfile
import threading
import time

from falconserver import Server
from isolation_run import Run, Stuck
from isolation_script import Script, ScriptError
from pgclient import Connection, Disconnected, ServerError
from postgres import VOLATILE, Cluster

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Fixtures",
                        "isolation")


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
            if why := self._why_ended(isinstance(error, Disconnected)):
                self.crashes.append((script, why))
        self.target.restart()
        return None

    def _why_ended(self, is_likely):
        """A killed process's connections end a moment before the process is seen to."""
        deadline = time.monotonic() + (2 if is_likely else 0)
        while not (why := self.target.ended_with()) and time.monotonic() < deadline:
            time.sleep(0.02)  # polling a process that has no other way to say it
        return why

    def _ready(self, control):
        """A control connection, and an empty schema."""
        control = control or Connection(self.target.host, self.target.port, user=self.target.user)
        for (gid,) in control.query("select gid from pg_prepared_xacts"):
            control.query("rollback prepared '" + gid.replace("'", "''") + "'")
        for sql in ("set client_min_messages = error", "drop schema if exists iso cascade",
                    "create schema iso"):
            control.query(sql)
        return control


def known_failures():
    """{script: why FalconDB does not pass it}."""
    found = {}
    with open(os.path.join(FIXTURES, "known-failures.txt")) as file:
        for line in file:
            script, _, rest = line.strip().partition(": ")
            if script and not script.startswith("#"):
                found[script] = rest
    return found


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
    good, known = True, known_failures()
    for script, (run, wrong) in peer.failures.items() if peer else ():
        good = False
        print(f"FAILED  {script.name} (PostgreSQL)\n{explain(script, run, wrong)}")
    for script in falcon.scripts if falcon else ():
        if script in falcon.failures:
            run, wrong = falcon.failures[script]
            is_known = script.name in known
            good = good and is_known
            if options.verbose or not is_known:
                print(f"{'known ' if is_known else 'FAILED'}  {script.name}\n{explain(script, run, wrong)}")
        elif script.name in known:
            good = False
            print(f"FAILED  {script.name} is listed as a known failure and holds")
    for script, why in falcon.crashes if falcon else ():
        good = False
        print(f"FAILED  {script.name} (whether listed or not): {why}")
    names = {script.name for script in load(argparse.Namespace(only=""))}
    for name in sorted(set(known) - names):
        good = False
        print(f"FAILED  {name} is listed and is no script")
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
            targets.append(Server(os.path.join(options.bin, "falcondb"), os.path.join(folder, "data"),
                                  os.path.join(folder, "log")))
        with contextlib.ExitStack() as stack:
            for target in targets:
                stack.enter_context(target).start()
                suites[target.is_peer] = Suite(target, scripts, options)
                suites[target.is_peer].start()
            for suite in suites.values():
                suite.join()
            statuses = [target.stop() for target in targets]
    for suite in suites.values():
        if suite.error:
            raise suite.error
    if options.rewrite:
        rewrite(suites[True])
    good = judge(suites[True], suites.get(False), options)
    if any(statuses):
        good = False
        print(f"FAILED  the servers ended with {statuses}")
    for is_peer, suite in suites.items():
        slowest = max(suite.took, key=suite.took.get)
        print(f"{'PostgreSQL' if is_peer else 'FalconDB'}: {len(scripts)} scripts, "
              f"{len(suite.failures)} failed, {sum(suite.took.values()):.1f} s "
              f"(longest: {slowest.name}, {suite.took[slowest]:.1f} s)")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
