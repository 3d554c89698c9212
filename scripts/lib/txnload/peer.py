"""PostgreSQL as the server under test: what is true of it must be found true, or the checker errs."""
import os

from bench_sql import PG_BIN, PostgreSQL
from pgclient import Connection


class Peer(PostgreSQL):
    """Started, killed and connected to as `falconserver.Server` is. A kill is an immediate shutdown."""

    class _Process:
        returncode = None

        @staticmethod
        def poll():
            return None

    def __init__(self, folder):
        super().__init__(folder)
        self.has_cluster = False
        self.process = None

    def start(self):
        if self.has_cluster:
            self.run(f"{PG_BIN}/pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.data, "log"), "start")
        else:
            super().start()
            self.has_cluster = True
        self.process = self._Process()
        return self

    def connect(self):
        return Connection("127.0.0.1", self.port)

    def kill(self):
        self.run(f"{PG_BIN}/pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")
        self.process = None

    def stop(self):
        super().stop()
        self.process = None
        return 0

    def tail(self):
        with open(os.path.join(self.data, "log"), errors="replace") as log:
            return "".join(log.readlines()[-20:])
