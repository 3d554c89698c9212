"""pgbench's own workloads against the server: no error, and the TPC-B invariant afterwards."""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

from falconserver import Server


def pgbench_path():
    found = shutil.which("pgbench")
    return found or "/usr/lib/postgresql/15/bin/pgbench"


def run(server, *arguments):
    command = [pgbench_path(), "-h", "127.0.0.1", "-p", str(server.port), "-U", "falcon",
               *arguments, "postgres"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    output = result.stdout + result.stderr
    failed = re.search(r"number of failed transactions: (\d+)", output)
    aborted = "aborted" in output or "ERROR" in output or "error:" in output
    if result.returncode != 0 or aborted or (failed and failed.group(1) != "0"):
        sys.exit(f"{' '.join(command)}: exit {result.returncode}\n{output[-4000:]}")
    tps = re.search(r"tps = ([\d.]+)", output)
    return float(tps.group(1)) if tps else None


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
        run(server, "-i", "-s", options.scale)
        first = True
        for mode in ("simple", "extended", "prepared"):
            for select_only in (False, True):
                extra = ["-S"] if select_only else []
                if not first:
                    extra.append("-n")
                first = False
                tps = run(server, "-c", "8", "-j", "2", "-T", options.seconds, "-M", mode, *extra)
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
        if server.process and server.process.poll() is None:
            server.kill()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
