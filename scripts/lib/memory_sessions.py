"""Many sessions hold large transactions, sorts and hash tables at once: the server stays within its
memory budget, refuses what would go beyond with 53200, and has everything back at the end.
"""
import os
import random
import re
import threading
import time

from falconserver import Server
from pgclient import ServerError

SESSIONS = 12
#: How long the last statements may take once no new ones are begun, in seconds.
PATIENCE = 120
# What sessions have taken from the budget; beside them only the engine's own users.
GIVEN_BACK = ("transactions", "locks", "queries")


class Session(threading.Thread):
    """One client that asks for more than its share until it is told to stop."""

    def __init__(self, server, number, seed, until):
        super().__init__(daemon=True)
        self.server, self.number, self.until = server, number, until
        self.random = random.Random(seed * 1000 + number)
        self.done = self.refused = 0
        self.problem = None

    def run(self):
        try:
            connection = self.server.connect()
            connection.query(f"CREATE TABLE held{self.number} (a int PRIMARY KEY, b text)")
            while time.monotonic() < self.until:
                self.turn(connection)
            connection.close()
        except Exception as error:  # load reports it: a thread's exception would be lost
            self.problem = f"session {self.number}: {error!r}"

    def turn(self, connection):
        statements = [self.insert, self.sort, self.group, self.join, self.lock]
        connection.query("BEGIN")
        try:
            for _ in range(1 + self.random.randrange(4)):
                connection.query(self.random.choice(statements)())
                self.done += 1
            connection.query(self.random.choice(["COMMIT", "ROLLBACK"]))
        except ServerError as error:
            connection.query("ROLLBACK")
            if error.sqlstate != "53200":
                raise
            self.refused += 1
        if self.random.randrange(4) == 0:
            connection.query(f"TRUNCATE held{self.number}")

    def rows(self, largest):
        """Rows of 1000 bytes that no codec makes smaller than a third."""
        count = 1000 + self.random.randrange(largest)
        start = self.random.randrange(1 << 30)
        return (f"SELECT {start} + i AS i, repeat(md5(i::text), 31) AS b "
                f"FROM generate_series(1, {count}) AS i")

    def insert(self):
        return (f"INSERT INTO held{self.number} {self.rows(50000)} ON CONFLICT DO NOTHING")

    def sort(self):
        return f"SELECT count(*) FROM (SELECT * FROM ({self.rows(60000)}) AS r ORDER BY b DESC) AS s"

    def group(self):
        return f"SELECT count(*) FROM (SELECT b, count(*) FROM ({self.rows(40000)}) AS r GROUP BY b) AS s"

    def join(self):
        return (f"SELECT count(*) FROM ({self.rows(30000)}) AS r "
                f"JOIN ({self.rows(30000)}) AS q ON r.b = q.b")

    def lock(self):
        return f"SELECT count(*) FROM (SELECT a FROM held{self.number} FOR UPDATE) AS l"


def users(server):
    """Bytes by user of the budget, from /metrics."""
    found = {name: int(value) for name, value in re.findall(
        r'^falcon_memory_bytes\{user="(\w+)"\} (\d+)', server.page("/metrics"), re.M)}
    if missing := set(GIVEN_BACK) - set(found):
        raise RuntimeError(f"/metrics has no falcon_memory_bytes of {missing}")
    return found


def check(binary, scratch, budget, seconds, seed, anonymous):
    """The problems. Prints one line."""
    config = os.path.join(scratch, "falcondb.toml")
    with open(config, "w") as file:
        file.write(f'[storage]\nmemory_budget = {budget}\ndurability = "written"\n')
    with Server(os.path.join(binary, "falcondb"), os.path.join(scratch, "server"),
                os.path.join(scratch, "server.log"), ["--config", config]) as server:
        server.start()
        problems, line = load(server, budget, seconds, seed, anonymous)
        if why := server.ended_with():
            problems.append(why)
        else:
            problems += [f"not given back: {left}" for left in [kept(server)] if left]
            if server.stop() != 0:
                problems.append(f"SIGTERM ended the server with {server.process.returncode}: {server.tail()}")
    print(f"{line}: {'FAILED' if problems else 'within'}", flush=True)
    return problems


def load(server, budget, seconds, seed, anonymous):
    """(problems, what to print) of the sessions, all at once."""
    for connection in [server.connect() for _ in range(SESSIONS)]:
        connection.query("SELECT 1")
        connection.close()
    idle = anonymous(server.process.pid)
    limit, peak = int(1.1 * budget) + idle, 0
    until = time.monotonic() + seconds
    sessions = [Session(server, number, seed, until) for number in range(SESSIONS)]
    for session in sessions:
        session.start()
    while any(session.is_alive() for session in sessions) and time.monotonic() < until + PATIENCE:
        peak = max(peak, anonymous(server.process.pid))
        time.sleep(0.02)  # sampling
    problems = [session.problem for session in sessions if session.problem]
    problems += [f"session {session.number} had no answer for {PATIENCE} s" for session in sessions
                 if session.is_alive()]
    done, refused = (sum(s.done for s in sessions), sum(s.refused for s in sessions))
    if peak > limit:
        problems.append(f"the server's RssAnon rises to {peak >> 20} MiB, the limit is {limit >> 20}")
    if done < SESSIONS or not refused:
        problems.append(f"{done} statements were served and {refused} refused: not a test")
    return problems, (f"{'sessions':20} peak {peak >> 20:5} MiB, {100 * peak / budget:5.1f} % of the budget, "
                      f"idle {idle >> 20} MiB, {done} statements served, {refused} refused")


def kept(server):
    """What sessions took and have not given back: they end behind their clients' backs."""
    deadline = time.monotonic() + 30
    while True:
        left = {name: used for name, used in users(server).items() if name in GIVEN_BACK and used}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)  # polling a server that has no other way to say it
