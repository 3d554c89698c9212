"""pgbench's own workloads against the server: no error, and the TPC-B invariant afterwards."""
import argparse
import os
import shutil
import sys
import tempfile

import pgbench
from falconserver import Server


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--scale", default="10")
    parser.add_argument("--seconds", default="10")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="falcon-pgbench-")
    server = Server(os.path.join(options.bin, "falcondb"), os.path.join(scratch, "data"),
                    os.path.join(scratch, "log"))
    try:
        server.start()
        pgbench.run(server.port, "-i", "-s", options.scale)
        first = True
        for mode in ("simple", "extended", "prepared"):
            for select_only in (False, True):
                extra = ["-S"] if select_only else []
                if not first:
                    extra.append("-n")
                first = False
                tps, _ = pgbench.run(server.port, "-c", "8", "-j", "2", "-T", options.seconds, "-M", mode, *extra)
                print(f"{mode:9} {'select-only' if select_only else 'tpcb':12} {tps:10.0f} tps")
        connection = server.connect()
        sums = [connection.query(f"select sum({c}) from {t}")[0][0] for c, t in (
            ("abalance", "pgbench_accounts"), ("tbalance", "pgbench_tellers"),
            ("bbalance", "pgbench_branches"), ("delta", "pgbench_history"))]
        history = int(connection.query("select count(*) from pgbench_history")[0][0])
        connection.close()
        print(f"sums {sums}, history rows {history}")
        if len(set(sums)) != 1 or history == 0:
            sys.exit("the TPC-B invariant is broken")
        if server.stop() != 0:
            sys.exit("SIGTERM did not end the server cleanly: " + server.tail())
    finally:
        if server.is_running():
            server.kill()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
