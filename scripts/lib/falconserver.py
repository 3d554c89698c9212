"""Starts and stops a FalconDB server of our own on loopback, by its own pid."""
import random
import signal
import socket
import subprocess
import time
import urllib.request

from pgclient import Connection, Disconnected, ServerError

#: Below what Linux gives to outgoing connections: one of these could have the port before the server does.
PORTS = range(10000, 32768)


def free_port():
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.SystemRandom().choice(PORTS)))
            except OSError:
                continue
            return probe.getsockname()[1]


#: What a crash begins with in the log.
CRASHED = (b"Fatal error: ", b"*** Signal ")


class Ended(RuntimeError):
    """The server ended by itself."""


class Server:
    """`with Server(...) as server` kills one that still runs at the block's end."""

    host, user, is_peer = "127.0.0.1", "falcon", False

    def __init__(self, binary, data_dir, log_path, extra=()):
        self.binary, self.data_dir, self.log_path, self.extra = binary, data_dir, log_path, extra
        self.process = None
        self.port = self.admin_port = self.log_start = 0

    def start(self, timeout=120):
        self.port, self.admin_port = free_port(), free_port()
        with open(self.log_path, "ab") as log:
            self.log_start = log.tell()
            self.process = subprocess.Popen(
                [self.binary, "--data-dir", self.data_dir, "--pg-addr", f"127.0.0.1:{self.port}",
                 "--admin-addr", f"127.0.0.1:{self.admin_port}", *self.extra],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + timeout
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.tail()}")
            try:
                self.connect().close()
                return self
            except (Disconnected, ServerError):
                if time.monotonic() > deadline:
                    self.kill()
                    raise RuntimeError(f"the server does not answer: {self.tail()}") from None
                time.sleep(0.02)  # polling a process that has no other way to say it is ready

    def connect(self, **options):
        return Connection(self.host, self.port, **options)

    def page(self, path):
        """What the admin port answers."""
        with urllib.request.urlopen(f"http://{self.host}:{self.admin_port}{path}", timeout=30) as answer:
            return answer.read().decode()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def restart(self):
        """Whatever it was doing, crashing too."""
        self.__exit__()
        return self.start()

    def kill(self):
        """SIGKILL, which has to be what ended it: for one that was dead or dying already it raises Ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if why := self.ended_with(-signal.SIGKILL):
            raise Ended(why)

    def stop(self, timeout=60):
        """SIGTERM and the exit status; a server that does not end is a failure."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"SIGTERM did not end the server: {self.tail()}") from None

    def ended_with(self, status=None):
        """Why it ended otherwise than with `status` (None: that it runs), or is about to: a crash writes its
        stack for seconds before the process is gone. None when it did not."""
        if self.process.poll() != status:
            return f"the server ended by itself with {self.process.returncode}: {self.tail()}"
        with open(self.log_path, "rb") as log:
            log.seek(self.log_start)
            text = log.read()
        places = [text.find(mark) for mark in CRASHED if mark in text]
        return f"the server crashed: {text[min(places):][:1000].decode(errors='replace')}" if places else None

    def tail(self):
        try:
            with open(self.log_path, errors="replace") as log:
                return "".join(log.readlines()[-20:])
        except OSError:
            return ""
