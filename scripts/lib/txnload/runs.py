"""Whole runs: a history across kills with its verdict, and the workloads with an invariant."""
import gc
import os
import time
from collections import Counter as Tally
from collections import defaultdict

from histories.checker import check
from histories.model import FAIL, INFO, OK, SERIALIZABLE
from histories.script import write_out

from . import mixed
from .bank import Bank
from .counter import Counter
from .movers import Movers
from .queue import Queue
from .rounds import run_round
from .skew import SerialSkew, Skew
from .unique import Unique

CLIENTS_OF = ((Bank, 6), (Counter, 16), (Unique, 6), (Queue, 6), (Skew, 6), (Movers, 6))
#: Acknowledged of a history's transactions at each level.
ACKNOWLEDGED_AT_LEAST = 0.4
#: The same of each workload's outcomes, at the levels that fail what others changed.
OUTCOMES_AT_LEAST = 0.03
#: Reads of each family that saw something of another's, by transactions.
SEEN_AT_LEAST = 0.15
COUNT_APART = 1_000_000  # between the rounds' transaction numbers


def make_mixed(round_, *arguments):
    return mixed.Mixed(round_, *arguments).run()


def make_actor(round_, kind, *arguments):
    return kind(round_, *arguments).run()


class HistoryRun:
    def __init__(self, server, chance, options, seed, levels, make=make_mixed):
        self.make = make
        self.server, self.chance, self.options, self.seed = server, chance, options, seed
        self.levels = levels
        self.txns, self.problems = [], []
        self.load_seconds = 0.0

    def run(self):
        """Runs the rounds and returns the report."""
        connection = self.server.connect()
        for sql in mixed.SCHEMA:
            connection.query(sql)
        connection.close()
        options, begun, done = self.options, 0, 0
        for number in range(options.kills + 1):
            left = options.transactions - done
            is_last = number == options.kills
            kill_at = None if is_last else max(200, int(
                left / (options.kills + 1 - number) * self.chance.uniform(0.5, 1.5)))
            # By twos, for each of two processes takes every second client.
            arguments = [(i, options.clients, self.seed, self.levels, i // 2 % 2 == 1, begun)
                         for i in range(options.clients)]
            began = time.monotonic()
            txns, problems, count = run_round(
                self.server, self.make, arguments, max(left, 200) if is_last else 10 * options.transactions,
                kill_at, options.processes, number)
            self.load_seconds += time.monotonic() - began
            self.txns += txns
            self.problems += problems
            done += count
            begun += max(Tally(txn.session for txn in txns).values(), default=0)
            if problems:
                break
            if not is_last:
                self.server.start()
            self._look(len(self.txns) - len(txns))
        if not self.problems:  # and once more, of what the disk has
            self.server.kill()
            self.server.start()
            self._look()
        return self._check()

    def _look(self, since=0):
        """Reads everything; what was written down before transaction `since` is kept in part only."""
        keys = {op.key for txn in self.txns[since:] for op in txn.ops if op.key is not None}
        older = {op.key for txn in self.txns[:since] for op in txn.ops if op.key is not None} - keys
        keys.update(key for key in older if self.chance.random() < 0.1)
        connection = self.server.connect()
        self.txns.append(mixed.look(connection, keys))
        connection.close()

    def _check(self):
        for number, txn in enumerate(self.txns, 1):
            txn.number = number
        gc.freeze()
        gc.disable()
        report = check(self.txns)
        gc.enable()
        return report

    def too_little(self, report):
        """What the history has too little of to prove anything, as problems."""
        problems = []
        for level in self.levels:
            txns = [txn for txn in self.txns if txn.level == level]
            share = sum(txn.status == OK for txn in txns) / max(1, len(txns))
            if share < ACKNOWLEDGED_AT_LEAST:
                problems.append(f"{share:.0%} of the transactions at {level} were acknowledged")
        for family, count in report.seen.items():
            if count < SEEN_AT_LEAST * len(self.txns):
                problems.append(f"{count} reads of {family}s saw anything in {len(self.txns)} transactions")
        return problems

    def outcomes(self):
        return Tally(txn.status for txn in self.txns)

    def lines(self, report):
        outcomes = self.outcomes()
        count = len(self.txns)
        return [
            f"history: {count} transactions ({outcomes[OK]} acknowledged, {outcomes[FAIL]} failed, "
            f"{outcomes[INFO]} unknown) by {self.options.clients} clients, {self.options.kills + 1} kills, "
            f"{count / max(self.load_seconds, 0.001):.0f} transactions/s",
            f"checked: {report.reads} reads, {report.nodes} moments, {report.edges} edges in "
            f"{report.seconds:.1f} s, {count / max(report.seconds, 0.001):.0f} transactions/s; "
            f"{len(report.anomalies)} violation(s) {' '.join(report.names)}",
            "reads that saw another's write: "
            + ", ".join(f"{count} of {family}s" for family, count in report.seen.items())]

    def save(self, folder):
        path = os.path.join(folder, "history.jsonl")
        with open(path, "w") as file:
            file.write(write_out(self.txns))
        return path


def run_workloads(server, seed, options, levels, clients_of=CLIENTS_OF):
    """Every workload at every level, without and with kills. Returns (lines, what went wrong in the run, what the
    workloads found)."""
    lines, problems = [], []
    admin = server.connect()
    tables = {level: level.replace(" ", "_") for level in levels}
    plans = {}
    for level in levels:
        kinds = clients_of + (((SerialSkew, 6),) if level == SERIALIZABLE else ())
        plans[level] = kinds
        for kind, _ in kinds:
            for sql in kind.schema(_table(kind, tables[level])):
                admin.query(sql)
    admin.close()
    notes = defaultdict(list)
    for level in levels:
        for number in range(options.workload_kills + 1):
            arguments, client = [], 0
            for kind, clients in plans[level]:
                for _ in range(clients):
                    arguments.append((kind, client, seed, level, _table(kind, tables[level]), number * COUNT_APART))
                    client += 1
            kill_at = options.workload_transactions if number else None
            limit = options.workload_transactions * (20 if number else 1)
            outputs, found, _ = run_round(
                server, make_actor, arguments, limit, kill_at, options.processes, number)
            if found:
                return lines, found, []
            for name, at, _, *what in outputs:
                notes[(name, at)].append(tuple(what))
            if number:
                server.start()
            found = _verify(server, level, plans[level], tables[level], notes)
            if found:
                return lines, [], found
        for kind, clients in plans[level]:
            done = notes[(kind.name, level)]
            acknowledged = sum(OK in what for what in done)
            lines.append(f"{kind.name:12} {level:16} {clients:2} clients, {options.workload_kills} kill(s), "
                         f"{len(done):6} outcomes, {acknowledged:6} acknowledged: holds")
            if acknowledged < max(1, OUTCOMES_AT_LEAST * len(done)):
                problems.append(f"{kind.name} at {level}: {acknowledged} of {len(done)} outcomes were acknowledged")
    return lines, problems, []


def _table(kind, level):
    return f"{level}_{kind.name.replace('-', '_')}"


def _verify(server, level, kinds, table, notes):
    problems = []
    connection = server.connect()
    for kind, _ in kinds:
        for problem in kind.verify(connection, _table(kind, table), notes[(kind.name, level)]):
            problems.append(f"{kind.name} at {level}: {problem}")
    connection.close()
    return problems
