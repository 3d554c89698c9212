"""The disaster of docs/operations/disaster-recovery.md, by its commands: a mistaken DELETE, then the data directory
is gone. With --transcript: prints what a terminal shows, which is kept beside that page."""
import argparse
import os
import re
import shutil
import subprocess
import tempfile
import time

from claims import check, finish
from falconserver import Server

ACCOUNTS = 50_000
STATE = ("select count(*), sum(balance), md5(string_agg(id || ':' || owner || ':' || balance, ',' order by id))"
         " from accounts")


class Terminal:
    """Runs commands in one directory and prints them as a terminal would."""

    def __init__(self, bin_folder, directory, shows):
        self.directory, self.shows = directory, shows
        self.environment = {**os.environ, "PATH": f"{os.path.abspath(bin_folder)}:{os.environ['PATH']}"}
        self.server = None

    def note(self, line):
        if self.shows:
            print(line, flush=True)

    def run(self, command, *, expects=0):
        self.note(f"$ {command}")
        done = subprocess.run(["bash", "-c", command], cwd=self.directory, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        if done.stdout:
            self.note(done.stdout.rstrip("\n"))
        if done.returncode != expects:
            raise RuntimeError(f"{command} exits {done.returncode}:\n{done.stdout}")
        return done.stdout

    def sql(self, statement, *, shows=True):
        """psql, at the server that runs now; PGPORT says which in place of -p."""
        self.environment.update(PGHOST="127.0.0.1", PGPORT=str(self.server.port), PGUSER="postgres",
                                PGDATABASE="postgres", PGCONNECT_TIMEOUT="30")
        before, self.shows = self.shows, self.shows and shows
        try:
            return self.run(f'psql -AtXc "{statement}"').strip()
        finally:
            self.shows = before

    def serve(self, binary, data):
        self.note("$ falcondb --config falcondb.toml &" + ("" if data == "data" else f"   # data_dir = \"{data}\""))
        path = os.path.join(self.directory, "falcondb.toml")
        self.server = Server(binary, os.path.join(self.directory, data), os.path.join(self.directory, "server.log"),
                             extra=["--config", path])
        return self.server.start()


def archived(terminal):
    """Waits until the repository has all that was committed; who watches sees the same in SHOW falcon.pitr_status."""
    end = terminal.sql("select pg_current_wal_lsn()", shows=False)
    deadline = time.monotonic() + 60
    while not terminal.sql(f"select last_lsn >= pg_lsn '{end}' from falcon.pitr_status", shows=False).startswith("t"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the log up to {end} was not archived within a minute")
        time.sleep(0.05)


def filled(terminal):
    """Tables, a base backup, and more changes behind it."""
    terminal.sql("CREATE TABLE accounts (id int PRIMARY KEY, owner text NOT NULL, balance numeric NOT NULL)")
    terminal.sql("INSERT INTO accounts SELECT g, 'owner ' || g, g % 100 "
                 f"FROM generate_series(1, {ACCOUNTS}) g")
    terminal.sql("SELECT falcon.backup('nightly')")
    terminal.sql("UPDATE accounts SET balance = balance + 10 WHERE id % 7 = 0")
    terminal.sql("INSERT INTO accounts VALUES (100001, 'the last good row', 42)")


def mistaken(terminal):
    """The state just before the DELETE, and when that was."""
    state = terminal.sql(STATE, shows=False)
    moment = terminal.sql("SELECT clock_timestamp()")
    time.sleep(1.1)  # not synchronisation: the target lies a second before the mistake
    terminal.sql("DELETE FROM accounts WHERE balance < 1000")
    terminal.sql("INSERT INTO accounts VALUES (100002, 'after the mistake', 1)")
    return state, moment


def recovered(terminal, binary, moment):
    terminal.run("pitr-restore info --repo backup")
    terminal.run("pitr-restore verify --repo backup")
    plan = terminal.run(f"pitr-restore plan --repo backup --to-time '{moment}'")
    terminal.run(f"pitr-restore apply --repo backup --to-time '{moment}' --out restored --quiet")
    terminal.run("sst-verify restored --quiet | tail -1")
    terminal.serve(binary, "restored")
    return plan


def disaster(bin_folder, directory, shows=False):
    """Plays it: the state before the mistake, the state that comes back, what the plan said, and the exit status."""
    binary = os.path.join(bin_folder, "falcondb")
    terminal = Terminal(bin_folder, directory, shows)
    with open(os.path.join(directory, "falcondb.toml"), "w") as file:
        file.write('[archive]\ndirectory = "' + os.path.join(directory, "backup") + '"\ntimeout = "1s"\n')
    with terminal.serve(binary, "data") as server:
        filled(terminal)
        state, moment = mistaken(terminal)
        archived(terminal)
        terminal.note("$ kill -9 $(pidof falcondb)")
        server.kill()
    terminal.note("$ rm -rf data")
    shutil.rmtree(os.path.join(directory, "data"))
    plan = recovered(terminal, binary, moment)
    with terminal.server:
        terminal.sql("SELECT count(*), max(id), sum(balance) FROM accounts")
        found = terminal.sql(STATE, shows=False)
        terminal.sql("SELECT falcon.backup('after the restore')")
        status = terminal.server.stop()
    return state, found, plan, status


def claims(state, found, plan, status):
    check("the database is as it was a second before the mistaken DELETE", found == state, (state, found))
    left_out = re.search(r"first left out: .*, (\d+) operation", plan)
    check("and the plan showed the DELETE as the first that is left out",
          left_out and int(left_out[1]) == ACCOUNTS + 1, plan)
    check("and the restored server stops cleanly", status == 0, status)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of falcondb, pitr-restore and sst-verify")
    parser.add_argument("--transcript", action="store_true", help="print what a terminal shows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="falcon-disaster-") as directory:
        outcome = disaster(os.path.abspath(options.bin), directory, options.transcript)
    if not options.transcript:
        claims(*outcome)
        finish()


if __name__ == "__main__":
    main()
