"""The proof of the checker: hand-made histories, a checker with parts taken out, planted bugs, clean runs."""
import glob
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from . import checker, cycles, events, lists, ownview, registers, sets
from .checker import check
from .script import SHORT, parse
from .simbugs import BUGS
from .simrun import history

CAUGHT_AT_LEAST = 0.95


def load(folder):
    scripts = []
    for path in sorted(glob.glob(os.path.join(folder, "*.txt"))):
        with open(path) as file:
            scripts += parse(file.read(), os.path.basename(path))
    return scripts


def wrong_verdicts(scripts):
    """Where the verdict on a hand-made history is not the expected one."""
    problems = []
    for script in scripts:
        for short, level in SHORT.items():
            report = check(script.txns(level))
            if report.names != script.expected[short]:
                problems.append(f"{script.place} {script.name} at {level}: expected {script.expected[short]}, "
                                f"got {report.names}\n{report.text()}")
    return problems


# Parts of the checker, each to be taken out: (what, owner, attribute, its stand-in).
def _nothing(*_arguments):
    return None


MUTANTS = [
    ("wr edges", events.Events, "wr", _nothing),
    ("rw edges", events.Events, "rw", _nothing),
    ("ww edges", events.Events, "ww", _nothing),
    ("the clock", events.Events, "_add_time", _nothing),
    ("cycles of events", checker, "_event_cycles", _nothing),
    ("serial cycles", checker, "_serial_cycles", _nothing),
    ("order of list versions", lists.Lists, "_orders",
     lambda self, committed, anomalies: _orders(self, committed, [])),
    ("aborted and foreign list values", lists.Lists, "_version", _nothing),
    ("intermediate list versions", lists.Lists, "_intermediate", staticmethod(_nothing)),
    ("unseen appends", lists.Lists, "_unseen", lambda *_: []),
    ("sources of register reads", registers.Registers, "_source", _nothing),
    ("rewriters of registers", registers.Registers, "_rewrites", lambda *_: False),
    ("older register writes", registers.Registers, "_older", _nothing),
    ("unseen register writes", registers.Registers, "_unseen", _nothing),
    ("aborted rows of sets", sets.Sets, "_aborted", _nothing),
    ("lists as a sign of a commit", lists.Lists, "observed", lambda self: set()),
    ("registers as a sign of a commit", registers.Registers, "observed", lambda self: set()),
    ("sets as a sign of a commit", sets.Sets, "observed", lambda self: set()),
    ("the first writes of a register", registers.Clock, "earliest", lambda self: []),
    ("own appends", ownview, "_SPLIT",
     {**ownview._SPLIT, "read": lambda op, own, txn: ownview.External(txn, op, op.value, 0)}),
    ("own inserts", ownview, "_SPLIT",
     {**ownview._SPLIT, "scan": lambda op, own, txn: ownview.External(txn, op, op.value, 0)}),
    ("own writes", ownview, "_SPLIT", {**ownview._SPLIT, "get": lambda op, own, txn: None}),
    ("writes of unknown outcome", checker, "has_writes", lambda txn: False),
    ("components", cycles, "components", lambda *_: []),
]
_orders = lists.Lists._orders


@contextmanager
def mutated(owner, attribute, stand_in):
    is_inherited = attribute not in owner.__dict__
    original = owner.__dict__.get(attribute)
    setattr(owner, attribute, stand_in)
    try:
        yield
    finally:
        if is_inherited:
            delattr(owner, attribute)
        else:
            setattr(owner, attribute, original)


def surviving_mutants(scripts):
    """The parts of the checker that can be taken out and no verdict changes."""
    survivors = []
    for what, owner, attribute, stand_in in MUTANTS:
        with mutated(owner, attribute, stand_in):
            if not wrong_verdicts(scripts):
                survivors.append(what)
    return survivors


def _run(job):
    seed, bug = job
    return bug, seed, check(history(seed, bug)).names


def simulate(clean_runs, bug_seeds, first_seed=0, workers=2):
    """(problems, lines of a table): clean runs raise nothing, each planted bug is caught."""
    jobs = [(seed, None) for seed in range(first_seed, first_seed + clean_runs)]
    jobs += [(seed, bug) for bug in BUGS for seed in range(first_seed, first_seed + bug_seeds)]
    problems, caught = [], Counter()
    names = {bug: Counter() for bug in BUGS}
    with ProcessPoolExecutor(workers) as pool:
        for bug, seed, found in pool.map(_run, jobs, chunksize=50):
            if bug is None:
                if found:
                    problems.append(f"a clean run, seed {seed}, raised {found}")
            elif found:
                caught[bug] += 1
                names[bug].update(found)
    table = []
    for bug, (_, what) in BUGS.items():
        top = ", ".join(f"{name} {count}" for name, count in names[bug].most_common(3))
        table.append(f"{bug:19} {caught[bug]:4}/{bug_seeds}  {top:68} {what}")
        if caught[bug] < CAUGHT_AT_LEAST * bug_seeds:
            problems.append(f"planted bug {bug} was caught in {caught[bug]} of {bug_seeds} seeds")
    return problems, table
