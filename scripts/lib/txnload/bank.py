"""Transfers between accounts: money is neither made nor lost, at any moment anybody looks."""
from histories.model import FAIL, INFO, OK, READ_COMMITTED

from .actor import Actor, Refused

ACCOUNTS = 12


class Bank(Actor):
    name = "bank"
    lock = " for update"  # what READ COMMITTED needs to write what it computed from what it read

    @staticmethod
    def schema(table):
        return [f"create table accounts_{table} (id int primary key, balance bigint not null)",
                f"create table transfers_{table} (id bigint primary key, source int, target int, amount bigint)",
                f"insert into accounts_{table} select i, 0 from generate_series(0, {ACCOUNTS - 1}) as g(i)"]

    def one(self):
        if self.chance.random() < 0.25:
            status, sums = yield from self.transaction(self._look)
            if status == OK:
                self.note("sums", sums)
            return
        self.source, self.target = self.chance.sample(range(ACCOUNTS), 2)
        self.amount = self.chance.randint(1, 100)
        body = self._by_update if self.chance.random() < 0.5 else self._by_reading
        status, _ = yield from self.transaction(body)
        self.note("transfer", status, self.tag)

    def _look(self):
        rows = yield from self.ask(f"select sum(balance) from accounts_{self.table}")
        sums = [int(rows[0][0])]
        if self.level != READ_COMMITTED:
            total = 0
            for account in range(ACCOUNTS):
                rows = yield from self.ask(f"select balance from accounts_{self.table} where id = {account}")
                total += int(rows[0][0])
            sums.append(total)
        return sums

    def _by_update(self):
        for account, amount in ((self.source, -self.amount), (self.target, self.amount)):
            yield from self.ask(
                f"update accounts_{self.table} set balance = balance + {amount} where id = {account}")
        yield from self._record()

    def _by_reading(self):
        lock = self.lock if self.level == READ_COMMITTED else ""
        for account, amount in ((self.source, -self.amount), (self.target, self.amount)):
            rows = yield from self.ask(f"select balance from accounts_{self.table} where id = {account}{lock}")
            balance = int(rows[0][0]) + amount
            yield from self.ask(f"update accounts_{self.table} set balance = {balance} where id = {account}")
        yield from self._record()

    def _record(self):
        yield from self.ask(f"insert into transfers_{self.table} values "
                            f"({self.tag}, {self.source}, {self.target}, {self.amount})")
        if self.chance.random() < 0.05:
            raise Refused

    @staticmethod
    def verify(connection, table, notes):
        problems = []
        wrong = [sums for kind, *sums in notes if kind == "sums" and any(sums[0])]
        if wrong:
            problems.append(f"a reader saw sums of {wrong[0]}, not 0 ({len(wrong)} such)")
        by_status = {status: {tag for kind, *rest in notes if kind == "transfer" and rest[0] == status
                              for tag in [rest[1]]} for status in (OK, FAIL, INFO)}
        balances = {int(i): int(b) for i, b in connection.query(f"select id, balance from accounts_{table}")}
        found = set()
        expected = dict.fromkeys(range(ACCOUNTS), 0)
        for tag, source, target, amount in connection.query(f"select * from transfers_{table}"):
            found.add(int(tag))
            expected[int(source)] -= int(amount)
            expected[int(target)] += int(amount)
        if balances != expected:
            problems.append(f"balances {balances} are not what the transfers make: {expected}")
        problems += compare("transfer", found, by_status)
        return problems


def compare(what, found, by_status):
    """What is there against what was acknowledged, refused and unknown."""
    problems = []
    for text, tags in (
            ("acknowledged and not there", by_status[OK] - found),
            ("failed and there", found & by_status[FAIL]),
            ("there and nobody's", found - by_status[OK] - by_status[FAIL] - by_status[INFO])):
        if tags:
            problems.append(f"{len(tags)} {what}(s) {text}, first {sorted(tags)[:3]}")
    return problems
