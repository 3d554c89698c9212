"""Doctors on call: of each shift one must stay. Two that leave at once, each seeing the other, are write skew.

Below SERIALIZABLE the rows are locked as they are read, which every level must honour; at SERIALIZABLE
`is_locking = False` leaves it to the level.
"""
from histories.model import OK

from .actor import Actor

SHIFTS, DOCTORS = 4, 3


class Skew(Actor):
    name = "skew"
    is_locking = True

    @staticmethod
    def schema(table):
        return [f"create table doctors_{table} (shift int, id int, on_call boolean not null, "
                "primary key (shift, id))",
                f"insert into doctors_{table} select s, d, true from generate_series(1, {SHIFTS}) as g(s), "
                f"generate_series(1, {DOCTORS}) as h(d)"]

    def one(self):
        self.shift = self.chance.randint(1, SHIFTS)
        look = self.chance.random() < 0.2
        status, counts = yield from self.transaction(self._count if look else self._change)
        if look and status == OK:
            self.note("count", counts)
        elif not look:
            self.note("change", status)

    def _count(self):
        rows = yield from self.ask(
            f"select shift, count(*) from doctors_{self.table} where on_call group by shift")
        return {int(shift): int(count) for shift, count in rows}

    def _change(self):
        lock = " order by id for update" if self.is_locking else ""
        rows = yield from self.ask(
            f"select id from doctors_{self.table} where shift = {self.shift} and on_call{lock}")
        ids = [int(row[0]) for row in rows]
        if len(ids) >= 2:
            one, to = self.chance.choice(ids), "false"
        else:
            one, to = self.chance.choice([d for d in range(1, DOCTORS + 1) if d not in ids]), "true"
        yield from self.ask(f"update doctors_{self.table} set on_call = {to} "
                            f"where shift = {self.shift} and id = {one}")

    @staticmethod
    def verify(connection, table, notes):
        problems = []
        for kind, *rest in notes:
            if kind == "count" and len(rest[0]) < SHIFTS:
                problems.append(f"a reader saw shifts without a doctor: {rest[0]}")
                break
        rows = connection.query(f"select shift, count(*) from doctors_{table} where on_call group by shift")
        if len(rows) < SHIFTS:
            problems.append(f"shifts without a doctor: {rows}")
        return problems


class SerialSkew(Skew):
    """The same, left to SERIALIZABLE."""

    name = "serial-skew"
    is_locking = False
