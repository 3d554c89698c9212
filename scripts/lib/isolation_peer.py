"""The private PostgreSQL 15 that isolation scripts are compared with."""
import os
import pwd
import subprocess

from falconserver import free_port

PG_BIN = "/usr/lib/postgresql/15/bin"
SETTINGS = {
    "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''", "max_connections": "50",
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
    "max_prepared_transactions": "10", "shared_buffers": "64MB", "lc_messages": "C",
    "timezone": "UTC", "jit": "off",
}


class Peer:
    """A cluster under `folder`, run as the postgres user when we are root."""
    host, user, is_peer = "127.0.0.1", "falcon", True

    def __init__(self, folder):
        self.folder, self.data, self.port = folder, os.path.join(folder, "pg"), free_port()

    def _run(self, *command, check=True):
        prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        return subprocess.run([*prefix, *command], check=check, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, cwd="/").returncode

    def start(self):
        if not os.path.exists(f"{PG_BIN}/postgres"):
            raise SystemExit(f"PostgreSQL 15 is not at {PG_BIN}: apt-get install postgresql-15")
        os.makedirs(self.data)
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chmod(self.folder, 0o755)
            os.chown(self.data, owner.pw_uid, owner.pw_gid)
        self._run(f"{PG_BIN}/initdb", "-D", self.data, "-U", self.user, "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.write(f"port = {self.port}\n")
            conf.writelines(f"{key} = {value}\n" for key, value in SETTINGS.items())
        self._run(f"{PG_BIN}/pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.data, "log"),
                  "start")

    def ended(self):
        return None

    def restart(self):
        self._run(f"{PG_BIN}/pg_ctl", "-D", self.data, "-w", "-m", "immediate", "-l",
                  os.path.join(self.data, "log"), "restart")

    def stop(self):
        if os.path.exists(os.path.join(self.data, "postmaster.pid")):
            self._run(f"{PG_BIN}/pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop",
                      check=False)
