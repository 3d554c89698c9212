"""A small PostgreSQL wire client on a plain socket, for soak and acceptance runs.

It keeps no retry, no pool and no hidden state, so that what a run learns of a commit (acknowledged,
failed, unknown) is exactly what came off the wire.
"""
import socket
import struct


def packet(kind, body):
    """A message of type `kind`."""
    return kind + struct.pack("!i", len(body) + 4) + body


def query_message(sql):
    return packet(b"Q", sql.encode() + b"\0")


def fields_of(body):
    """The fields of an ErrorResponse or NoticeResponse, by their letters."""
    return {chr(field[0]): field[1:].decode(errors="replace") for field in body.split(b"\0") if field}


def row_of(data, at=0):
    """The values of the DataRow whose body begins at `at`."""
    count = int.from_bytes(data[at:at + 2], "big")
    at += 2
    values = []
    for _ in range(count):
        length = int.from_bytes(data[at:at + 4], "big", signed=True)
        at += 4
        if length < 0:
            values.append(None)
        else:
            values.append(data[at:at + length].decode())
            at += length
    return values


class ServerError(Exception):
    """An ErrorResponse; `fields` maps the protocol's field letters to text."""

    def __init__(self, fields):
        self.fields = fields
        super().__init__(f"{fields.get('C')}: {fields.get('M')}")

    @property
    def sqlstate(self):
        return self.fields.get("C", "")


class Disconnected(Exception):
    """The connection ended before the answer was complete."""


class Connection:
    def __init__(self, host, port, user="falcon", database="postgres", timeout=60):
        self.buffer = b""
        try:
            self.socket = socket.create_connection((host, port), timeout=timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            body = struct.pack("!i", 196608)
            for key, value in (("user", user), ("database", database)):
                body += key.encode() + b"\0" + value.encode() + b"\0"
            body += b"\0"
            self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        except OSError as error:
            raise Disconnected(str(error)) from error
        self._until_ready()

    def _read(self, count):
        while len(self.buffer) < count:
            try:
                chunk = self.socket.recv(65536)
            except OSError as error:
                raise Disconnected(str(error)) from error
            if not chunk:
                raise Disconnected("end of stream")
            self.buffer += chunk
        head, self.buffer = self.buffer[:count], self.buffer[count:]
        return head

    def message(self):
        """The next message as (type letter, body)."""
        kind, length = struct.unpack("!ci", self._read(5))
        return kind.decode(), self._read(length - 4)

    def _until_ready(self):
        rows, error = [], None
        while True:
            kind, body = self.message()
            if kind == "T":
                self.types = self._types(body)
            elif kind == "D":
                rows.append(row_of(body))
            elif kind == "E":
                fields = fields_of(body)
                error = error or ServerError(fields)
                if fields.get("S") in ("FATAL", "PANIC"):
                    raise error
            elif kind == "Z":
                self.status = body.decode()
                if error:
                    raise error
                return rows

    @staticmethod
    def _types(body):
        """The OIDs of the columns' types."""
        (count,), offset, types = struct.unpack_from("!h", body), 2, []
        for _ in range(count):
            offset = body.index(b"\0", offset) + 1
            types.append(struct.unpack_from("!ihi", body, offset)[2])
            offset += 18
        return types

    def query(self, sql):
        """Runs `sql` through the simple protocol and returns all rows as lists of text."""
        try:
            self.socket.sendall(query_message(sql))
        except OSError as error:
            raise Disconnected(str(error)) from error
        return self._until_ready()

    def close(self):
        try:
            self.socket.sendall(packet(b"X", b""))
        except OSError:
            pass
        self.socket.close()
