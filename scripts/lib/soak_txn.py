"""Transactions on the real server under kill -9: histories for the checker, and workloads with an invariant.

The seed is printed; clients follow it, the server's threads do not.
"""
import argparse
import os
import random
import shutil
import sys
import tempfile
import time

import gatekit
import postgres
from falconserver import Server
from histories.model import LEVELS
from histories.script import SHORT
from txnload import pipeline
from txnload.runs import HistoryRun, run_workloads

SEGMENT = 200_000


class Restarting(Server):
    """A server that comes back with another configuration each time: small memtables flush and compact."""

    def __init__(self, binary, folder, chance):
        super().__init__(binary, os.path.join(folder, "data"), os.path.join(folder, "log"))
        self.chance, self.config = chance, os.path.join(folder, "config.toml")

    def start(self, timeout=120):
        size = self.chance.choice(("1MiB", "1MiB", "64MiB"))
        with open(self.config, "w") as file:
            file.write(f'[storage]\nmemtable_size = "{size}"\nwal_segment_size = "16MiB"\n')
        self.extra = ("--config", self.config)
        return super().start(timeout)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", help="folder of the release binaries")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL in its place: all of it must hold")
    parser.add_argument("--transactions", type=gatekit.at_least(1), default=1_000_000)
    parser.add_argument("--clients", type=gatekit.at_least(1), default=24)
    parser.add_argument("--kills", type=gatekit.at_least(0), default=None, help="one for each 8,000 transactions by default")
    parser.add_argument("--level", choices=["mixed", *SHORT], default="mixed")
    parser.add_argument("--workload-transactions", type=gatekit.at_least(1), default=4000, help="of each level and round")
    parser.add_argument("--workload-kills", type=gatekit.at_least(0), default=2)
    parser.add_argument("--processes", type=gatekit.at_least(1), default=2)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", action="store_true", help="keep the scratch directory")
    parser.add_argument("--check-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not options.bin and not options.postgres:
        parser.error("--bin or --postgres")
    if options.kills is None:
        options.kills = max(1, options.transactions // 8000)
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    return options


def run(options, server, scratch):
    chance = random.Random(options.seed)
    server.start()
    problems = pipeline.check(server)
    chosen = list(LEVELS) if options.level == "mixed" else [SHORT[options.level]]
    history = HistoryRun(server, chance, options, options.seed, chosen)
    report = history.run()
    print("\n".join(history.lines(report)), flush=True)
    problems += history.problems or history.too_little(report)
    if report.anomalies:
        problems.append(f"{len(report.anomalies)} violation(s): {' '.join(report.names)}\n{report.text()}")
    if problems:
        print(f"the history is in {history.save(scratch)}")
        return problems
    lines, problems, found = run_workloads(server, options.seed, options, chosen)
    problems += found
    print("\n".join("  " + line for line in lines), flush=True)
    if not problems and server.stop() != 0:
        problems.append(f"SIGTERM ended the server with {server.process.returncode}")
    return problems


def segment(options):
    """One server from its first start to its end: the problems."""
    scratch = tempfile.mkdtemp(prefix="falcon-txn-")
    if options.postgres:
        server = postgres.Cluster(scratch, postgres.DURABLE)
    else:
        server = Restarting(os.path.join(options.bin, "falcondb"), scratch, random.Random(options.seed))
    problems = ["it did not end"]
    try:
        problems = run(options, server, scratch)
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
        if problems:
            print(f"FAILED with seed {options.seed}; kept {scratch}")
        elif not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)
    return problems


def main(arguments=None):
    options = parse(arguments)
    if options.check_only:
        return 0
    began = time.monotonic()
    seeds = random.Random(options.seed)
    left, problems = options.transactions, []
    while left > 0 and not problems:
        # A history is checked whole: what is longer than fits in memory is several.
        part = argparse.Namespace(**vars(options))
        part.transactions = min(left, SEGMENT)
        part.kills = max(1, round(options.kills * part.transactions / options.transactions))
        left -= part.transactions
        print(f"soak txn: seed {part.seed}, {part.transactions} transactions, {part.clients} clients, "
              f"{part.kills + 1} kills, level {part.level}", flush=True)
        problems = segment(part)
        options.seed = seeds.randrange(1 << 32)
    for problem in problems[:10]:
        print("  " + problem)
    if not problems:
        print(f"soak txn: ok, {time.monotonic() - began:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
