"""Transactions on lists, registers and sets by every path, as a history for the checker.

    lists (k primary key, s indexed, v)   append: an upsert, or an update by k or by s; read: by k, by s, of two
    regs  (k primary key, v)              overwritten by upserts; read plainly or with row locks
    items (id primary key, g indexed)     a set is a group g; scanned by its index or by a range of ids

A key is used for a short while, by all clients at once, so that there is contention and versions stay short.
"""
import random
import time

from histories.model import (APPEND, FAIL, GET, INFO, INSERT, OK, READ, READ_COMMITTED, REPEATABLE_READ, SCAN,
                             UNDO, WRITE, WRITES, Op, Txn)

from .wire import ABORTS, Disconnected, Extended

SCHEMA = (
    "create table lists (k int primary key, s int not null, v text not null)",
    "create index lists_s on lists (s)",
    "create table regs (k int primary key, v bigint not null)",
    "create table items (id bigint primary key, g int not null)",
    "create index items_g on items (g)",
)
KINDS = (READ, READ, READ, APPEND, APPEND, APPEND, GET, GET, WRITE, SCAN, INSERT)
#: (lists, registers, sets) open at a time.
OPEN = {READ: 5, APPEND: 5, GET: 3, WRITE: 3, SCAN: 4, INSERT: 4}
GROUP = 1 << 32


