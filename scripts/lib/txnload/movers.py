"""Rows whose keys change under those who update them: a statement that waited follows its row.

Each row is found by `tag`, which never changes, while others move its primary key, its unique key and an indexed
column. So every update by tag hits exactly one row, at whatever key it is by then.
"""
from collections import Counter as Tally

from histories.model import INFO, OK, READ_COMMITTED

from .actor import Actor

TAGS, APART = 4, 10_000_000
COLUMNS = ("id", "u", "s", "n")


class Movers(Actor):
    name = "movers"

    @staticmethod
    def schema(table):
        return [f"create table movers_{table} (id int primary key, u int not null unique, s int not null, "
                "n bigint not null, tag int not null)",
                f"create index movers_{table}_s on movers_{table} (s)",
                f"create index movers_{table}_tag on movers_{table} (tag)",
                f"insert into movers_{table} select i * {APART}, i * {APART}, i * {APART}, 0, i "
                f"from generate_series(1, {TAGS}) as g(i)"]

    def one(self):
        self.tag_of_row = self.chance.randint(1, TAGS)
        self.columns = self.chance.choice((("n",), ("n",), ("id",), ("u",), ("s",), ("id", "u", "s", "n")))
        sql = self._sql()
        if self.level == READ_COMMITTED and self.chance.random() < 0.5:
            status, answer = yield from self.single(sql)
            if status == OK and answer.tag != "UPDATE 1":
                self.round.problems.append(f"movers: {sql}: {answer.tag}")
        else:
            status, _ = yield from self.transaction(self._move)
        if self.level == READ_COMMITTED and self.error is not None:
            self.round.problems.append(f"movers: {sql}: {self.error} at READ COMMITTED")
        self.note(status, self.tag_of_row, self.columns)

    def _sql(self):
        changes = ", ".join(f"{column} = {column} + 1" for column in self.columns)
        return f"update movers_{self.table} set {changes} where tag = {self.tag_of_row}"

    def _move(self):
        yield from self.ask(self._sql())
        if self.answer.tag != "UPDATE 1":
            self.round.problems.append(f"movers at {self.level}: {self._sql()}: {self.answer.tag}")

    @staticmethod
    def verify(connection, table, notes):
        problems = []
        sure, unsure = Tally(), Tally()
        for status, tag, columns in notes:
            for column in columns:
                sure[(tag, column)] += status == OK
                unsure[(tag, column)] += status == INFO
        rows = connection.query(f"select tag, {', '.join(COLUMNS)} from movers_{table}")
        if sorted(int(row[0]) for row in rows) != list(range(1, TAGS + 1)):
            return [f"the rows are {rows}, one of each tag was there"]
        for row in rows:
            tag, *values = map(int, row)
            for column, value in zip(COLUMNS, values):
                moved = value - (0 if column == "n" else tag * APART)
                low, high = sure[(tag, column)], sure[(tag, column)] + unsure[(tag, column)]
                if not low <= moved <= high:
                    problems.append(f"{column} of tag {tag} was raised {low} to {high} times and stands at {moved}")
            for column, value in zip(("id", "u", "s"), values):  # the same row through each index
                found = connection.query(f"select tag from movers_{table} where {column} = {value}")
                if found != [[str(tag)]]:
                    problems.append(f"{column} = {value} finds {found}, not tag {tag}")
        for column in ("id", "u", "s"):
            count = connection.query(f"select count(*) from (select {column} from movers_{table} "
                                     f"where {column} > 0 order by {column}) as q")[0][0]
            if int(count) != TAGS:
                problems.append(f"{count} rows by {column}, not {TAGS}")
        return problems
