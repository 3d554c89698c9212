"""What wrong input gets: SQL errors with PostgreSQL's SQLSTATEs and a transaction that waits for its
ROLLBACK, malformed messages with an error or a close, tools with the exit codes of their contract; and
the server lives on.
"""
import os
import socket
import sys

import gatekit
from falconserver import Server, free_port
from pgclient import Disconnected, ServerError

STATEMENTS = [
    ("selec 1", "42601"), ("select * from nowhere", "42P01"), ("select nothing from e", "42703"),
    ("select 1/0", "22012"), ("select 2147483647 + 1", "22003"), ("select 'x'::int", "22P02"),
    ("insert into e values (1, 1)", "23505"), ("insert into e values (null, 1)", "23502"),
    ("insert into e values (3, -1)", "23514"), ("select nofunction(1)", "42883"),
    ("create table e (id int)", "42P07"), ("drop table nowhere", "42P01"),
    ("select 'a' + 1", "22P02"), ("insert into e values (4, 99999999999)", "22003"),
    ("select " + "(" * 20000 + "1" + ")" * 20000, "54001"),
]


def sqlstate(connection, sql):
    try:
        connection.query(sql)
    except ServerError as error:
        return error.sqlstate
    return "no error"


def statements(server):
    connection = server.connect()
    connection.query("create table e (id int primary key, amount int check (amount >= 0))")
    connection.query("insert into e values (1, 1), (2, 2)")
    for sql, wanted in STATEMENTS:
        got = sqlstate(connection, sql)
        if got != wanted:
            yield f"{sql[:60]}: {got}, not {wanted}"
    connection.query("begin")
    connection.query("update e set amount = 9 where id = 1")
    sqlstate(connection, "select 1/0")
    if sqlstate(connection, "select 1") != "25P02":
        yield "a failed transaction goes on"
    connection.query("rollback")
    if connection.query("select amount from e order by id") != [["1"], ["2"]]:
        yield "a failed transaction left something behind"
    connection.close()


def malformed(server, chance, count):
    for _ in range(count):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
            raw.settimeout(30)
            junk = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 200)))
            try:
                raw.sendall(junk)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(65536):
                    pass
            except ConnectionError:
                pass
            except TimeoutError:
                yield f"neither an answer nor a close for {junk.hex()}"
    if server.process.poll() is not None:
        yield f"the server ended with {server.process.returncode}: {server.tail()}"
    elif server.connect().query("select count(*) from e") != [["2"]]:
        yield "the server answers wrongly after malformed messages"


def exit_codes(binary, scratch, server):
    def tool(name, *arguments):
        return gatekit.run(os.path.join(binary, name), *arguments)

    nowhere = os.path.join(scratch, "nowhere")
    sound = server.data_dir
    tools = ("sst-verify", "wal-inspect", "pitr-restore", "cdc-tail")
    for name in tools:
        for what, wanted, arguments in (
                ("an unknown option", 1, ["--no-such-option", sound]),
                ("no arguments", 1, []), ("no such directory", 4, [nowhere])):
            if name == "pitr-restore" and arguments == [nowhere]:
                arguments = [nowhere, "--to-latest", "--dry-run"]
            got = tool(name, *arguments)
            if got.returncode != wanted:
                yield f"{name} with {what} exits {got.returncode}, not {wanted}: {got.stderr[-200:]}"
            elif not (got.stdout + got.stderr).strip():
                yield f"{name} with {what} says nothing"
    if tool("falcon-bench", "tpcb", f"--port={free_port()}").returncode != 7:
        yield "tpcb without a server does not exit 7"
    second = Server(server.binary, sound, os.path.join(scratch, "second.log"))
    try:
        second.start(timeout=30)
        second.kill()
        yield "a second server starts on a directory in use"
    except RuntimeError as error:
        if "in use" not in str(error):
            yield f"a second server does not say that the directory is in use: {error}"


def main():
    options, chance = gatekit.options("errors", __doc__, malformed=200)
    with gatekit.scratch() as scratch:
        server = Server(os.path.join(options.bin, "falcondb"), os.path.join(scratch, "data"),
                        os.path.join(scratch, "log"))
        server.start()
        try:
            problems = [*statements(server),
                        *malformed(server, chance, options.malformed),
                        *exit_codes(options.bin, scratch, server)]
        except Disconnected as error:
            problems = [f"the server hung up: {error}, {server.tail()}"]
        finally:
            if server.is_running():
                server.kill()
    for problem in problems:
        print(problem[:500])
    print(f"errors: {len(STATEMENTS)} statements, {options.malformed} malformed streams, "
          f"{len(problems)} problem(s)")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
