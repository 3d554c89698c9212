"""Histories as text: hand-made ones under Fixtures/histories, and failed ones that a run leaves behind.

    history NAME                      begins one
    expect rc=ok rr=G-single ser=G-single,G2-item
    clock off                         the order of the lines says nothing about time
    T1@A append x 1                   transaction 1 of client A; lists: append, read KEY VALUES
    T2 read x 1 & read y              one statement; registers: write, get (- is none), get! (for update)
    T2 insert s 7                     sets: insert, scan KEY VALUES
    T2 undo 1                         back to before its first operation
    T1 commit | abort | commit?       acknowledged | failed | sent and never answered
    T1 commit( ... T1 commit)         sent on the first line, acknowledged on the second
    T1 op( ... T1 op)                 likewise for a whole line: `T1 read( x 1`, answered at `T1 read)`
"""
from .model import FAIL, GET, INFO, LEVELS, OK, READ, SCAN, UNDO, WRITES, Op, Txn

SHORT = dict(zip(("rc", "rr", "ser"), LEVELS))


class Script:
    def __init__(self, name, place):
        self.name, self.place = name, place
        self.expected = {}
        self.has_clock = True
        self.lines = []

    def txns(self, level):
        """The transactions, all at `level`."""
        return _Reader(self, level).run()


def parse(text, path=""):
    scripts = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        word, _, rest = line.partition(" ")
        if word == "history":
            scripts.append(Script(rest, f"{path}:{number}"))
        elif word == "expect":
            for part in rest.split():
                level, _, names = part.partition("=")
                if level not in SHORT:
                    raise ValueError(f"{path}:{number}: no level {level}")
                scripts[-1].expected[level] = [] if names == "ok" else sorted(names.split(","))
        elif line == "clock off":
            scripts[-1].has_clock = False
        else:
            scripts[-1].lines.append((number, line))
    return scripts


class _Reader:
    def __init__(self, script, level):
        self.script, self.level = script, level
        self.txns, self.statements, self.open = {}, {}, {}

    def run(self):
        for number, line in self.script.lines:
            try:
                self._line(line, 2 * number)
            except (ValueError, KeyError, IndexError) as error:
                raise ValueError(f"{self.script.place}, line {number}: {line}: {error!r}") from error
        return list(self.txns.values())

    def _txn(self, word):
        number, _, session = word[1:].partition("@")
        number = int(number)
        if number not in self.txns:
            self.txns[number] = Txn(number, session or number, self.level, FAIL)
            self.statements[number] = 0
        return self.txns[number]

    def _line(self, line, now):
        word, _, rest = line.partition(" ")
        txn = self._txn(word)
        has_clock = self.script.has_clock
        sent, done = (now, now + 1) if has_clock else (None, None)
        if rest.startswith("commit"):
            self._commit(txn, rest, sent, done)
            return
        if rest == "abort":
            return
        if rest.endswith(")"):
            for op in self.open.pop(txn.number):
                op.done = done
            return
        statement = self.statements[txn.number]
        self.statements[txn.number] += 1
        for part in rest.split("&"):
            kind, *words = part.split()
            is_open = kind.endswith("(")
            op = self._op(kind.rstrip("("), words, statement, sent, None if is_open else done)
            txn.add(op)
            if is_open:
                self.open.setdefault(txn.number, []).append(op)

    @staticmethod
    def _commit(txn, word, sent, done):
        if word != "commit)":
            txn.commit_sent = sent
        txn.status = INFO if word in ("commit?", "commit(") else OK
        if txn.status == OK:
            txn.commit_done = done

    @staticmethod
    def _op(kind, words, statement, sent, done):
        if kind == UNDO:
            return Op(UNDO, None, int(words[0]) - 1, statement, sent, done)
        key, values = words[0], [int(w) for w in words[1:] if w != "-"]
        if kind == READ:
            value = tuple(values)
        elif kind == SCAN:
            value = frozenset(values)
        elif kind in WRITES or kind in (GET, GET + "!"):
            value = values[0] if values else None
        else:
            raise ValueError(f"unknown operation {kind}")
        return Op(kind.rstrip("!"), key, value, statement, sent, done, locked=kind.endswith("!"))


def write_out(txns):
    """A history with its times, one JSON line for each transaction: `read_back` reads it."""
    import json

    lines = []
    for txn in txns:
        ops = [[op.kind, op.key, sorted(op.value) if isinstance(op.value, frozenset) else op.value,
                op.statement, op.sent, op.done, op.locked] for op in txn.ops]
        lines.append(json.dumps([txn.number, txn.session, txn.level, txn.status, txn.commit_sent,
                                 txn.commit_done, txn.note, ops, txn.first]))
    return "\n".join(lines) + "\n"


def read_back(text):
    import json

    txns = []
    for line in text.splitlines():
        number, session, level, status, sent, done, note, ops, first = json.loads(line)
        txn = Txn(number, session, level, status, note)
        txn.commit_sent, txn.commit_done, txn.first = sent, done, first
        for kind, key, value, *rest in ops:
            if kind == READ:
                value = tuple(value)
            elif kind == SCAN:
                value = frozenset(value)
            txn.add(Op(kind, key, value, *rest))
        txns.append(txn)
    return txns
