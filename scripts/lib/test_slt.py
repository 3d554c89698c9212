"""sqllogictest's files under Fixtures/slt against the server. Records whose answer PostgreSQL 15 does
not give either are listed in Fixtures/slt/exceptions.txt; the list is exact both ways. With --port any
running server is asked, PostgreSQL too, and --list prints the places that fail."""
import argparse
import contextlib
import glob
import gzip
import hashlib
import os
import sys
import tempfile
import time

from falconserver import Server
from pgclient import Connection, ServerError

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Fixtures", "slt")
BOOL = 16


def shown(value, kind, oid):
    """A value as the files have it."""
    if value is None:
        return "NULL"
    if oid == BOOL:
        value = "1" if value == "t" else "0"
    try:
        if kind == "I":
            return str(int(float(value)))
        if kind == "R":
            return "%.3f" % float(value)
    except (ValueError, OverflowError):
        return "0" if kind == "I" else "0.000"
    return "".join(c if " " <= c <= "~" else "@" for c in value) or "(empty)"


def records(text):
    """(line number, lines) of each record."""
    block, start = [], 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            if not block:
                start = number
            if not line.startswith("#"):
                block.append(line)
        elif block:
            yield start, block
            block = []
    if block:
        yield start, block


def concerns_us(block):
    """The record without its conditions; None when they exclude PostgreSQL."""
    while block and block[0].split()[0] in ("skipif", "onlyif"):
        word, engine = block[0].split()[:2]
        if (word == "skipif") == (engine == "postgresql"):
            return None
        block = block[1:]
    return block


class Failure(Exception):
    pass


class File:
    def __init__(self, connection):
        self.connection, self.threshold, self.labels = connection, 8, {}

    def statement(self, expected, sql):
        try:
            self.connection.query(sql)
            result, why = "ok", "expected an error"
        except ServerError as error:
            result, why = "error", str(error)
        if result != expected:
            raise Failure(why)

    def query(self, head, body):
        kinds, order = head[1], head[2] if len(head) > 2 else "nosort"
        cut = body.index("----") if "----" in body else len(body)
        expected = body[cut + 1:]
        try:
            rows = self.connection.query("\n".join(body[:cut]))
        except ServerError as error:
            raise Failure(str(error)) from None
        types = self.connection.types
        rows = [[shown(value, kinds[place] if place < len(kinds) else "T", types[place])
                 for place, value in enumerate(row)] for row in rows]
        if order == "rowsort":
            rows.sort()
        values = [value for row in rows for value in row]
        if order == "valuesort":
            values.sort()
        digest = hashlib.md5("".join(value + "\n" for value in values).encode()).hexdigest()
        if expected and "hashing to" in expected[0] and len(values) > self.threshold > 0:
            answer = [f"{len(values)} values hashing to {digest}"]
        else:
            answer = values
        if answer != expected:
            raise Failure(f"got {answer[:4]}, want {expected[:4]}")
        if len(head) > 3 and self.labels.setdefault(head[3], digest) != digest:
            raise Failure("differs from an earlier record of the same label")

    def run(self, text):
        """The count of records and what failed: (line, why)."""
        count, failures = 0, []
        for sql in ("drop schema if exists slt cascade", "create schema slt", "set search_path = slt"):
            self.connection.query(sql)
        for line, block in records(text):
            block = concerns_us(block)
            if not block:
                continue
            head = block[0].split()
            if head[0] == "halt":
                break
            if head[0] == "hash-threshold":
                self.threshold = int(head[1])
                continue
            count += 1
            try:
                if head[0] == "statement":
                    self.statement(head[1], "\n".join(block[1:]))
                elif head[0] == "query":
                    self.query(head, block[1:])
            except Failure as failure:
                failures.append((line, str(failure)))
        return count, failures


def exceptions():
    listed = set()
    with open(os.path.join(FIXTURES, "exceptions.txt")) as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                listed.update((words[0], int(number)) for number in words[1:])
    return listed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", help="directory of the built falcondb")
    parser.add_argument("--port", type=int, help="a running server instead")
    parser.add_argument("--list", action="store_true", help="print what fails and judge nothing")
    options = parser.parse_args()
    listed, failed, total = exceptions(), {}, 0
    with contextlib.ExitStack() as stack:
        server, port, status = None, options.port, 0
        if port is None:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            server = stack.enter_context(Server(os.path.join(options.bin, "falcondb"), os.path.join(directory, "data"),
                                                os.path.join(directory, "log"))).start()
            port = server.port
        for path in sorted(glob.glob(os.path.join(FIXTURES, "*.test.gz"))):
            name = os.path.basename(path).removesuffix(".test.gz")
            began = time.monotonic()
            connection = Connection("127.0.0.1", port)
            with gzip.open(path, "rt", encoding="utf-8") as file:
                count, failures = File(connection).run(file.read())
            connection.query("drop schema slt cascade")
            connection.close()
            total += count
            for line, why in failures:
                failed[name, line] = why
            print(f"{name}: {count} records, {len(failures)} failed, "
                  f"{time.monotonic() - began:.1f} s", flush=True)
        if server and (status := server.stop()) != 0:
            print(f"FAILED  SIGTERM ended the server with {status}: {server.tail()}")
    if options.list:
        for (name, line), why in sorted(failed.items()):
            print(f"{name} {line}  # {why.splitlines()[0]}")
        return
    wrong = [(place, why) for place, why in sorted(failed.items()) if place not in listed]
    for (name, line), why in wrong[:20]:
        print(f"FAILED  {name}:{line}: {why}")
    gone = sorted(listed - set(failed))
    for name, line in gone[:20]:
        print(f"FAILED  {name}:{line} is listed as an exception and holds")
    print(f"{total} records, {len(listed)} exceptions, {len(wrong) + len(gone)} failed")
    sys.exit(1 if wrong or gone or status else 0)


if __name__ == "__main__":
    main()
