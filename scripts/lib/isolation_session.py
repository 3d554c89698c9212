"""One session of an isolation script: a connection that is asked now and read when it has answered."""
import select
import socket
import struct

from pgclient import Connection, fields_of, packet, query_message, row_of

BUSY, IDLE, ENDED = "busy", "idle", "ended"


class Session(Connection):
    """Statements are sent without waiting; `feed` takes what has come and keeps `state` and `lines`."""

    def __init__(self, name, host, port, is_extended=False, **options):
        self.key = self.pid = None
        super().__init__(host, port, **options)
        self.name, self.is_extended = name, is_extended
        self.state, self.lines = IDLE, []
        self.address = (host, port)

    def message(self):
        kind, body = super().message()
        if kind == "K":
            self.pid, self.key = struct.unpack("!ii", body)
        return kind, body

    def ask(self, sql):
        self.state, self.lines = BUSY, []
        try:
            self.socket.sendall(self._extended(sql) if self.is_extended else
                                query_message(sql))
        except OSError:
            pass  # what the server said before it went is still to be read
        return self

    @staticmethod
    def _extended(sql):
        return (packet(b"P", b"\0" + sql.encode() + b"\0" + b"\0\0")
                + packet(b"B", b"\0\0" + struct.pack("!hhh", 0, 0, 0))
                + packet(b"E", b"\0" + struct.pack("!i", 0)) + packet(b"S", b""))

    def feed(self, timeout=0):
        """Takes what has arrived, waiting at most `timeout` seconds for something to arrive."""
        while self.state != ENDED:
            while (length := self._complete()) is not None:
                kind, body = self.buffer[:1].decode(), self.buffer[5:length]
                self.buffer = self.buffer[length:]
                self._take(kind, body)
            if not select.select([self.socket], [], [], timeout)[0]:
                return
            timeout = 0
            try:
                chunk = self.socket.recv(65536)
            except OSError:
                chunk = b""
            if not chunk:
                self.state = ENDED
                self.lines.append("<ended>")
            self.buffer += chunk

    def _complete(self):
        if len(self.buffer) < 5:
            return None
        length = 1 + struct.unpack_from("!i", self.buffer, 1)[0]
        return length if len(self.buffer) >= length else None

    def _take(self, kind, body):
        if kind == "D":
            self.lines.append("|".join("NULL" if value is None else value
                                       for value in row_of(body)))
        elif kind == "C":
            self.lines.append(body[:-1].decode())
        elif kind in "EN":
            self.lines += report(body)
        elif kind == "A":
            channel, payload = body[4:-1].split(b"\0")
            self.lines.append(f"NOTIFY {channel.decode()} {payload.decode()}".rstrip())
        elif kind == "Z":
            self.state = IDLE

    def cancel(self):
        """A CancelRequest, and its connection's end: the server has then read it."""
        with socket.create_connection(self.address, timeout=30) as other:
            other.sendall(struct.pack("!iiii", 16, 80877102, self.pid, self.key))
            try:
                other.recv(1)
            except OSError:
                pass


def report(body):
    """The lines of an error or a notice."""
    fields = fields_of(body)
    lines = [f"{fields.get('S')} {fields.get('C')}: {fields.get('M')}"]
    # SSI's reason codes tell of PostgreSQL's implementation.
    if "D" in fields and not fields["D"].startswith("Reason code:"):
        lines += [f"DETAIL: {line}" for line in fields["D"].split("\n")]
    if "H" in fields:
        lines.append(f"HINT: {fields['H']}")
    return lines
