"""Many sessions hold large transactions, sorts and hash tables at once: the server stays within its
memory budget, refuses what would go beyond with 53200, and has everything back at the end.
"""
import os
import random
import re
import threading
import time
import urllib.request

from falconserver import Server
from pgclient import Disconnected, ServerError

SESSIONS = 12
# What sessions have taken from the budget; beside them only the engine's own users.
GIVEN_BACK = ("transactions", "locks", "queries")


class Session(threading.Thread):
    """One client that asks for more than its share until it is told to stop."""

    def __init__(self, server, number, seed, until):
        super().__init__()
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
        except (ServerError, Disconnected, OSError) as error:
            self.problem = f"session {self.number}: {error}"

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
    with urllib.request.urlopen(f"http://127.0.0.1:{server.admin_port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {name: int(value)
            for name, value in re.findall(r'^falcon_memory_bytes\{user="(\w+)"\} (\d+)', text, re.M)}


def check(binary, scratch, budget, seconds, seed, anonymous):
    """A list of problems; none: it held. Prints one line."""
    config = os.path.join(scratch, "falcondb.toml")
    with open(config, "w") as file:
        file.write(f'[storage]\nmemory_budget = {budget}\ndurability = "written"\n')
    server = Server(os.path.join(binary, "falcondb"), os.path.join(scratch, "server"),
                    os.path.join(scratch, "server.log"), ["--config", config])
    server.start()
    problems, peak = [], 0
    try:
        idle_sessions = [server.connect() for _ in range(SESSIONS)]
        for connection in idle_sessions:
            connection.query("SELECT 1")
            connection.close()
        idle = anonymous(server.process.pid)
        limit = int(1.1 * budget) + idle
        until = time.monotonic() + seconds
        sessions = [Session(server, number, seed, until) for number in range(SESSIONS)]
        for session in sessions:
            session.start()
        while any(session.is_alive() for session in sessions):
            peak = max(peak, anonymous(server.process.pid))
            time.sleep(0.02)  # sampling
        problems += [session.problem for session in sessions if session.problem]
        done, refused = (sum(s.done for s in sessions), sum(s.refused for s in sessions))
        if peak > limit:
            problems.append(f"RssAnon rises to {peak >> 20} MiB, the limit is {limit >> 20}")
        if not done or not refused:
            problems.append(f"{done} statements were served and {refused} refused: not a test")
        deadline = time.monotonic() + 30
        while True:
            left = {name: used for name, used in users(server).items() if name in GIVEN_BACK and used}
            if not left or time.monotonic() > deadline:
                break
            time.sleep(0.05)  # sessions end behind their clients' backs
        if left:
            problems.append(f"not given back: {left}")
        print(f"{'sessions':20} peak {peak >> 20:5} MiB, {100 * peak / budget:5.1f} % of the budget, idle "
              f"{idle >> 20} MiB, {done} statements served, {refused} refused: "
              f"{'within' if not problems else 'FAILED'}", flush=True)
    finally:
        server.stop()
    return problems
