"""n = n + 1 from many sessions: the final count is the number of acknowledgements."""
from histories.model import INFO, OK, READ_COMMITTED

from .actor import Actor


class Counter(Actor):
    name = "counter"

    @staticmethod
    def schema(table):
        return [f"create table counter_{table} (id int primary key, n bigint not null)",
                f"insert into counter_{table} values (1, 0)"]

    def one(self):
        sql = f"update counter_{self.table} set n = n + 1 where id = 1 returning n"
        if self.level == READ_COMMITTED and self.chance.random() < 0.5:
            status, answer = yield from self.single(sql)
            value = answer.rows[0][0] if answer else None
        else:
            status, value = yield from self.transaction(self._increment)
        if self.level == READ_COMMITTED and self.error is not None:
            self.round.problems.append(f"counter: n = n + 1 at READ COMMITTED failed with {self.error}")
        self.note(status, value)

    def _increment(self):
        rows = yield from self.ask(f"update counter_{self.table} set n = n + 1 where id = 1 returning n")
        return rows[0][0]

    @staticmethod
    def verify(connection, table, notes):
        acknowledged = [int(value) for status, value in notes if status == OK]
        unknown = sum(status == INFO for status, _ in notes)
        n = int(connection.query(f"select n from counter_{table} where id = 1")[0][0])
        problems = []
        if not len(acknowledged) <= n <= len(acknowledged) + unknown:
            problems.append(f"n is {n} after {len(acknowledged)} acknowledgements and {unknown} unknown")
        if len(set(acknowledged)) != len(acknowledged):
            problems.append("two increments returned the same n")
        return problems
