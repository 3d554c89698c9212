"""scripts/bench-cdc: pgbench writes, `cdc-tail --follow` shows; each commit's time is compared with the moment in which its
line was read. All commits must have come, and the p99 must be at most 50 ms."""
import argparse
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pgbench
from falconserver import Server

MUST_MS = 50


class Reader(threading.Thread):
    """Reads the lines as they come. What inserts into `bench_mark` comes before and after all that counts."""

    def __init__(self, lines):
        super().__init__(daemon=True)
        self.lines, self.came, self.count = lines, [], 0
        self.has_begun = threading.Event()

    def run(self):
        is_mark = False
        for line in self.lines:
            self.count += 1
            if b'"op":"insert"' in line and b'"table":"public.bench_mark"' in line:
                is_mark = True
            elif line.startswith(b'{"op":"commit"'):
                if not is_mark:
                    self.came.append((time.time(), line))
                elif self.has_begun.is_set():
                    return
                else:
                    self.came, self.count, is_mark = [], 0, False
                    self.has_begun.set()

    def lags(self):
        """Milliseconds."""
        return sorted((came - seconds(json.loads(line)["ts"])) * 1000 for came, line in self.came)


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def measure(options, rate):
    scratch = tempfile.mkdtemp(prefix="falcon-bench-cdc-")
    data = os.path.join(scratch, "data")
    try:
        with Server(os.path.join(options.bin, "falcondb"), data, os.path.join(scratch, "log")) as server:
            server.start()
            pgbench.run(server.port, "-i", "-q", "-s", str(options.scale))
            connection = server.connect()
            connection.query("create table bench_mark (n int)")
            begin = connection.query("select pg_current_wal_lsn()")[0][0]
            tail = subprocess.Popen(
                [os.path.join(options.bin, "cdc-tail"), data, "--follow", "--poll-ms", str(options.poll_ms),
                 "--from-lsn", begin], stdout=subprocess.PIPE)
            try:
                reader = Reader(tail.stdout)
                reader.start()
                connection.query("insert into bench_mark values (1)")
                if not reader.has_begun.wait(timeout=60):
                    sys.exit("the first commit did not come within a minute")
                pace = ["-R", str(rate)] if rate > 0 else []
                tps, _ = pgbench.run(server.port, "-n", "-c", str(options.clients), "-j", "2", "-T",
                                     str(options.seconds), "-M", "prepared", *pace)
                written = int(connection.query("select count(*) from pgbench_history")[0][0])
                connection.query("insert into bench_mark values (2)")
                reader.join(timeout=60)
                if reader.is_alive():
                    sys.exit("the last commit did not come within a minute")
            finally:
                tail.send_signal(signal.SIGINT)
                tail.wait(timeout=30)
            if tail.returncode != 0:
                sys.exit(f"cdc-tail ended with {tail.returncode}")
            lags = reader.lags()
            if len(lags) != written:
                sys.exit(f"{written} transactions were committed, {len(lags)} came")
            return tps, reader.count, lags
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--scale", type=int, default=10)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rate", type=int, action="append", help="transactions a second; 0: as many as can be")
    parser.add_argument("--poll-ms", type=int, default=20)
    options = parser.parse_args()
    print(f"{'transactions/s':>15}{'lines':>10}{'p50 ms':>9}{'p95':>8}{'p99':>8}{'max':>8}  verdict")
    for rate in options.rate or [100, 1000, 0]:
        tps, count, lags = measure(options, rate)
        if not lags:
            sys.exit("nothing was committed")
        at = [lags[min(len(lags) - 1, int(len(lags) * share))] for share in (0.5, 0.95, 0.99)]
        verdict = "must" if at[2] <= MUST_MS else "BELOW"
        print(f"{tps:15.0f}{count:10}{at[0]:9.1f}{at[1]:8.1f}{at[2]:8.1f}{lags[-1]:8.1f}  {verdict}", flush=True)


if __name__ == "__main__":
    main()
