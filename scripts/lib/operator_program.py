"""falconctl against a live server: a part of the suite lifecycle."""
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import threading

from claims import check
from falconserver import Server, free_port
from pgclient import packet

STATE = {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSERVICE", "PGOPTIONS", "PGCONNECT_TIMEOUT"}


class Program:
    """falconctl, its place and its server."""

    def __init__(self, binary, server):
        self.path = os.path.join(os.path.dirname(binary), "falconctl")
        self.server = server

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items() if name not in STATE}
        return {**kept, "PGHOST": self.server.host, "PGPORT": str(self.server.port), "PGUSER": "postgres",
                "PGDATABASE": "postgres", **more}

    def run(self, *words, **more):
        done = subprocess.run([self.path, *words], capture_output=True, text=True, timeout=60,
                              env=self.environment(**more))
        return done.returncode, done.stdout, done.stderr

    def says(self, *words):
        """What it prints when all is well."""
        code, out, error = self.run(*words)
        check(f"falconctl {' '.join(words)}", code == 0, (code, out, error))
        return out.rstrip("\n")

    def records(self, *words):
        return json.loads(self.says(*words, "--format", "json")).get("records", [])


def place_of(lsn):
    """An LSN as a number."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def configured(directory):
    """A configuration with an archive and encryption."""
    key = os.path.join(directory, "operator.key")
    with open(key, "w") as file:
        file.write(os.urandom(32).hex())
    path = os.path.join(directory, "operator.toml")
    with open(path, "w") as file:
        file.write(f'[archive]\ndirectory = "{directory}/operator-backup"\ntimeout = "1s"\n'
                   f'[storage]\nencryption = true\nencryption_key_file = "{key}"\n')
    return path


def backups(program):
    identity = program.says("backup", "--label", "it's one", "--max-rate", "1024M")
    listed = program.records("backup", "list")
    check("backup list has the backup", [(b["id"], b["label"]) for b in listed] == [(identity, "it's one")], listed)
    lsn = program.says("restore-point", "before; the 'release'")
    check("restore-point prints an LSN", place_of(lsn) > place_of(listed[0]["start_lsn"]), lsn)
    kinds = {record["kind"]: record for record in program.records("status")}
    check("status knows log, archive, encryption and slots",
          "FalconDB" in kinds["server"]["version"] and kinds["server"]["encryption"] == "on"
          and kinds["server"]["uptime_seconds"] >= 0 and kinds["archive"]["state"] == "active"
          and kinds["slots"]["slots"] == 0, kinds)
    check("status for people", "archive:       active to " in program.says("status"))


def waiting_backup(program, repository):
    """While the repository is held: a backup is refused, and with --wait it comes once it is free."""
    with open(os.path.join(repository, "LOCK")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, out, error = program.run("backup")
        check("a backup beside another is refused", code == 2 and "55006" in error and not out, (code, out, error))
        waiting = subprocess.Popen([program.path, "backup", "--wait"], env=program.environment(), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check("--wait says that it waits", "waiting" in waiting.stderr.readline())
        fcntl.flock(lock, fcntl.LOCK_UN)
    out, error = waiting.communicate(timeout=60)
    listed = [backup["id"] for backup in program.records("backup", "list")]
    check("--wait makes its backup once the other has ended",
          waiting.returncode == 0 and out.strip() in listed, (waiting.returncode, out, error))


def slots(program):
    begun = program.says("slot", "create", "orders", "--plugin", "wal2json")
    connection = program.server.connect(user="postgres", database="postgres")
    connection.query("create table o (id int primary key)")
    for number in range(3):
        connection.query(f"insert into o values ({number})")
    lines = [line.split("\t") for line in program.says("slot", "peek", "orders", "--limit", "1000").splitlines()]
    inserted = [json.loads(data) for _, _, data in lines if '"action":"I"' in data.replace(" ", "")]
    check("slot peek shows the rows inserted", len(inserted) == 3, lines)
    check("slot peek again shows the same",
          len(program.says("slot", "peek", "orders", "--limit", "1000").splitlines()) == len(lines))
    place = program.says("slot", "advance", "orders", lines[-1][0])
    check("slot advance moves it on", place_of(place) > place_of(begun), (begun, place))
    check("and nothing is left to see", program.says("slot", "peek", "orders") == "")
    listed = program.records("slot", "list")
    check("slot list shows where it is",
          [(s["name"], s["confirmed_lsn"], s["database"]) for s in listed] == [("orders", place, "postgres")], listed)
    code, _, error = program.run("slot", "create", "orders")
    check("a slot twice is refused with its SQLSTATE", code == 2 and "CTL001: 42710: " in error, (code, error))
    program.says("slot", "drop", "orders")
    code, _, error = program.run("slot", "drop", "orders")
    check("what is not there is refused", code == 2 and "42704" in error and "advice: " in error, (code, error))


def keys(program):
    program.says("key", "rotate")
    check("key status", program.says("key", "status") != "off")
    code, out, error = program.run("key", "rotate", PGUSER="falcon")
    check("others than superusers are refused, on standard error",
          code == 2 and out == "" and "42501" in error and "superuser" in error, (code, out, error))
    code, _, error = program.run("key", "rotate", "--new-key-file", "/nowhere/at all")
    check("a master key that is not there is refused", code == 2 and "CTL001" in error, (code, error))


def failures(program):
    code, _, error = program.run("status", "--port", str(free_port()))
    check("no server exits 4", code == 4 and "CTL003" in error, (code, error))
    code, _, error = program.run("status", "--dbname", "nowhere")
    check("no such database exits 2 with its SQLSTATE", code == 2 and "3D000" in error, (code, error))
    code, _, error = program.run("slot", "peek", "x", "--limit", "0")
    check("a misuse exits 1", code == 1 and "--limit" in error, (code, error))
    string = f"postgresql://postgres@{program.server.host}:{program.server.port}/postgres"
    code, out, error = program.run("key", "status", "-d", string, PGHOST="/nowhere", PGPORT="1")
    check("a connection string wins over the environment", code == 0 and out, (code, out, error))


class Stage:
    """A server that plays one part: it asks for a password that is always wrong, or answers a statement only when
    it is told to cancel it."""

    def __init__(self, asks_password=False):
        self.asks_password = asks_password
        self.host, self.socket = "127.0.0.1", socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.is_asked, self.is_cancelled = threading.Event(), threading.Event()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, client.makefile("rb") as stream:
            while True:
                size, code = struct.unpack("!ii", stream.read(8))
                stream.read(size - 8)
                if code == 80877102:
                    self.is_cancelled.set()
                    return
                if code == 196608:
                    break
                client.sendall(b"N")  # neither TLS nor GSSAPI
            if self.asks_password:
                client.sendall(packet(b"R", struct.pack("!i", 3)))
                stream.read(1)
                client.sendall(self.error("FATAL", "28P01", "password authentication failed"))
                return
            client.sendall(packet(b"R", struct.pack("!i", 0)) + packet(b"K", struct.pack("!ii", 1, 2))
                           + packet(b"Z", b"I"))
            stream.read(1)
            self.is_asked.set()
            if self.is_cancelled.wait(30):
                client.sendall(self.error("ERROR", "57014", "canceling statement due to user request")
                               + packet(b"Z", b"I"))
            stream.read()

    @staticmethod
    def error(severity, state, message):
        fields = (("S", severity), ("V", severity), ("C", state), ("M", message))
        return packet(b"E", b"".join(f"{letter}{text}".encode() + b"\0" for letter, text in fields) + b"\0")


def staged(binary):
    """What a server of ours does not do by itself: passwords, and a statement that waits."""
    stage = Stage(asks_password=True)
    program = Program(binary, stage)
    none = {"PGPASSFILE": "/dev/null"}
    code, _, error = program.run("status", **none)
    check("no password exits 6", code == 6 and "CTL002" in error, (code, error))
    code, _, error = program.run("status", PGPASSWORD="wrong", **none)
    check("a wrong password exits 6", code == 6 and "28P01" in error, (code, error))
    stage.socket.close()
    stage = Stage()
    program = Program(binary, stage)
    process = subprocess.Popen([program.path, "status"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=program.environment())
    check("the statement is sent", stage.is_asked.wait(30))
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    check("Ctrl-C cancels the statement and exits 8",
          process.returncode == 8 and stage.is_cancelled.is_set() and "CTL007" in error and out == "",
          (process.returncode, out, error))
    stage.socket.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code, _, error = program.run("status", "--port", str(silent.getsockname()[1]), "--connect-timeout", "2")
        check("a server that says nothing exits 4 after --connect-timeout", code == 4 and "within 2 s" in error,
              (code, error))


def operator_program(binary, directory):
    data = os.path.join(directory, "operator")
    server = Server(binary, data, os.path.join(directory, "operator.log"), ("--config", configured(directory)))
    program = Program(binary, server)
    with server.start():
        backups(program)
        waiting_backup(program, os.path.join(directory, "operator-backup"))
        for part in (slots, keys, failures):
            part(program)
        check("it closes", server.stop() == 0, server.tail())
    code, _, error = program.run("status")
    check("a server that has ended exits 4", code == 4 and "CTL003" in error, (code, error))
    staged(binary)
