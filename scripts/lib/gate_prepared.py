"""Two-phase commit on real processes.

invisible   what is prepared stays invisible and locked through kill -9, until it is decided
converge    transfers between two servers whose coordinator dies with both of them: after the restart
            in_doubt_command ends every prepared transaction on both sides as the coordinator's log says
"""
import os
import sys
import threading
import time

import gatekit
from falconserver import Server
from pgclient import Disconnected, ServerError

ACCOUNTS, MONEY = 20, 1000


def fail(what):
    sys.exit(f"prepared: {what}")


def refused(connection, sql):
    try:
        connection.query(sql)
        return None
    except ServerError as error:
        return error.sqlstate


def restarted(server, draws):
    """The same server, or one that was killed and started again."""
    if draws.random() < 0.6:
        server.kill()
        server.start()


def invisible(server, draws, rounds):
    session = server.connect()
    session.query("CREATE TABLE t (id int PRIMARY KEY, n int)")
    session.query("INSERT INTO t SELECT i, i FROM generate_series(1, 10) i")
    model = {i: i for i in range(1, 11)}
    for number in range(rounds):
        added, changed, gone = 100 + number, draws.randint(1, 5), draws.randint(6, 10)
        session = server.connect()
        session.query("BEGIN")
        session.query(f"INSERT INTO t VALUES ({added}, 0)")
        session.query(f"UPDATE t SET n = n + 1 WHERE id = {changed}")
        session.query(f"DELETE FROM t WHERE id = {gone}")
        session.query(f"PREPARE TRANSACTION 'round {number}'")
        restarted(server, draws)
        seen = server.connect()
        for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"):
            seen.query(f"BEGIN ISOLATION LEVEL {level}")
            found = {int(i): int(n) for i, n in seen.query("SELECT id, n FROM t")}
            seen.query("COMMIT")
            if found != model:
                fail(f"round {number}: {level} sees {found}, not {model}")
        seen.query("SET lock_timeout = '20ms'")
        if (state := refused(seen, f"UPDATE t SET n = 0 WHERE id = {changed}")) != "55P03":
            fail(f"round {number}: a prepared row is not locked ({state})")
        if (state := refused(seen, f"UPDATE t SET n = 0 WHERE id = {gone}")) != "55P03":
            fail(f"round {number}: a row whose deletion is prepared is not locked ({state})")
        if (state := refused(seen, f"INSERT INTO t VALUES ({added}, 9)")) != "55P03":
            fail(f"round {number}: a prepared key is not locked ({state})")
        commits = draws.random() < 0.5
        seen.query(f"{'COMMIT' if commits else 'ROLLBACK'} PREPARED 'round {number}'")
        if commits:
            model[added] = 0
            model[changed] += 1
            model.pop(gone, None)
        restarted(server, draws)
        after = server.connect()
        found = {int(i): int(n) for i, n in after.query("SELECT id, n FROM t")}
        if found != model:
            fail(f"round {number}: after the decision {found}, not {model}")
        if gone not in model:
            after.query(f"INSERT INTO t VALUES ({gone}, {gone})")
            model[gone] = gone
    print(f"invisible: {rounds} prepared transactions, each invisible and locked until its decision")


class Coordinator:
    """Transfers money between two servers, and writes down what it decided before it tells them."""

    def __init__(self, servers, log_path, draws):
        self.servers, self.log_path = servers, log_path
        self.lock, self.number = threading.Lock(), 0
        self.log = open(log_path, "a")
        self.draws, self.failure = draws, None

    def name(self):
        with self.lock:
            self.number += 1
            return f"transfer-{self.number}", self.draws.random() < 0.8, self.draws.randint(1, 9)

    def decide(self, gid):
        with self.lock:
            self.log.write(f"commit {gid}\n")
            self.log.flush()
            os.fsync(self.log.fileno())

    def transfer(self, connections, account):
        gid, commits, amount = self.name()
        for connection, sign in zip(connections, (-1, 1)):
            connection.query("BEGIN")
            connection.query(f"UPDATE accounts SET n = n + {sign * amount} WHERE id = {account}")
            connection.query(f"INSERT INTO done VALUES ('{gid}')")
            connection.query(f"PREPARE TRANSACTION '{gid}'")
        if commits:
            self.decide(gid)
        for connection in connections:
            connection.query(f"{'COMMIT' if commits else 'ROLLBACK'} PREPARED '{gid}'")

    def work(self, account):
        """Until the servers go."""
        try:
            connections = [server.connect() for server in self.servers]
            while True:
                self.transfer(connections, account)
        except Disconnected:
            return
        except Exception as error:  # converge fails with it: a thread's exception would be lost
            self.failure = error


