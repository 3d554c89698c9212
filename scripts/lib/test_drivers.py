"""What real drivers do first: psycopg2, psycopg 3 and asyncpg against the server (or, to check the
test itself, against any PostgreSQL with --port). Runs in a virtual environment of its own with the
drivers from PyPI; `--python` names one that has them already."""
import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time

from claims import check, finish
from falconserver import Server

DRIVERS = ["psycopg2-binary==2.9.*", "psycopg[binary]==3.*", "asyncpg>=0.30,<1"]


def attempt(claim, body):
    try:
        result = body()
        check(claim, result is None or bool(result), result)
    except Exception as error:  # every driver has its own; the report needs whichever it was
        check(claim, False, f"{type(error).__name__}: {error}")


def with_psycopg2(port):
    import psycopg2
    import psycopg2.errors

    def connect():
        return psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")

    connection = connect()
    cursor = connection.cursor()

    def basics():
        cursor.execute("drop table if exists d2")
        cursor.execute("create table d2(id int primary key, name text, price numeric(10,2), at timestamptz)")
        cursor.executemany("insert into d2 values (%s, %s, %s, now())",
                           [(n, f"näme {n}", n / 4) for n in range(100)])
        connection.commit()
        cursor.execute("select id, name, price from d2 where id = %s", (7,))
        row = cursor.fetchone()
        return row[:2] == (7, "näme 7") and str(row[2]) == "1.75"

    def errors():
        try:
            cursor.execute("insert into d2 values (7)")
        except psycopg2.errors.UniqueViolation as error:
            if error.diag.constraint_name != "d2_pkey":
                return False
        try:
            cursor.execute("select 1")
        except psycopg2.errors.InFailedSqlTransaction:
            connection.rollback()
            cursor.execute("select 1")
            return cursor.fetchone() == (1,)
        return False

    def rollback():
        cursor.execute("delete from d2")
        connection.rollback()
        cursor.execute("select count(*) from d2")
        return cursor.fetchone() == (100,)

    def copy():
        import io
        cursor.execute("create table if not exists d2copy(a int, b text)")
        cursor.execute("delete from d2copy")
        cursor.copy_expert("copy d2copy from stdin", io.StringIO("1\tx\n2\t\\N\n"))
        out = io.StringIO()
        cursor.copy_expert("copy d2copy to stdout with (format csv)", out)
        connection.commit()
        return sorted(out.getvalue().split()) == ["1,x", "2,"]

    def waits():
        """A second writer of a row waits for the first and then goes on."""
        other = connect()
        cursor.execute("update d2 set price = 1 where id = 1")
        done = threading.Event()

        def second():
            with other.cursor() as second_cursor:
                second_cursor.execute("update d2 set price = price + 1 where id = 1")
            other.commit()
            done.set()
        thread = threading.Thread(target=second)
        thread.start()
        waited = not done.wait(0.2)
        connection.commit()
        thread.join(10)
        cursor.execute("select price from d2 where id = 1")
        row = cursor.fetchone()
        other.close()
        return waited and str(row[0]) == "2.00" or (waited, row)

    def scrolls():
        named = connection.cursor("d2scroll", scrollable=True)
        named.execute("select id from d2 order by id")
        named.scroll(97)
        forward = named.fetchmany(2)
        named.scroll(-3)
        back = named.fetchone()
        named.scroll(5, mode="absolute")
        absolute = named.fetchone()
        named.close()
        return (forward, back, absolute) == ([(97,), (98,)], (96,), (5,)) or (forward, back, absolute)

    def cancels():
        connection.rollback()
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        began = time.monotonic()
        try:
            cursor.execute("select count(*) from generate_series(1, 2000000000)")
        except psycopg2.errors.QueryCanceled:
            connection.rollback()
            return time.monotonic() - began < 0.3 + 0.15 or time.monotonic() - began
        return "it was not cancelled"

    for claim, body in [("psycopg2: tables, parameters, types", basics),
                        ("psycopg2: errors by class, then a failed transaction", errors),
                        ("psycopg2: rollback", rollback),
                        ("psycopg2: copy in and out", copy),
                        ("psycopg2: a writer waits for another", waits),
                        ("psycopg2: scrollable cursors", scrolls),
                        ("psycopg2: cancel within 150 ms", cancels)]:
        attempt(claim, body)
        connection.rollback()
    connection.close()


