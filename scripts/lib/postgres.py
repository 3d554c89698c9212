"""A private PostgreSQL 15 cluster: the oracle of the isolation scripts, the peer of benchmarks and workloads."""
import os
import pwd
import subprocess

from falconserver import Ended, free_port
from pgclient import Connection

BIN = "/usr/lib/postgresql/15/bin"
REACHED = {"listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''", "max_connections": "100"}
DURABLE = {
    "shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "5min",
    "full_page_writes": "on", "synchronous_commit": "on", "fsync": "on",
}
VOLATILE = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
    "max_prepared_transactions": "10", "shared_buffers": "64MB", "lc_messages": "C",
    "timezone": "UTC", "jit": "off",
}


class Cluster:
    """A cluster under `folder`, run as the postgres user when we are root. It is started, killed and connected to
    as `falconserver.Server` is; a kill is an immediate shutdown."""

    host, user, is_peer = "127.0.0.1", "falcon", True

    def __init__(self, folder, settings):
        self.folder, self.settings = folder, {**REACHED, **settings}
        self.data, self.port = os.path.join(folder, "pg"), free_port()
        self.log_path = os.path.join(self.data, "log")
        self.process = None

    def _run(self, program, *arguments, check=True):
        prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        return subprocess.run(
            [*prefix, f"{BIN}/{program}", "-D", self.data, *arguments], check=check,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/").returncode

    def start(self):
        if not os.path.exists(self.data):
            self._create()
        self._run("pg_ctl", "-w", "-l", self.log_path, "start")
        self.process = _Process(self)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process is not None and self.is_running():
            self._stop("immediate")

    def _create(self):
        if not os.path.exists(f"{BIN}/postgres"):
            raise SystemExit(f"PostgreSQL 15 is not at {BIN}: apt-get install postgresql-15")
        os.makedirs(self.data)
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chmod(self.folder, 0o755)
            os.chown(self.data, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-U", self.user, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.write(f"port = {self.port}\n")
            conf.writelines(f"{key} = {value}\n" for key, value in self.settings.items())

    def connect(self):
        return Connection(self.host, self.port, user=self.user)

    def is_running(self):
        return self._run("pg_ctl", "status", check=False) == 0

    def ended_with(self):
        """Why it does not run; None when it does."""
        return None if self.is_running() else f"PostgreSQL ended: {self.tail()}"

    def kill(self):
        if why := self.ended_with():
            raise Ended(why)
        self._stop("immediate")

    def stop(self):
        """Its exit status is 0: else pg_ctl raises."""
        if self.is_running():
            self._stop("fast")
        return 0

    def _stop(self, mode):
        self._run("pg_ctl", "-w", "-m", mode, "stop")
        self.process = None

    def restart(self):
        if self.is_running():
            self.kill()
        self.start()

    def tail(self):
        with open(self.log_path, errors="replace") as log:
            return "".join(log.readlines()[-20:])


class _Process:
    """What runs is asked of the server's process."""

    def __init__(self, cluster):
        self.cluster, self.returncode = cluster, None

    def poll(self):
        return None if self.cluster.is_running() else -1
