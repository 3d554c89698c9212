"""Many connections in one process: each client is a generator that yields messages and gets their answers.

    answers = yield ["begin", "select 1; select 2"]     # two simple-protocol messages, sent at once

There is no retry and no hidden state. A lost connection is thrown into the generator as Disconnected.
"""
import selectors
import time

from pgclient import Connection, Disconnected, fields_of, packet, query_message, row_of

ABORTS = {"40001", "40P01"}  # what a client must expect and repeat


class Extended(str):
    """One statement to go by the extended protocol: Parse, Bind, Describe, Execute, Sync."""

    def encoded(self):
        return b"".join((
            packet(b"P", b"\0" + self.encode() + b"\0\0\0"), packet(b"B", b"\0\0\0\0\0\0\0\0"),
            packet(b"D", b"P\0"), packet(b"E", b"\0\0\0\0\0"), packet(b"S", b"")))


class Answer:
    """What one message brought: a (tag, rows) for each statement, then perhaps an error."""

    __slots__ = ("results", "sqlstate", "message", "sent", "done")

    def __init__(self, sent):
        self.results, self.sqlstate, self.message = [], None, None
        self.sent, self.done = sent, None

    @property
    def rows(self):
        return self.results[-1][1] if self.results else []

    @property
    def tag(self):
        return self.results[-1][0] if self.results else ""

    def split(self, messages):
        """The same as if each of `messages`, sent as one, had been sent for itself."""
        parts = []
        for place in range(len(messages)):
            part = Answer(self.sent)
            part.done = self.done
            if place < len(self.results):
                part.results = [self.results[place]]
            elif place == len(self.results):
                part.sqlstate, part.message = self.sqlstate, self.message
            else:
                part.sqlstate, part.message = "25P02", "skipped after the error before it"
            parts.append(part)
        return parts


class Client:
    def __init__(self, port, generator):
        self.generator = generator
        opening = Connection("127.0.0.1", port)
        self.socket = opening.socket
        self.socket.setblocking(False)
        self.buffer = b""
        self.answers, self.answer, self.rows = [], None, []
        self.expected, self.messages = 0, ()
        self.is_lost = False

    def start(self):
        self._send(next(self.generator))

    def _send(self, messages):
        parts = []
        for sql in messages:
            parts.append(sql.encoded() if isinstance(sql, Extended) else query_message(sql))
        self.messages = messages
        self.answers, self.expected = [], len(messages)
        sent = time.monotonic_ns()
        self.answer, self.sent = Answer(sent), sent
        data = b"".join(parts)
        try:
            count = self.socket.send(data)
            if count < len(data):
                self.socket.setblocking(True)
                self.socket.sendall(data[count:])
                self.socket.setblocking(False)
        except OSError:
            pass  # the end of the stream will be read, and thrown to the generator

    def read(self):
        """Takes what has come; runs the generator on when all answers are there."""
        try:
            chunk = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.is_lost = True
            self.generator.throw(Disconnected("end of stream"))
            raise RuntimeError("a client went on without its connection")
        if self.buffer:
            chunk = self.buffer + chunk
        at, end = 0, len(chunk)
        while end - at >= 5:
            length = int.from_bytes(chunk[at + 1:at + 5], "big")
            after = at + 1 + length
            if after > end:
                break
            kind = chunk[at]
            if kind == 0x44:  # DataRow
                self.rows.append(row_of(chunk, at + 5))
            elif kind == 0x43:  # CommandComplete
                self.answer.results.append((chunk[at + 5:after - 1].decode(), self.rows))
                self.rows = []
            elif kind == 0x45:  # ErrorResponse
                self._error(chunk[at + 5:after])
            elif kind == 0x5A:  # ReadyForQuery
                self.answer.done = time.monotonic_ns()
                self.answers.append(self.answer)
                self.answer, self.rows = Answer(self.sent), []
                if len(self.answers) == self.expected:
                    self.buffer = chunk[after:]
                    self._send(self.generator.send(self.answers))
                    return
            at = after
        self.buffer = chunk[at:]

    def _error(self, body):
        if self.answer.sqlstate is None:
            fields = fields_of(body)
            self.answer.sqlstate, self.answer.message = fields.get("C", ""), fields.get("M", "")
        self.rows = []


def drive(port, generators, silence, connected, lost):
    """Runs the generators, each on a connection of its own, until all have ended.

    `connected` is called when all have a connection, `lost` at once when one's ends before it did. A client that
    cannot connect raises, and so does a server that is silent for `silence` seconds.
    """
    selector = selectors.DefaultSelector()
    left = 0
    clients = [Client(port, generator) for generator in generators]
    connected()
    for client in clients:
        try:
            client.start()
        except StopIteration:
            client.socket.close()
            continue
        selector.register(client.socket, selectors.EVENT_READ, client)
        left += 1
    while left:
        ready = selector.select(silence)
        if not ready:
            waiting = [key.data.messages for key in selector.get_map().values()]
            raise TimeoutError(f"{left} clients have waited for an answer for {silence} s: {waiting}")
        for key, _ in ready:
            client = key.data
            try:
                client.read()
            except (StopIteration, Disconnected):
                if client.is_lost:
                    lost()
                selector.unregister(client.socket)
                client.socket.close()
                left -= 1
    selector.close()
