"""SIGKILL under load: every acknowledged transaction whole, no definitely failed one, each unknown
one whole or absent; the four tools on every dead directory.

Each client keeps a ledger outside the server. A transaction is *acknowledged* when its COMMIT's
answer arrived, *failed* when an error came before COMMIT was sent, *unknown* otherwise. A transaction
`(client, seq)` writes two rows of `entries` and moves an amount between two rows of `accounts`, so
that a torn one shows both as a single row and as a sum other than zero.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time

import gatekit
import soak_slots
from falconserver import Ended, Server
from pgclient import Disconnected, ServerError

ACCOUNTS = 64
# Exit codes of the tools that a killed, undamaged directory may give: clean, or a torn tail.
HEALTHY = {gatekit.CLEAN, gatekit.BENIGN}


class Ledger:
    def __init__(self):
        self.acknowledged, self.failed, self.unknown = set(), set(), set()


class Client(threading.Thread):
    def __init__(self, server, number, ledger, start_seq, seed):
        super().__init__(daemon=True)
        self.server, self.number, self.ledger, self.seq = server, number, ledger, start_seq
        self.random = random.Random(seed)
        self.problem = None

    def run(self):
        try:
            connection = self.server.connect()
            while True:
                self.seq += 1
                self.transaction(connection, self.seq)
        except Disconnected:
            pass
        except Exception as error:  # reported by the cycle, which fails
            self.problem = f"client {self.number}, seq {self.seq}: {error!r}"

    def transaction(self, connection, seq):
        a, b = self.random.sample(range(ACCOUNTS), 2)
        amount = self.random.randint(1, 1000)
        fails = self.random.random() < 0.05
        body = [
            f"insert into entries values ({self.number}, {seq}, 1, {amount})",
            f"update accounts set balance = balance - {amount} where id = {min(a, b)}",
            f"update accounts set balance = balance + {amount} where id = {max(a, b)}",
            f"insert into entries values ({self.number}, {seq}, 2, {-amount})",
        ]
        if fails:  # a duplicate key: the error arrives before COMMIT is sent
            body.append(f"insert into entries values ({self.number}, {seq}, 1, 0)")
        key = (self.number, seq)
        sent_commit = False
        try:
            if not fails and self.random.random() < 0.3:
                # One implicit transaction of several statements: its commit is in the same message.
                sent_commit = True
                connection.query("; ".join(body))
            else:
                connection.query("begin")
                for statement in body:
                    connection.query(statement)
                sent_commit = True
                connection.query("commit")
            self.ledger.acknowledged.add(key)
        except Disconnected:
            (self.ledger.unknown if sent_commit else self.ledger.failed).add(key)
            raise
        except ServerError as error:
            if sent_commit:
                self.ledger.unknown.add(key)
                raise
            self.ledger.failed.add(key)
            if not (fails and error.sqlstate == "23505") and error.sqlstate != "40P01":
                raise
            connection.query("rollback")


def check(connection, ledger):
    """Problems between the server's state and the ledger."""
    counts = {}
    for client, seq, count, total in connection.query(
        "select client, seq, count(*), sum(amount) from entries group by client, seq"
    ):
        counts[(int(client), int(seq))] = (int(count), int(total))
    problems = []
    for key in ledger.acknowledged:
        if counts.get(key) != (2, 0):
            problems.append(f"acknowledged {key} has (rows, sum) {counts.get(key)}, not (2, 0)")
    for key in ledger.failed:
        if key in counts:
            problems.append(f"definitely failed {key} is there: {counts[key]}")
    for key in ledger.unknown:
        if key in counts and counts[key] != (2, 0):
            problems.append(f"unknown {key} is torn: {counts[key]}")
    known = ledger.acknowledged | ledger.unknown
    for key in counts:
        if key not in known and key not in ledger.failed:
            problems.append(f"{key} is there and no client wrote it")
    (balance,), = connection.query("select sum(balance) from accounts")
    if int(balance) != 0:
        problems.append(f"sum(balance) is {balance}, not 0")
    return problems


def fingerprint(directory):
    """Names, sizes, times and contents of a directory: what a read-only tool may not change."""
    state = {}
    for folder, _, names in os.walk(directory):
        info = os.stat(folder)
        state[folder] = (info.st_mtime_ns,)
        for name in names:
            path = os.path.join(folder, name)
            info = os.stat(path)
            with open(path, "rb") as file:
                state[path] = (info.st_size, info.st_mtime_ns, hashlib.file_digest(file, "md5").digest())
    return state


