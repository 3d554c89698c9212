"""pgbench rounds against FalconDB and a private PostgreSQL 15 cluster, in turn, at equal durability.

Both are reached over TCP on loopback; PostgreSQL runs with full_page_writes and synchronous_commit
on, shared_buffers 1 GB, max_wal_size 4 GB, checkpoint_timeout 5 min; FalconDB commits `synced`.
"""
import argparse
import os
import shutil
import statistics
import tempfile

import pgbench
import postgres
from falconserver import Server

WORKLOADS = {
    "tpcb-prepared": ["-M", "prepared"],
    "tpcb-extended": ["-M", "extended"],
    "tpcb-simple": ["-M", "simple"],
    "select-prepared": ["-S", "-M", "prepared"],
    "select-simple": ["-S", "-M", "simple"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", default="10")
    parser.add_argument("--scale", default="10")
    parser.add_argument("--clients", default="8")
    parser.add_argument("--only", action="append", choices=sorted(WORKLOADS))
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="falcon-bench-")
    peer = postgres.Cluster(scratch, postgres.DURABLE)
    server = Server(os.path.join(options.bin, "falcondb"), os.path.join(scratch, "data"),
                    os.path.join(scratch, "log"))
    try:
        peer.start()
        server.start()
        print("PostgreSQL 15: " + ", ".join(f"{k} {v}" for k, v in peer.settings.items()))
        print(f"scale {options.scale}, {options.clients} clients, {options.rounds} rounds of "
              f"{options.seconds} s, in turn")
        for port in (server.port, peer.port):
            pgbench.run(port, "-i", "-q", "-s", options.scale)
        results = {}
        for _ in range(options.rounds):
            for name in options.only or WORKLOADS:
                for who, port in (("falcon", server.port), ("postgres", peer.port)):
                    figure = pgbench.run(port, "-n", "-c", options.clients, "-j", "2", "-T",
                                     options.seconds, *WORKLOADS[name])
                    results.setdefault((name, who), []).append(figure)
        print(f"\n{'workload':18}{'FalconDB tps':>14}{'ms':>8}{'PostgreSQL tps':>16}{'ms':>8}{'ratio':>8}")
        for name in options.only or WORKLOADS:
            row = {}
            for who in ("falcon", "postgres"):
                row[who] = [statistics.median(column) for column in zip(*results[(name, who)])]
            ratio = row["falcon"][0] / row["postgres"][0]
            print(f"{name:18}{row['falcon'][0]:14.0f}{row['falcon'][1]:8.3f}"
                  f"{row['postgres'][0]:16.0f}{row['postgres'][1]:8.3f}{ratio:8.2f}")
    finally:
        if server.is_running():
            server.stop()
        if peer.process:
            peer.stop()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
