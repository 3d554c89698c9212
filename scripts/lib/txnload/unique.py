"""Many sessions insert the same keys: each has one owner, and nobody is refused for the sake of nobody."""
from collections import defaultdict

from histories.model import FAIL, INFO, OK

from .actor import Actor, Refused
from .bank import compare


class Unique(Actor):
    name = "unique"
    expected_errors = frozenset({"23505"})

    @staticmethod
    def schema(table):
        return [f"create table owners_{table} (a int primary key, b int not null unique, owner bigint not null)"]

    def one(self):
        self.key = self.count // 2 + self.chance.randint(0, 2)
        # By the primary key, or by the second unique index alone.
        self.first = self.key if self.chance.random() < 0.5 else self.tag % 1_000_000_007 + 1_000_000
        self.quietly = self.chance.random() < 0.3
        status, refused = yield from self.transaction(self._insert)
        if refused or self.error == "23505":
            self.note("refused", self.first, self.key)
        else:
            self.note(status, self.tag, self.error)

    def _insert(self):
        quietly = " on conflict do nothing" if self.quietly else ""
        yield from self.ask(f"insert into owners_{self.table} values ({self.first}, {self.key}, {self.tag}){quietly}")
        if self.answer.results[-1][0] == "INSERT 0 0":
            return True
        if self.chance.random() < 0.2:
            raise Refused
        return False

    @staticmethod
    def verify(connection, table, notes):
        rows = [tuple(map(int, row)) for row in connection.query(f"select a, b, owner from owners_{table}")]
        problems = []
        for place, name in ((0, "a"), (1, "b")):
            if len({row[place] for row in rows}) != len(rows):
                problems.append(f"unique column {name} has a value twice")
        for column in "ab":  # the same through each index
            count = connection.query(f"select count({column}) from owners_{table} where {column} >= 0")[0][0]
            if int(count) != len(rows):
                problems.append(f"{count} rows by {column}, {len(rows)} in all")
        by_status = defaultdict(set)
        taken = {("a", row[0]) for row in rows} | {("b", row[1]) for row in rows}
        for status, *rest in notes:
            if status == "refused":
                if ("a", rest[0]) not in taken and ("b", rest[1]) not in taken:
                    problems.append(f"{rest} was refused as a duplicate, and there is none")
            else:
                by_status[status].add(rest[0])
        for status in (OK, FAIL, INFO):
            by_status.setdefault(status, set())
        return problems + compare("row", {row[2] for row in rows}, by_status)