def with_psycopg3(port):
    import psycopg

    dsn = f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    with psycopg.connect(dsn) as connection:
        def basics():
            connection.execute("drop table if exists d3")
            connection.execute("create table d3(id int primary key, name varchar(20), ok bool)")
            with connection.cursor() as cursor:
                cursor.executemany("insert into d3 values (%s, %s, %s)",
                                   [(n, f"n{n}", n % 2 == 0) for n in range(50)])
            connection.commit()
            row = connection.execute("select * from d3 where id = %s", (8,)).fetchone()
            return row == (8, "n8", True) or row

        def prepared():
            for n in range(12):  # the sixth time becomes a named statement
                row = connection.execute("select name from d3 where id = %s", (n,)).fetchone()
                if row != (f"n{n}",):
                    return f"{n}: {row}"
            return True

        def binary():
            cursor = connection.cursor(binary=True)
            row = cursor.execute(
                "select 1::int2, 2::int4, 3::int8, 1.5::float8, 12.50::numeric, true, 'x'::text, "
                "date '2024-02-29', timestamp '2024-02-29 12:00:00.5'").fetchone()
            return [str(value) for value in row] == [
                "1", "2", "3", "1.5", "12.50", "True", "x", "2024-02-29",
                "2024-02-29 12:00:00.500000"] or row

        def pipeline():
            with connection.pipeline():
                cursors = [connection.execute("select %s::int", (n,)) for n in range(100)]
            return [cursor.fetchone()[0] for cursor in cursors] == list(range(100))

        def copy():
            connection.execute("create table if not exists d3copy(a int, b text)")
            connection.execute("delete from d3copy")
            with connection.cursor().copy("copy d3copy (a, b) from stdin") as copy:
                for n in range(1000):
                    copy.write_row((n, None if n % 3 else f"t\t{n}"))
            with connection.cursor().copy("copy d3copy to stdout") as copy:
                rows = list(copy.rows())
            connection.commit()
            return len(rows) == 1000 and ("3", "t\t3") in rows or rows[:3]

        def binary_copy():
            import datetime
            import decimal
            rows = [(n, None if n % 3 else f"t{n}", decimal.Decimal(n) / 4, datetime.date(2020, 1, 1), [n, None], n % 2 == 0)
                    for n in range(1000)]
            connection.execute("create table if not exists d3bin(a int, b text, c numeric, d date, e int[], f bool)")
            connection.execute("delete from d3bin")
            types = ["int4", "text", "numeric", "date", "int4[]", "bool"]
            with connection.cursor().copy("copy d3bin from stdin (format binary)") as copy:
                copy.set_types(types)
                for row in rows:
                    copy.write_row(row)
            with connection.cursor().copy("copy d3bin to stdout (format binary)") as copy:
                copy.set_types(types)
                found = sorted(copy.rows())
            connection.commit()
            return found == rows or found[:3]

        def server_cursors():
            """Rows of a FETCH come in the format that the cursor of the client asks for."""
            for binary in (False, True):
                with psycopg.ServerCursor(connection, "d3scroll", scrollable=True) as cursor:
                    cursor.format = psycopg.pq.Format.BINARY if binary else psycopg.pq.Format.TEXT
                    cursor.execute("select id, name from d3 order by id")
                    forward = cursor.fetchmany(2)
                    cursor.scroll(-1)
                    again = cursor.fetchone()
                    cursor.scroll(48, mode="absolute")
                    last = cursor.fetchall()
                found = (forward, again, last)
                if found != ([(0, "n0"), (1, "n1")], (1, "n1"), [(48, "n48"), (49, "n49")]):
                    return found
            return True

        def waits_to_be_analysed():
            """A column that an uncommitted ALTER TABLE adds is there after the wait."""
            with psycopg.connect(dsn) as other:
                connection.execute("alter table d3 add column if not exists late int default 7")
                answer = []
                thread = threading.Thread(
                    target=lambda: answer.append(other.execute("select late from d3 where id = %s", (1,)).fetchone()))
                thread.start()
                deadline = time.monotonic() + 10
                with psycopg.connect(dsn, autocommit=True) as watcher:
                    while not watcher.execute("select 1 from pg_stat_activity where wait_event = 'relation'").fetchone():
                        if answer or time.monotonic() > deadline:
                            return "it did not wait"
                        time.sleep(0.01)  # nothing else tells that a session waits
                connection.commit()
                thread.join(10)
                return answer == [(7,)] or answer

        def nested():
            with connection.transaction():
                connection.execute("update d3 set name = 'outer' where id = 1")
                try:
                    with connection.transaction():
                        connection.execute("update d3 set name = 'inner' where id = 1")
                        raise ValueError
                except ValueError:
                    pass
            return connection.execute("select name from d3 where id = 1").fetchone() == ("outer",)

        def status():
            return connection.info.parameter_status("server_version").startswith("15") \
                and connection.info.encoding == "utf-8"

        def notifies():
            with psycopg.connect(dsn, autocommit=True) as listener:
                listener.execute("listen d3ch")
                connection.execute("select pg_notify('d3ch', 'p' || n) from generate_series(1, 3) n")
                connection.commit()
                found = []
                for notify in listener.notifies():
                    found.append((notify.channel, notify.payload, notify.pid == connection.info.backend_pid))
                    if len(found) == 3:
                        break
                return found == [("d3ch", f"p{n}", True) for n in (1, 2, 3)] or found

        for claim, body in [("psycopg 3: notifies", notifies),
                            ("psycopg 3: tables, parameters", basics),
                            ("psycopg 3: statements it prepares itself", prepared),
                            ("psycopg 3: binary results", binary),
                            ("psycopg 3: pipeline mode", pipeline),
                            ("psycopg 3: copy in and out", copy),
                            ("psycopg 3: binary copy in and out", binary_copy),
                            ("psycopg 3: server-side cursors that scroll", server_cursors),
                            ("psycopg 3: a statement waits to be analysed", waits_to_be_analysed),
                            ("psycopg 3: nested transactions", nested),
                            ("psycopg 3: parameter status", status)]:
            attempt(claim, body)
            connection.rollback()


