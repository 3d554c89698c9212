"""One seeded run of clients against the simulated database: its history."""
import random

from .model import (APPEND, FAIL, GET, INFO, INSERT, LEVELS, OK, READ, SCAN, UNDO, WRITE, WRITES, Op, Txn)
from .simbugs import BUGS
from .simdatabase import Abort, Database, Session, Waits

CLIENTS = 6
TRANSACTIONS = 200
CRASHES = 8
PER_KEY = 14  # a key is given up after so many writes, lest versions grow long
KINDS = {"list": (READ, READ, APPEND, APPEND), "register": (GET, WRITE), "set": (SCAN, INSERT)}
FAMILIES = tuple(KINDS)


class Client:
    def __init__(self, run, name, chance):
        self.run, self.name, self.chance = run, name, chance
        self.txn = self.session = self.commit_done = None
        self.plan, self.open, self.committing = [], None, None

    def step(self):
        """Answers what has been done and sends what comes next."""
        if self.txn is None:
            self._begin()
        if self.committing:
            self._go_on_committing()
            return
        if self.open is not None:
            if self.open.done is None and not self._execute(self.open):
                return
            self.open.done = self.run.tick()
            self.open = None
        if self.txn is None:
            return
        if self.plan:
            self._send(self.plan.pop(0))
        elif self.will_abort:
            self._end(FAIL, abort=True)
        else:
            self.txn.commit_sent = self.run.tick()
            self.committing = "sent"

    def _begin(self):
        run, chance = self.run, self.chance
        level = chance.choice(run.levels)
        self.txn = Txn(run.number(), self.name, level)
        run.txns.append(self.txn)
        self.session = Session(level)
        self.will_abort = chance.random() < 0.1
        kinds = run.kinds
        self.plan = [chance.choice(kinds) for _ in range(chance.randint(1, 5))]
        if chance.random() < 0.25:  # one key twice, so that there are intermediate versions
            self.plan += ["again", kinds[0]]
        elif chance.random() < 0.2 and SCAN in kinds:
            self.plan = [SCAN, INSERT]
        if len(self.plan) > 2 and chance.random() < 0.2:
            self.plan.insert(-1, UNDO)

    def _send(self, kind):
        run, chance, txn = self.run, self.chance, self.txn
        if kind == "again":
            last = next((op for op in reversed(txn.ops) if op.kind in (APPEND, WRITE) and not op.undone), None)
            if last is None:
                return
            kind, key = last.kind, last.key
        elif kind == UNDO:
            self._undo()
            return
        else:
            key = run.key(kind, chance)
        value = run.value(kind, key) if kind in WRITES else None
        self.open = Op(kind, key, value, len(txn.ops), run.tick(), None)
        self._execute(self.open)

    def _undo(self):
        txn, chance = self.txn, self.chance
        if not txn.ops:
            return
        at = chance.randrange(len(txn.ops))
        if any(op.kind == UNDO for op in txn.ops[at:]):
            return
        writes = sum(op.kind in WRITES for op in txn.ops[:at])
        self.run.database.undo(self.session, writes)
        now = self.run.tick()
        txn.add(Op(UNDO, None, at, len(txn.ops), now, now))

    def _execute(self, op):
        """Whether it was done; an abort ends the transaction, a wait leaves it to the next step."""
        database, session = self.run.database, self.session
        if session.began_waiting is None:
            database.begin_statement(session)
        try:
            if op.kind in WRITES:
                database.write(session, op.kind, op.key, op.value)
            else:
                op.value = database.read(session, op.kind, op.key, self.chance.random() < 0.5)
        except Waits:
            return False
        except Abort:
            self._end(FAIL, abort=True)
            return False
        self.txn.add(op)
        op.done = op.sent  # set again when it is answered
        return True

    def _go_on_committing(self):
        if self.committing == "sent":
            try:
                self.run.database.commit(self.session)
            except Abort:
                self._end(FAIL, abort=True)
                return
            self.committing = "logged"
        elif self.session.published:
            self.txn.commit_done = self.run.tick()
            self._end(OK)

    def _end(self, status, abort=False):
        if abort:
            self.run.database.abort(self.session)
        self.txn.status = status
        self.txn = self.open = self.committing = None

    def lose(self):
        """The connection is gone."""
        if self.txn is not None:
            self._end(INFO if self.committing else FAIL)


class Run:
    def __init__(self, seed, bug=None, families=FAMILIES):
        self.kinds = [kind for family in families for kind in KINDS[family]]
        self.chance = random.Random(f"{seed} {bug}")
        self.levels = list(BUGS[bug][0]) if bug else self.chance.choice(
            [LEVELS[:1], LEVELS[1:2], LEVELS[2:], LEVELS])
        if bug and len(self.levels) > 1:
            self.levels = [self.chance.choice(self.levels)]
        self.database = Database(self.chance, bug)
        self.txns = []
        self.now = self.numbers = 0
        self.written, self.keys = {}, {}

    def tick(self):
        self.now += 1
        return self.now

    def number(self):
        self.numbers += 1
        return self.numbers

    def key(self, kind, chance):
        name = {READ: "l", APPEND: "l", GET: "r", WRITE: "r", SCAN: "s", INSERT: "s"}[kind]
        slot = name + str(chance.randrange(2))
        key = f"{slot}.{self.written.get(slot, 0) // PER_KEY}"
        self.keys[key] = name
        return key

    def value(self, kind, key):
        slot = key.split(".")[0]
        self.written[slot] = self.written.get(slot, 0) + 1
        return self.written[slot]

    def history(self):
        clients = [Client(self, f"c{i}", self.chance) for i in range(CLIENTS)]
        crashes = sorted(self.chance.randint(10, TRANSACTIONS) for _ in range(CRASHES))
        while self.numbers < TRANSACTIONS:
            if self.chance.random() < 0.15:
                self.database.sync()
            self.chance.choice(clients).step()
            if crashes and self.numbers >= crashes[0]:
                crashes.pop(0)
                self._crash(clients)
        self._crash(clients)
        return self.txns

    def _crash(self, clients):
        self.database.crash()
        for client in clients:
            client.lose()
        self._look(self.chance.choice(LEVELS))

    def _look(self, level):
        """A transaction that reads all there is."""
        txn, session = Txn(self.number(), "check", level, OK), Session(level)
        for statement, (key, name) in enumerate(sorted(self.keys.items())):
            self.database.begin_statement(session)
            kind = {"l": READ, "r": GET, "s": SCAN}[name]
            for by_index in (False, True) if kind == SCAN else (False,):
                op = Op(kind, key, None, statement, self.tick())
                op.value = self.database.read(session, kind, key, by_index)
                op.done = self.tick()
                txn.add(op)
        txn.commit_sent, txn.commit_done = self.tick(), self.tick()
        self.database.commit(session)
        self.txns.append(txn)


def history(seed, bug=None, families=FAMILIES):
    return Run(seed, bug, families).history()
