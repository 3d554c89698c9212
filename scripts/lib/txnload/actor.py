"""A client of the workloads with an invariant: transactions, their outcomes, and nothing hidden."""
import random

from histories.model import FAIL, INFO, OK

from .wire import ABORTS, Disconnected


class Failed(Exception):
    """A statement's error; the transaction is rolled back."""

    def __init__(self, answer):
        super().__init__(f"{answer.sqlstate} {answer.message}")
        self.sqlstate = answer.sqlstate


class Refused(Exception):
    """The body wants the transaction rolled back."""


class Actor:
    """`table` is a suffix: each level has tables of its own. `first`: transactions of earlier rounds."""

    name = ""
    expected_errors = frozenset()

    def __init__(self, round_, number, seed, level, table, first):
        self.round, self.number, self.level, self.table = round_, number, level, table
        self.chance = random.Random(f"{seed} {self.name} {level} {round_.number} {number}")
        self.count = first
        self.is_lost = False
        self.error = None

    @property
    def tag(self):
        """A number no other transaction of any round has."""
        return (self.number + 1) * 10_000_000 + self.count

    def note(self, *what):
        self.round.output.append((self.name, self.level, self.number, *what))

    def run(self):
        while True:
            self.count += 1
            yield from self.one()
            if self.is_lost or self.round.is_over():
                return

    def transaction(self, body):
        """Runs `body`, a generator function of this object, between BEGIN and COMMIT: (status, its result)."""
        self.prefix = f"begin isolation level {self.level}; "
        self.error = None
        sent_commit, result = False, None
        try:
            try:
                result = yield from body()
            except Failed as error:
                self.error = error.sqlstate
                if error.sqlstate not in ABORTS and error.sqlstate not in self.expected_errors:
                    self.round.problems.append(f"{self.name} at {self.level}: {error}")
                yield ["rollback"]
                return FAIL, None
            except Refused:
                yield ["rollback"]
                return FAIL, None
            sent_commit = True
            answer, = yield ["commit"]
        except Disconnected:
            self.is_lost = True
            return (INFO if sent_commit else FAIL), result
        if answer.sqlstate is None and answer.tag == "COMMIT":
            return OK, result
        if answer.sqlstate not in ABORTS:
            self.round.problems.append(
                f"{self.name} at {self.level}: commit: {answer.tag} {answer.sqlstate} {answer.message}")
            return INFO, result
        return FAIL, result

    def single(self, sql):
        """One statement by itself: (status, answer)."""
        self.error = None
        try:
            answer, = yield [sql]
        except Disconnected:
            self.is_lost = True
            return INFO, None
        if answer.sqlstate is None:
            return OK, answer
        self.error = answer.sqlstate
        if answer.sqlstate not in ABORTS and answer.sqlstate not in self.expected_errors:
            self.round.problems.append(f"{self.name}: {sql}: {answer.sqlstate} {answer.message}")
        return FAIL, None

    def ask(self, sql):
        """A statement of the transaction: its last result's rows. Raises Failed."""
        text, self.prefix = self.prefix + sql, ""
        answer, = yield [text]
        if answer.sqlstate is not None:
            raise Failed(answer)
        self.answer = answer
        return answer.rows
