"""pgbench rounds against FalconDB and a private PostgreSQL 15 cluster, in turn, at equal durability.

Both are reached over TCP on loopback; PostgreSQL runs with full_page_writes and synchronous_commit
on, shared_buffers 1 GB, max_wal_size 4 GB, checkpoint_timeout 5 min; FalconDB commits `synced`.
"""
import argparse
import os
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from falconserver import Server, free_port

PG_BIN = "/usr/lib/postgresql/15/bin"
SETTINGS = {
    "shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "5min",
    "full_page_writes": "on", "synchronous_commit": "on", "fsync": "on",
    "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''", "max_connections": "100",
}
WORKLOADS = {
    "tpcb-prepared": ["-M", "prepared"],
    "tpcb-extended": ["-M", "extended"],
    "tpcb-simple": ["-M", "simple"],
    "select-prepared": ["-S", "-M", "prepared"],
    "select-simple": ["-S", "-M", "simple"],
}


class PostgreSQL:
    """A cluster of our own under a scratch folder, run as the postgres user when we are root."""

    def __init__(self, folder):
        self.data, self.port = os.path.join(folder, "pg"), free_port()
        self.demote = os.getuid() == 0
        os.makedirs(self.data)
        if self.demote:
            user = pwd.getpwnam("postgres")
            os.chmod(folder, 0o755)
            os.chown(self.data, user.pw_uid, user.pw_gid)

    def run(self, *command):
        prefix = ["runuser", "-u", "postgres", "--"] if self.demote else []
        subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self):
        self.run(f"{PG_BIN}/initdb", "-D", self.data, "-U", "falcon", "-A", "trust", "-E", "UTF8",
                 "--locale=C")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.write(f"port = {self.port}\n")
            for key, value in SETTINGS.items():
                conf.write(f"{key} = {value}\n")
        self.run(f"{PG_BIN}/pg_ctl", "-D", self.data, "-w", "-l",
                 os.path.join(self.data, "log"), "start")

    def stop(self):
        self.run(f"{PG_BIN}/pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")


def pgbench(port, *arguments):
    result = subprocess.run(
        [f"{PG_BIN}/pgbench", "-h", "127.0.0.1", "-p", str(port), "-U", "falcon", *arguments,
         "postgres"], capture_output=True, text=True)
    output = result.stdout + result.stderr
    if result.returncode != 0:
        sys.exit(f"pgbench {arguments} on port {port} exits {result.returncode}:\n{output[-3000:]}")
    tps = re.search(r"tps = ([\d.]+)", output)
    latency = re.search(r"latency average = ([\d.]+)", output)
    return (float(tps.group(1)), float(latency.group(1))) if tps else None


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
    peer = PostgreSQL(scratch)
    server = Server(os.path.join(options.bin, "falcondb"), os.path.join(scratch, "data"),
                    os.path.join(scratch, "log"))
    try:
        peer.start()
        server.start()
        print("PostgreSQL 15: " + ", ".join(f"{k} {v}" for k, v in SETTINGS.items()))
        print(f"scale {options.scale}, {options.clients} clients, {options.rounds} rounds of "
              f"{options.seconds} s, in turn")
        for port in (server.port, peer.port):
            pgbench(port, "-i", "-q", "-s", options.scale)
        results = {}
        for _ in range(options.rounds):
            for name in options.only or WORKLOADS:
                for who, port in (("falcon", server.port), ("postgres", peer.port)):
                    figure = pgbench(port, "-n", "-c", options.clients, "-j", "2", "-T",
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
        if server.process and server.process.poll() is None:
            server.stop()
        try:
            peer.stop()
        except subprocess.CalledProcessError:
            pass
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
