"""Histories: what each client sent, when, and what it was told.

Three kinds of objects, each named by its key. A *list* grows by `append` and is read whole, so that every
read shows the order of the writes below it. A *register* is overwritten by `write`. A *set* grows by `insert`
of rows and is read by `scan`, which is a predicate: rows it did not find are phantoms. Every value
written to a key is written once, by one operation.
"""

READ_COMMITTED = "read committed"
REPEATABLE_READ = "repeatable read"
SERIALIZABLE = "serializable"
LEVELS = (READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE)

#: COMMIT was acknowledged.
OK = "ok"
#: It definitely did not commit: an error or the end of the connection before COMMIT was sent.
FAIL = "fail"
#: COMMIT was sent and never answered: it happened or it did not, whole either way.
INFO = "info"

APPEND, READ = "append", "read"
WRITE, GET = "write", "get"
INSERT, SCAN = "insert", "scan"
#: ROLLBACK TO SAVEPOINT: takes the operations from number `value` on back.
UNDO = "undo"

WRITES = {APPEND, WRITE, INSERT}
#: Which family an operation's key belongs to: a key of one family is never one of another.
FAMILY = {APPEND: "list", READ: "list", WRITE: "register", GET: "register", INSERT: "set", SCAN: "set"}


class Op:
    """One operation. `value` is what was written, or what a read returned: a tuple for lists, a value or
    None for registers, a frozenset for sets. Operations with the same `statement` share a snapshot."""

    __slots__ = ("kind", "key", "value", "statement", "sent", "done", "locked", "undone")

    def __init__(self, kind, key, value, statement, sent=None, done=None, locked=False):
        self.kind, self.key, self.value, self.statement = kind, key, value, statement
        self.sent, self.done, self.locked = sent, done, locked
        self.undone = False

    def __repr__(self):
        if self.kind == UNDO:
            return f"rollback to before operation {self.value + 1}"
        mark = " for update" if self.locked else ""
        value = self.value
        if self.kind == READ:
            value = "[" + " ".join(map(str, value)) + "]"
        elif self.kind == SCAN:
            value = "{" + " ".join(map(str, sorted(value))) + "}"
        return f"{self.kind} {self.key} {value}{mark}"


class Txn:
    """A transaction. Times are of one clock that all clients share; None: nothing is known of them."""

    __slots__ = ("number", "session", "level", "status", "ops", "commit_sent", "commit_done", "note",
                 "first")

    def __init__(self, number, session, level, status=None, note=""):
        self.number, self.session, self.level, self.status = number, session, level, status
        self.ops = []
        self.commit_sent = self.commit_done = None
        self.note = note
        #: (sent, done) of the statement that took the snapshot, when that is not the first of `ops`.
        self.first = None

    def add(self, op):
        if op.kind == UNDO:
            for earlier in self.ops[op.value:]:
                earlier.undone = True
        self.ops.append(op)

    def __repr__(self):
        ops = "; ".join(map(repr, self.ops))
        note = f", {self.note}" if self.note else ""
        return f"T{self.number} (client {self.session}, {self.level}, {self.status}{note}): {ops}"


class Anomaly:
    """What a history must not show: its name, and why it is so in words."""

    def __init__(self, name, text, txns=()):
        self.name, self.text, self.txns = name, text, tuple(txns)

    def __repr__(self):
        return f"{self.name}: {self.text}"

    def witness(self):
        """The anomaly and the whole of each transaction in it."""
        lines = [f"{self.name}: {self.text}"]
        seen = set()
        for txn in self.txns:
            if txn is not None and txn.number not in seen:
                seen.add(txn.number)
                text = repr(txn)
                lines.append("    " + (text if len(text) < 2000 else text[:2000] + " ..."))
        return "\n".join(lines)