def run_tools(bin_dir, data_dir, scratch, ledger, restore):
    """Runs the four tools on the dead directory and returns problems."""
    problems = []
    before = fingerprint(data_dir)
    for tool in ("sst-verify", "wal-inspect"):
        code, out, err = gatekit.outcome(os.path.join(bin_dir, tool), data_dir)
        if code not in HEALTHY:
            problems.append(f"{tool} exits {code} on a killed directory: {out[-2000:]}{err[-2000:]}")
    code, out, err = gatekit.outcome(os.path.join(bin_dir, "cdc-tail"), data_dir)
    if code not in HEALTHY:
        problems.append(f"cdc-tail exits {code}: {err[-2000:]}")
    else:
        seen = cdc_keys(out)
        missing = [key for key in ledger.acknowledged if key not in seen]
        if missing:
            problems.append(f"cdc-tail lacks {len(missing)} acknowledged, first {missing[:3]}")
        extra = [key for key in ledger.failed if key in seen]
        if extra:
            problems.append(f"cdc-tail shows {len(extra)} failed, first {extra[:3]}")
    restored = None
    if restore:
        restored = os.path.join(scratch, "restored")
        shutil.rmtree(restored, ignore_errors=True)
        code, out, err = gatekit.outcome(
            os.path.join(bin_dir, "pitr-restore"), data_dir, "--to-latest", "--out", restored)
        if code not in HEALTHY:
            problems.append(f"pitr-restore exits {code}: {out[-2000:]}{err[-2000:]}")
            restored = None
    if fingerprint(data_dir) != before:
        problems.append("a tool changed the data directory")
    return problems, restored


def cdc_keys(text):
    """(client, seq) of every insert into `entries` in cdc-tail's JSON lines."""
    keys = set()
    for line in text.splitlines():
        event = json.loads(line)
        if event.get("table", "").split(".")[-1] == "entries" and event.get("op") == "insert":
            after = event["after"]
            keys.add((int(after["client"]), int(after["seq"])))
    return keys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of the release binaries")
    parser.add_argument("--cycles", type=gatekit.at_least(1), default=20)
    parser.add_argument("--clients", type=gatekit.at_least(1), default=8)
    parser.add_argument("--slot-kills", type=int, default=0,
                        help="then so many kills while consumers poll replication slots")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true", help="keep the scratch directory")
    parser.add_argument("--check-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check_only:
        return
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)
    print(f"soak kill: seed {seed}, {options.cycles} cycles, {options.clients} clients", flush=True)
    scratch = tempfile.mkdtemp(prefix="falcon-soak-")
    data_dir = os.path.join(scratch, "data")
    server = Server(os.path.join(options.bin, "falcondb"), data_dir, os.path.join(scratch, "log"))
    ledger = Ledger()
    next_seq = [0] * options.clients
    try:
        server.start()
        connection = server.connect()
        connection.query("create table accounts (id int primary key, balance bigint not null)")
        connection.query("create table entries (client int, seq int, part int, amount bigint, "
                         "primary key (client, seq, part))")
        connection.query("create index entries_amount on entries (amount)")
        connection.query("insert into accounts select i, 0 from generate_series(0, 63) as g(i)")
        connection.close()
        for cycle in range(1, options.cycles + 1):
            clients = [Client(server, i, ledger, next_seq[i], chance.randrange(1 << 32))
                       for i in range(options.clients)]
            for client in clients:
                client.start()
            time.sleep(chance.uniform(0.05, 1.2))  # how long the load runs, not a synchronisation
            lost = [f"client {c.number} lost its connection before the kill" for c in clients if not c.is_alive()]
            server.kill()
            for client in clients:
                client.join(60)
            problems = [c.problem for c in clients if c.problem] or lost
            problems += [f"client {c.number} does not end" for c in clients if c.is_alive()]
            next_seq = [c.seq for c in clients]
            restore = cycle % 5 == 1
            found, restored = run_tools(options.bin, data_dir, scratch, ledger, restore)
            problems += found
            if restored:
                copy = Server(server.binary, restored, os.path.join(scratch, "restored.log"))
                copy.start()
                connection = copy.connect()
                problems += ["restored: " + p for p in check(connection, ledger)]
                connection.close()
                if copy.stop() != 0:
                    problems.append("the restored server did not end cleanly")
            server.start()
            connection = server.connect()
            problems += check(connection, ledger)
            connection.close()
            print(f"cycle {cycle}: {len(ledger.acknowledged)} acknowledged, "
                  f"{len(ledger.failed)} failed, {len(ledger.unknown)} unknown, "
                  f"{len(problems)} problem(s)", flush=True)
            if problems:
                for problem in problems[:20]:
                    print("  " + problem)
                options.keep = True
                print(f"FAILED with seed {seed}; kept {scratch}")
                sys.exit(1)
        if server.stop() != 0:
            print(f"SIGTERM ended the server with {server.process.returncode}")
            sys.exit(1)
        if not ledger.acknowledged:
            print("FAILED: nothing was acknowledged, so nothing was proved")
            sys.exit(1)
        if options.slot_kills > 0:
            problems = soak_slots.run(options.bin, scratch, options.slot_kills, seed)
            if problems:
                options.keep = True
                print("\n".join("  " + problem for problem in problems[:20]))
                print(f"FAILED with seed {seed}; kept {scratch}")
                sys.exit(1)
        print(f"soak kill: ok, {len(ledger.acknowledged)} acknowledged transactions")
    except Ended as error:
        options.keep = True
        print(f"FAILED with seed {seed}; kept {scratch}\n{error}")
        sys.exit(1)
    finally:
        if server.is_running():
            server.kill()
        if not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