def with_asyncpg(port):
    import asyncpg

    async def run():
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user="postgres", database="postgres", ssl=False)
        try:
            await connection.execute("drop table if exists da; create table da(id int primary key, v text)")
            await connection.executemany(
                "insert into da values ($1, $2)", [(n, f"v{n}") for n in range(200)])
            check("asyncpg: executemany", await connection.fetchval("select count(*) from da") == 200)
            row = await connection.fetchrow("select id, v from da where id = $1", 5)
            check("asyncpg: fetchrow", row is not None and tuple(row) == (5, "v5"), row)
            await connection.execute("alter table da add column z int")
            row = await connection.fetchrow("select * from da where id = $1", 5)
            await connection.execute("alter table da drop column z")
            row = row and await connection.fetchrow("select * from da where id = $1", 5)
            check("asyncpg: prepares anew after DDL", row is not None and tuple(row) == (5, "v5"), row)
            async with connection.transaction():
                total = 0
                async for record in connection.cursor("select id from da order by id"):
                    total += record["id"]
            check("asyncpg: cursor", total == 199 * 100, total)
            async with connection.transaction():
                cursor = await connection.cursor("select id from da order by id")
                await cursor.forward(2)
                found = [record["id"] for record in await cursor.fetch(3)]
                insert = await connection.cursor("insert into da select generate_series(300, 304) returning id")
                found += [record["id"] for part in (2, 2, 2) for record in await insert.fetch(part)]
            check("asyncpg: portals piece by piece", found == [2, 3, 4, 300, 301, 302, 303, 304], found)
            copied = await connection.copy_records_to_table(
                "da", records=[(n, f"v{n}") for n in range(400, 500)], columns=["id", "v"])
            check("asyncpg: binary copy", copied == "COPY 100"
                  and await connection.fetchval("select v from da where id = 499") == "v499", copied)
            try:
                await connection.fetch("select 1/0")
                check("asyncpg: errors", False, "no error")
            except asyncpg.DivisionByZeroError:
                check("asyncpg: errors", await connection.fetchval("select 2") == 2)
            try:
                await asyncio.wait_for(
                    connection.fetchval("select count(*) from generate_series(1, 2000000000)"), 0.3)
                check("asyncpg: timeouts cancel", False, "no timeout")
            except asyncio.TimeoutError:
                check("asyncpg: timeouts cancel", await connection.fetchval("select 3") == 3)
            heard = asyncio.Queue()
            await connection.add_listener("dach", lambda *heard_of: heard.put_nowait(heard_of[2:]))
            await connection.execute("notify dach, 'its own'")
            found = await asyncio.wait_for(heard.get(), 10)
            check("asyncpg: listeners", found == ("dach", "its own"), found)
            await connection.reset()
            check("asyncpg: reset ends listening",
                  await connection.fetchval("select count(*) from pg_listening_channels()") == 0)
            check("asyncpg: version", "PostgreSQL 15" in await connection.fetchval("select version()"))
        finally:
            await connection.close()

    try:
        asyncio.run(run())
    except Exception as error:  # see attempt
        check("asyncpg", False, f"{type(error).__name__}: {error}")


def environment():
    """The Python of a virtual environment that has the drivers, kept between runs."""
    place = os.path.join(tempfile.gettempdir(), f"falcondb-drivers-{os.getuid()}")
    python = os.path.join(place, "bin", "python")
    if not os.path.exists(os.path.join(place, "complete")):
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
                        *DRIVERS], check=True)
        open(os.path.join(place, "complete"), "w").close()
    return python


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", help="directory of the built falcondb")
    parser.add_argument("--port", type=int, help="a running server instead")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        os.execv(environment(), [environment(), os.path.abspath(__file__), "--inside", *sys.argv[1:]])
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        server, port = None, options.port
        if port is None:
            server = stack.enter_context(Server(os.path.join(options.bin, "falcondb"), os.path.join(directory, "data"),
                                                os.path.join(directory, "log"))).start()
            port = server.port
        for name, body in [("psycopg2", with_psycopg2), ("psycopg 3", with_psycopg3), ("asyncpg", with_asyncpg)]:
            try:
                body(port)
            except Exception as error:  # see attempt
                check(name, False, f"{type(error).__name__}: {error}")
        if server:
            check("the server ends cleanly", server.stop() == 0, server.tail())
    finish()


if __name__ == "__main__":
    main()