class Mixed:
    """One client. `pipelined`: several messages are under way at once, else several statements are in one message.
    `first` is how many transactions it has begun in earlier rounds."""

    def __init__(self, round_, number, clients, seed, levels, pipelined, first):
        self.pipelined = pipelined
        self.round, self.number, self.levels = round_, number, levels
        self.chance = random.Random(f"{seed} {round_.number} {number}")
        self.pace = max(1, 48 // clients)
        self.begun = first
        self.values = 0
        self.txn = None

    def run(self):
        while True:
            yield from self.transaction()
            self.begun += 1
            if self.round.is_over():
                return

    @staticmethod
    def server_level(level):
        """What BEGIN asks for."""
        return level

    def transaction(self):
        chance = self.chance
        self.txn = txn = Txn(None, self.number, chance.choice(self.levels))
        self.values = (self.number + 1) * 10_000_000 + self.begun * 8
        style = chance.random()
        try:
            if txn.level == READ_COMMITTED and style < 0.1:
                yield from self._implicit(1)
            elif txn.level == READ_COMMITTED and style < 0.2:
                yield from self._implicit(chance.randint(2, 4))
            else:
                yield from self._explicit()
        except Disconnected:
            txn.status = INFO if txn.commit_sent is not None else FAIL
            txn.note = "its connection was lost"
            self.round.output.append(txn)
            raise
        self.round.output.append(txn)

    # One message

    def _implicit(self, count):
        txn = self.txn
        plans = [self._plan(self.chance.choice(KINDS), is_sure=True) for _ in range(count)]
        message = "; ".join(sql for sql, _ in plans)
        answers = yield from self._send([message], True, [op for _, ops in plans for op in ops])
        answer, = answers
        for statement, (plan, result) in enumerate(zip(plans, answer.results)):
            self._take(plan[1], statement, answer, result)
        txn.commit_sent, txn.commit_done = answer.sent, answer.done
        if answer.sqlstate is None:
            txn.status = OK
        else:
            self._failed(answer, message)
            txn.commit_sent = txn.commit_done = None

    # BEGIN ... COMMIT

    def _explicit(self):
        txn, chance = self.txn, self.chance
        messages = [f"begin isolation level {self.server_level(txn.level)}"]
        kinds = [chance.choice(KINDS) for _ in range(chance.randint(1, 5))]
        will_abort = chance.random() < 0.04
        savepoint, statement = None, 0
        for place, kind in enumerate(kinds):
            is_last = place == len(kinds) - 1
            if savepoint is None and chance.random() < 0.1:
                messages.append("savepoint s")
                savepoint = len(txn.ops)
            commits = is_last and not will_abort and savepoint is None and chance.random() < 0.3
            sql, ops = self._plan(kind, is_sure=commits)
            messages.append(sql)
            if commits:
                messages.append("commit")
            answers = yield from self._send(messages, commits, ops)
            data = answers[-2] if commits else answers[-1]
            if statement == 0:
                txn.first = (data.sent, data.done)
            messages = []
            if data.sqlstate is not None:
                self._failed(data, sql)
                if commits and self.pipelined:
                    return
                if savepoint is None or chance.random() < 0.3:
                    yield from self._send(["rollback"], False, ())
                    return
                messages = self._undo(savepoint, statement)
                savepoint = None
            else:
                self._take(ops, statement, data, data.results[-1])
                if savepoint is not None and savepoint < len(txn.ops) and chance.random() < 0.4:
                    statement += 1
                    messages = self._undo(savepoint, statement)
                    savepoint = None
            statement += 1
            if commits:
                self._committed(answers[-1])
                return
        if will_abort:
            yield from self._send(messages + ["rollback"], False, ())
            txn.status = FAIL
            return
        answers = yield from self._send(messages + ["commit"], True, ())
        self._committed(answers[-1])

    def _undo(self, savepoint, statement):
        self.txn.add(Op(UNDO, None, savepoint, statement))
        self.txn.status = None
        return ["rollback to s"]

    def _send(self, messages, commits, ops):
        """`ops` are what the messages do: written down as sent, should no answer come."""
        txn, sent = self.txn, time.monotonic_ns()
        try:
            if self.pipelined:
                answers = yield messages
            else:
                text = "; ".join(messages)
                if len(messages) == 1 and ";" not in text and self.chance.random() < 0.4:
                    text = Extended(text)
                answer, = yield [text]
                answers = answer.split(messages) if len(messages) > 1 else [answer]
        except Disconnected:
            for op in ops:
                if op.kind in WRITES:
                    txn.add(Op(op.kind, op.key, op.value, len(txn.ops) + 100, sent))
            if commits:
                txn.commit_sent = sent
            raise
        for answer, sql in zip(answers, messages):
            if answer.sqlstate is not None and sql.startswith(("begin", "savepoint", "rollback")):
                raise RuntimeError(f"{sql}: {answer.sqlstate} {answer.message}")
        return answers

    def _committed(self, answer):
        txn = self.txn
        if answer.sqlstate is None and answer.tag == "COMMIT":
            txn.status, txn.commit_sent, txn.commit_done = OK, answer.sent, answer.done
        elif answer.sqlstate is None:
            txn.status = FAIL
        else:
            self._failed(answer, "commit")

    def _failed(self, answer, sql):
        if answer.sqlstate not in ABORTS:
            self.round.problems.append(f"{sql}: {answer.sqlstate} {answer.message}")
        self.txn.status = FAIL
        self.txn.note = answer.sqlstate

    # Operations

    def _plan(self, kind, is_sure=False):
        """(SQL, operations) of one statement. `is_sure`: a write takes place, whatever there is."""
        chance = self.chance
        window = self.begun // self.pace
        key = window + int(OPEN[kind] * chance.random() ** 1.5)
        if kind == APPEND:
            value = self._value()
            return self._append(key, value, is_sure), [Op(APPEND, f"l{key}", value, 0)]
        if kind == WRITE:
            value = self._value()
            sql = (f"insert into regs values ({key}, {value}) on conflict (k) do update set v = excluded.v")
            return sql, [Op(WRITE, f"r{key}", value, 0)]
        if kind == INSERT:
            value = key * GROUP + self._value()
            return f"insert into items values ({value}, {key})", [Op(INSERT, f"s{key}", value, 0)]
        if kind == READ:
            if chance.random() < 0.25:
                other = window + (key - window + 1) % OPEN[READ]
                sql = f"select k, v from lists where k in ({key}, {other})"
                return sql, [Op(READ, f"l{key}", None, 0), Op(READ, f"l{other}", None, 0)]
            return f"select k, v from lists where {chance.choice('ks')} = {key}", [Op(READ, f"l{key}", None, 0)]
        if kind == SCAN:
            by_index = chance.random() < 0.5
            sql = (f"select id from items where g = {key}" if by_index else
                   f"select id from items where id >= {key * GROUP} and id < {(key + 1) * GROUP}")
            return sql, [Op(SCAN, f"s{key}", None, 0)]
        lock = chance.choice(("", "", "", " for update", " for no key update", " for share"))
        return f"select v from regs where k = {key}{lock}", [Op(GET, f"r{key}", None, 0, locked=bool(lock))]

    def _append(self, key, value, is_sure):
        how = self.chance.random()
        if is_sure or how < 0.7:
            return (f"insert into lists values ({key}, {key}, '{value}') on conflict (k) do update "
                    f"set v = lists.v || ',' || excluded.v")
        column = "k" if how < 0.85 else "s"
        return f"update lists set v = v || ',{value}' where {column} = {key}"

    def _value(self):
        self.values += 1
        return self.values

    def _take(self, ops, statement, answer, result):
        """Puts what a statement did and saw into the history."""
        tag, rows = result
        for op in ops:
            op.statement, op.sent, op.done = statement, answer.sent, answer.done
            if op.kind in WRITES:
                if tag in ("UPDATE 0", "INSERT 0 0"):
                    continue  # there was no row yet
            elif op.kind == READ:
                found = [row[1] for row in rows if f"l{row[0]}" == op.key]
                if len(found) > 1:
                    self.round.problems.append(f"list {op.key} was found {len(found)} times in one statement")
                op.value = as_list(found[0]) if found else ()
            elif op.kind == GET:
                op.value = int(rows[0][0]) if rows else None
                op.locked = op.locked and op.value is not None
            else:
                op.value = frozenset(int(row[0]) for row in rows)
                if len(op.value) != len(rows):
                    self.round.problems.append(f"set {op.key}: a row was found twice in one scan")
            self.txn.add(op)


def as_list(text):
    return tuple(map(int, text.split(",")))


def look(connection, keys):
    """A REPEATABLE READ transaction that reads everything, of which `keys` are written down."""
    txn = Txn(None, "check", REPEATABLE_READ, OK)

    def ask(sql):
        sent = time.monotonic_ns()
        return connection.query(sql), sent, time.monotonic_ns()

    def note(kind, statement, values, sent, done, nothing):
        for key in keys:
            if key[0] == nothing[0]:
                txn.add(Op(kind, key, values.get(key, nothing[1]), statement, sent, done))

    connection.query("begin isolation level repeatable read")
    rows, *times = ask("select k, v from lists")
    note(READ, 0, {f"l{key}": as_list(value) for key, value in rows}, *times, ("l", ()))
    rows, *times = ask("select k, v from regs")
    note(GET, 1, {f"r{key}": int(value) for key, value in rows}, *times, ("r", None))
    for statement, sql in enumerate(("select g, id from items", "select g, id from items where g >= 0 order by g")):
        rows, *times = ask(sql)
        groups = {}
        for key, value in rows:
            groups.setdefault(f"s{key}", set()).add(int(value))
        note(SCAN, 2 + statement, {k: frozenset(v) for k, v in groups.items()}, *times, ("s", frozenset()))
    txn.commit_sent = time.monotonic_ns()
    connection.query("commit")
    txn.commit_done = time.monotonic_ns()
    return txn
