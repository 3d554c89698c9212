"""SIGKILL while consumers poll replication slots: no gap, and nothing twice.

One writer inserts rows with rising ids, two consumers read them, each from a slot of its own:

- by peek, then advance: what comes again is what no answered advance was behind;
- by get: no row comes again; those of a call that the kill cut off are gone, and no others.

What was given is committed, and comes in the order of the commits. A crash does not count as distance.
"""
import json
import os
import random
import threading
import time

from falconserver import Server
from pgclient import Disconnected, ServerError


class Writer(threading.Thread):
    """Inserts rows until the server is killed."""

    def __init__(self, server, last, seed):
        super().__init__(daemon=True)
        self.server, self.last, self.problem = server, last, None
        self.random = random.Random(seed)

    def run(self):
        try:
            connection = self.server.connect(user="postgres")
            while True:
                count = self.random.choice((1, 1, 2, 5, 40))
                first, self.last = self.last + 1, self.last + count
                connection.query(f"insert into given select i, repeat('v', {self.random.randrange(300)}) "
                                 f"from generate_series({first}, {self.last}) as g(i)")
                if self.random.random() < 0.01:
                    connection.query("select pg_switch_wal()")
        except Disconnected:
            pass
        except Exception as error:  # reported by the run, which fails
            self.problem = f"the writer at {self.last}: {error!r}"


class Consumer:
    """What a slot's consumer keeps for itself, and what it found wrong."""

    def __init__(self, slot):
        self.slot, self.ids, self.cut, self.problems = slot, [], [], []
        self.calls = 0

    def poll(self, server, seed, until_empty=False):
        """Until the server is killed, or until there is nothing more."""
        chance = random.Random(seed)
        try:
            connection = server.connect(user="postgres")
            while self.turn(connection, chance.choice(("NULL", "1", "10", "100"))) or not until_empty:
                self.calls += 1
        except Disconnected:
            if until_empty:
                self.problems.append("the connection was lost")
        except (ServerError, ValueError, KeyError) as error:
            self.problems.append(repr(error))

    def lines(self, connection, function, limit):
        """Rows' ids, and the end of the last transaction."""
        ids, end = [], None
        for lsn, data in connection.query(
                f"select lsn, data from {function}('{self.slot}', NULL, {limit})"):
            event, end = json.loads(data), lsn
            if event.get("op") == "insert" and "id" in event.get("after", {}):
                ids.append(int(event["after"]["id"]))
        return ids, end

    def take(self, ids):
        for number in ids:
            if self.ids and number <= self.ids[-1]:
                self.problems.append(f"{number} came after {self.ids[-1]}")
            self.ids.append(number)


class Peeker(Consumer):
    confirmed = 0

    def turn(self, connection, limit):
        ids, end = self.lines(connection, "pg_logical_slot_peek_changes", limit)
        if end is None:
            return False
        again = [number for number in ids if self.ids and number <= self.ids[-1]]
        if again and again[0] <= self.confirmed:
            self.problems.append(f"{again[0]} came again, and the slot was advanced behind {self.confirmed}")
        if again and self.ids[-len(again):] != again and again != [n for n in self.ids if n >= again[0]][:len(again)]:
            self.problems.append(f"from {again[0]} on it is not what came before")
        self.take(ids[len(again):])
        connection.query(f"select pg_replication_slot_advance('{self.slot}', '{end}')")
        if ids:
            self.confirmed = ids[-1]
        return True


class Getter(Consumer):
    def turn(self, connection, limit):
        try:
            ids, end = self.lines(connection, "pg_logical_slot_get_changes", limit)
        except Disconnected:
            # Behind the last row that came: the call's own may be gone.
            self.cut.append(self.ids[-1] if self.ids else 0)
            raise
        self.take(ids)
        return end is not None


def compare(consumer, committed):
    """Problems between what a consumer was given and what was committed."""
    problems = [f"slot {consumer.slot}: {problem}" for problem in consumer.problems]
    given = set(consumer.ids)
    if extra := sorted(given - committed):
        problems.append(f"slot {consumer.slot} gave {extra[:3]}, which are not there")
    following = dict(zip([0] + consumer.ids, consumer.ids + [None]))
    for last in set(consumer.cut):
        # All that one answer could hold: up to the next row that came.
        until = following.get(last)
        given |= {number for number in committed if number > last and (until is None or number < until)}
    if missing := sorted(committed - given):
        problems.append(f"slot {consumer.slot} lacks {len(missing)} rows, first {missing[:3]}")
    return problems


def cycle(server, consumers, last, chance):
    """One life of the server. Returns the last id written, and problems."""
    writer = Writer(server, last, chance.randrange(1 << 32))
    threads = [writer] + [
        threading.Thread(target=consumer.poll, args=(server, chance.randrange(1 << 32)), daemon=True)
        for consumer in consumers]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.02, 0.5))  # how long the load runs, not a synchronisation
    server.kill()
    for thread in threads:
        thread.join(60)
    problems = ["a thread does not end" for thread in threads if thread.is_alive()]
    problems += [writer.problem] if writer.problem else []
    problems += [f"slot {c.slot}: {problem}" for c in consumers for problem in c.problems]
    server.start()
    return writer.last, problems


def run(bin_dir, scratch, kills, seed):
    """Problems found in so many kills."""
    print(f"soak slots: seed {seed}, {kills} kills", flush=True)
    chance = random.Random(seed)
    consumers = [Peeker("peeked"), Getter("got")]
    path = os.path.join(scratch, "slots")
    with Server(os.path.join(bin_dir, "falcondb"), path, path + ".log") as server:
        server.start()
        connection = server.connect(user="postgres")
        connection.query("create table given (id int primary key, filler text)")
        for consumer in consumers:
            connection.query(f"select pg_create_logical_replication_slot('{consumer.slot}', 'falcon')")
        connection.close()
        last = 0
        for number in range(1, kills + 1):
            last, problems = cycle(server, consumers, last, chance)
            if problems:
                return [f"kill {number}: {problem}" for problem in problems]
        for consumer in consumers:
            consumer.poll(server, chance.randrange(1 << 32), until_empty=True)
        connection = server.connect(user="postgres")
        committed = {int(row[0]) for row in connection.query("select id from given")}
        problems = [problem for consumer in consumers for problem in compare(consumer, committed)]
        for name, behind in connection.query("select name, behind_bytes from falcon.cdc_slots"):
            if int(behind) >= 8 << 20:
                problems.append(f"slot {name} has been read to its end and is {behind} bytes behind")
        if not committed or not all(consumer.ids for consumer in consumers):
            problems.append("nothing was given, so nothing was proved")
        if server.stop() != 0:
            problems.append("SIGTERM did not end the server cleanly")
    print(f"soak slots: {len(committed)} rows, "
          + ", ".join(f"{c.slot} {len(c.ids)} in {c.calls} calls" for c in consumers)
          + f", {len(problems)} problem(s)", flush=True)
    return problems