def in_doubt(servers):
    """The names of the prepared transactions, of each server's."""
    return [gid for server in servers for gid, in server.connect().query("SELECT gid FROM pg_prepared_xacts")]


def decided(log_path):
    """The names of the transfers that the coordinator's log commits."""
    with open(log_path) as log:
        return {line.split()[1] for line in log}


def converge(servers, draws, log_path, down_path, rounds, limit):
    for server in servers:
        session = server.connect()
        session.query("CREATE TABLE accounts (id int PRIMARY KEY, n int)")
        session.query(f"INSERT INTO accounts SELECT i, {MONEY} FROM generate_series(1, {ACCOUNTS}) i")
        session.query("CREATE TABLE done (gid text PRIMARY KEY)")
    coordinator = Coordinator(servers, log_path, draws)
    tried = {"commit": 0, "rollback": 0}
    for number in range(rounds):
        # Accounts of their own: what is in doubt keeps its row locked.
        threads = [threading.Thread(target=coordinator.work, args=(account,))
                   for account in range(1, 9)]
        for thread in threads:
            thread.start()
        time.sleep(0.2 + draws.random() * 0.8)  # a random moment to be killed at
        is_lost = not all(thread.is_alive() for thread in threads)
        for server in servers:
            server.kill()
        for thread in threads:
            thread.join(60)
            if thread.is_alive():
                fail("a client of a killed server goes on")
        if coordinator.failure:
            fail(f"a transfer failed: {coordinator.failure!r}")
        if is_lost:
            fail(f"round {number}: a client lost its connection before the kill")
        for server in servers:
            server.start()
        found, commits = in_doubt(servers), decided(log_path)
        for gid in found:
            tried["commit" if gid in commits else "rollback"] += 1
        open(down_path, "w").close()
        deadline = time.monotonic() + limit
        while in_doubt(servers):
            if time.monotonic() > deadline:
                fail(f"round {number}: transactions are in doubt {limit} s after the restart")
            time.sleep(0.05)  # the resolver has no other way to say it is done
        os.remove(down_path)
        check_agreement(servers, log_path, number)
        print(f"converge: round {number}: {len(found)} in doubt, all decided", flush=True)
    if not all(tried.values()):
        fail(f"not both decisions were tried: {tried}")
    print(f"converge: in doubt and decided so: {tried}")


def check_agreement(servers, log_path, number):
    committed, money = decided(log_path), 0
    for server in servers:
        session = server.connect()
        money += int(session.query("SELECT sum(n) FROM accounts")[0][0])
        done = {gid for gid, in session.query("SELECT gid FROM done")}
        if done != committed:
            fail(f"round {number}: {len(committed - done)} decided transfers are missing, "
                 f"{len(done - committed)} undecided ones are there")
    if money != 2 * ACCOUNTS * MONEY:
        fail(f"round {number}: {2 * ACCOUNTS * MONEY} became {money}")


def main():
    options, draws = gatekit.options("prepared", __doc__, rounds=10, kills=4, limit=60)
    binary = os.path.join(options.bin, "falcondb")
    with gatekit.scratch() as scratch:
        def path(name):
            return os.path.join(scratch, name)

        config, log_path, down_path = path("config.toml"), path("decisions"), path("down")
        with open(config, "w") as file:
            # The coordinator's log decides once the coordinator is gone: what it does not name was never
            # decided.
            file.write("[sql]\nin_doubt_after = \"100ms\"\nin_doubt_rate = 100\n"
                       f"in_doubt_command = '''[ -e {down_path} ] || {{ echo undecided; exit; }}; "
                       f"grep -qx \"commit $FALCON_GID\" {log_path} && echo commit || echo rollback'''\n")
        servers = [Server(binary, path(f"data{i}"), path(f"log{i}"), ("--config", config)) for i in range(2)]
        alone = Server(binary, path("data"), path("log"))
        with alone, servers[0], servers[1]:
            invisible(alone.start(), draws, options.rounds)
            for server in servers:
                server.start()
            converge(servers, draws, log_path, down_path, options.kills, options.limit)
            for server in (alone, *servers):
                if (status := server.stop()) != 0:
                    fail(f"SIGTERM ended a server with {status}: {server.tail()}")


if __name__ == "__main__":
    main()
