"""The runs are seen to fail on a real server: by what it must not do, and by clients that break the rules.

A server that does not wait for its log loses what it acknowledged. A client that says REPEATABLE READ and
asks for READ COMMITTED shows what a server would whose levels are too weak. Each workload with its lock or
its constraint left out has to break its invariant.
"""
import argparse
import os
import random
import shutil
import tempfile

from falconserver import Server
from histories.model import READ_COMMITTED, REPEATABLE_READ

from .bank import Bank
from .counter import Counter
from .mixed import Mixed
from .movers import TAGS, Movers
from .queue import Queue
from .runs import HistoryRun, run_workloads
from .skew import Skew
from .unique import Unique


class Mislabelled(Mixed):
    @staticmethod
    def server_level(level):
        return READ_COMMITTED


class UnlockedBank(Bank):
    lock = ""


class UnlockedCounter(Counter):
    def one(self):
        status, value = yield from self.transaction(self._increment)
        self.note(status, value)

    def _increment(self):
        rows = yield from self.ask(f"select n from counter_{self.table} where id = 1")
        value = int(rows[0][0]) + 1
        yield from self.ask(f"update counter_{self.table} set n = {value} where id = 1")
        return value


class UnconstrainedUnique(Unique):
    @staticmethod
    def schema(table):
        return [f"create table owners_{table} (a int, b int, owner bigint not null)"]


class UnlockedQueue(Queue):
    lock = ""


class UnlockedSkew(Skew):
    is_locking = False


class UnfollowedMovers(Movers):
    """Goes by the key that the row had when it was looked up."""

    def one(self):
        self.tag_of_row = self.chance.randint(1, TAGS)
        self.columns = self.chance.choice((("n",), ("id",)))
        status, _ = yield from self.transaction(self._move)
        self.note(status, self.tag_of_row, self.columns)

    def _move(self):
        rows = yield from self.ask(f"select id from movers_{self.table} where tag = {self.tag_of_row}")
        column, = self.columns
        yield from self.ask(f"update movers_{self.table} set {column} = {column} + 1 where id = {rows[0][0]}")


BROKEN = ((UnlockedBank, 6), (UnlockedCounter, 8), (UnconstrainedUnique, 6), (UnlockedQueue, 6), (UnlockedSkew, 8),
          (UnfollowedMovers, 6))


def see_them_fail(binary, seed, transactions=6000):
    """(lines, problems): a problem is a broken run that failed otherwise, or in which nothing was found."""
    lines, problems = [], []
    runs = [("history: commits not waited for, kill -9", _unsynced),
            ("history: READ COMMITTED in place of REPEATABLE READ", _mislabelled)]
    runs += [(f"{kind.name}: {kind.__name__}", _workload(kind, clients)) for kind, clients in BROKEN]
    for what, run in runs:
        scratch = tempfile.mkdtemp(prefix="falcon-broken-")
        config = os.path.join(scratch, "config.toml")
        with open(config, "w") as file:
            file.write('[storage]\ndurability = "buffered"\n' if run is _unsynced else
                       '[storage]\ndurability = "written"\n')
        server = Server(os.path.join(binary, "falcondb"), os.path.join(scratch, "data"),
                        os.path.join(scratch, "log"), ("--config", config))
        try:
            server.start()
            wrong, found = run(server, seed, _options(transactions))
        finally:
            if server.is_running():
                server.kill()
            shutil.rmtree(scratch, ignore_errors=True)
        lines.append(f"{what:52} {'found: ' + found[0][:100] if found else 'NOTHING FOUND'}")
        if wrong:
            problems.append(f"{what}: the run itself failed (seed {seed}): {wrong[0]}")
        elif not found:
            problems.append(f"{what}: nothing was found (seed {seed})")
    return lines, problems


def _options(transactions):
    return argparse.Namespace(
        transactions=transactions, clients=16, kills=2, processes=2,
        workload_transactions=transactions // 3, workload_kills=0)


# What went wrong in the run itself is no finding: (such problems, what was found).

def _unsynced(server, seed, options):
    # A kill loses the commits of a few milliseconds, and not each time one that a reader can miss.
    options.kills = 8
    return _names(HistoryRun(server, random.Random(seed), options, seed, [READ_COMMITTED]))


def _mislabelled(server, seed, options):
    options.kills = 0
    return _names(HistoryRun(server, random.Random(seed), options, seed, [REPEATABLE_READ],
                             lambda round_, *arguments: Mislabelled(round_, *arguments).run()))


def _names(run):
    report = run.run()
    return run.problems, [" ".join(report.names)] if report.anomalies else []


def _workload(kind, clients):
    def run(server, seed, options):
        return run_workloads(server, seed, options, [READ_COMMITTED], ((kind, clients),))[1:]

    return run
