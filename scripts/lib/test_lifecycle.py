"""The server as a process: its command line, what it refuses to start on, and how it stops."""
import argparse
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from claims import check, finish
from disaster_recovery import claims, disaster
from falconserver import Server, free_port
from inspected_restore import inspected
from large_transactions import large_transactions
from operator_example import operator_example
from operator_program import operator_program
from pgclient import Disconnected, ServerError


def run(binary, *arguments):
    done = subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def command_line(binary, directory):
    code, out, _ = run(binary, "--version")
    check("--version", code == 0 and out.startswith("falcondb "), out)
    code, out, error = run(binary, "--data-dri", "x")
    check("an unknown flag names the nearest", code == 64 and "--data-dir" in error, error)
    with open("/dev/full", "w") as full:
        done = subprocess.run([binary, "--print-default-config"], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60)
    check("--print-default-config to a full device fails",
          done.returncode == 74 and "No space left" in done.stderr, done)
    code, out, _ = run(binary, "--print-default-config")
    check("--print-default-config", code == 0 and "pg_addr = " in out, out)
    path = os.path.join(directory, "bad.toml")
    with open(path, "w") as file:
        file.write(out.replace("max_connections", "max_conections"))
    code, _, error = run(binary, "--config", path)
    check("an unknown key names the nearest",
          code == 64 and 'Did you mean "server.max_connections"?' in error, (code, error))
    code, _, error = run(binary, "--config", os.path.join(directory, "absent.toml"))
    check("a configuration file that is not there", code == 64 and "No such file" in error, error)


def refusals(binary, directory):
    data = os.path.join(directory, "data")
    server = Server(binary, data, os.path.join(directory, "log")).start()
    try:
        code, _, error = run(binary, "--data-dir", data, "--pg-addr", f"127.0.0.1:{free_port()}",
                             "--admin-addr", f"127.0.0.1:{free_port()}")
        check("a data directory in use is refused", code == 1 and "in use by another process" in error, error)
        other = os.path.join(directory, "other")
        code, _, error = run(binary, "--data-dir", other, "--pg-addr", f"127.0.0.1:{server.port}",
                             "--admin-addr", f"127.0.0.1:{free_port()}")
        check("a PostgreSQL port in use is refused", code == 1 and "--pg-addr" in error, error)
        code, _, error = run(binary, "--data-dir", other, "--pg-addr", f"127.0.0.1:{free_port()}",
                             "--admin-addr", f"127.0.0.1:{server.admin_port}")
        check("an admin port in use is refused", code == 1 and "--admin-addr" in error, error)
        check("no directory is left behind by them", not os.path.exists(other))
        os.makedirs(other)
        with open(os.path.join(other, "PG_VERSION"), "w") as file:
            file.write("15\n")
        free = ["--pg-addr", f"127.0.0.1:{free_port()}", "--admin-addr", f"127.0.0.1:{free_port()}"]
        code, _, error = run(binary, "--data-dir", other, *free)
        check("a directory of somebody else's is refused and left alone",
              code == 1 and "PG_VERSION is there" in error and os.listdir(other) == ["PG_VERSION"],
              (code, error))
        for limit, said in (("-n 100", "open files is too low"), ("-v 600000", "address space is too low")):
            done = subprocess.run(
                ["bash", "-c", f'ulimit {limit}; exec "$@"', "-", binary, "--data-dir",
                 os.path.join(directory, "limited"), *free],
                capture_output=True, text=True, timeout=60)
            check(f"ulimit {limit} is refused", done.returncode == 1 and said in done.stderr, done)
        for name in ("SIGHUP", "SIGUSR1", "SIGUSR2"):
            server.process.send_signal(getattr(signal, name))
        until(lambda: "SIGHUP: the configuration" in server.tail(), "SIGHUP is answered in the log")
        health = json.loads(server.page("/health"))
        check("/health is ok", health["status"] == "ok", health)
        metrics = server.page("/metrics")
        check("/metrics counts connections", "falcon_connections_opened_total" in metrics, metrics)
    finally:
        check("SIGTERM ends it with status 0", server.stop() == 0, server.tail())
    server.start()
    check("it starts again on the same directory", True)
    check("and ends again", server.stop() == 0, server.tail())


SLOW = "select count(*) from generate_series(1, 2000000000)"


def in_background(connection, sql):
    """Runs `sql`; the list gets its outcome."""
    outcome = []

    def body():
        try:
            outcome.append(connection.query(sql))
        except ServerError as error:
            outcome.append(error)
        except Disconnected as error:
            outcome.append(error)
    thread = threading.Thread(target=body)
    thread.start()
    return thread, outcome


def until(condition, what):
    """Waits for something that only shows when asked."""
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited in vain until {what}")


def busy_workers(server):
    for line in server.page("/metrics").splitlines():
        if line.startswith("falcon_worker_jobs "):
            return int(line.split()[1])
    return 0


def stopping(binary, directory):
    config = os.path.join(directory, "short.toml")
    with open(config, "w") as file:
        file.write('[server]\nshutdown_grace = "1s"\n')
    data = os.path.join(directory, "stop")
    server = Server(binary, data, os.path.join(directory, "log2"), ("--config", config)).start()
    idle, busy = server.connect(), server.connect()
    thread, outcome = in_background(busy, SLOW)
    until(lambda: busy_workers(server) > 0, "the statement runs")
    began = time.monotonic()
    code = server.stop()
    took = time.monotonic() - began
    thread.join()
    check("a statement beyond the grace period is cancelled",
          code == 0 and 0.9 < took < 8, (code, took, server.tail()))
    check("its client is told so",
          getattr(outcome[0], "sqlstate", "") in ("57014", "57P01"), outcome)
    try:
        idle.query("select 1")
        check("an idle client is told 57P01", False, "it answered")
    except (ServerError, Disconnected) as error:
        check("an idle client is told 57P01",
              getattr(error, "sqlstate", "57P01") == "57P01", error)

    with open(config, "w") as file:
        file.write('[server]\nshutdown_grace = "60s"\n')
    server.start()
    busy = server.connect()
    thread, outcome = in_background(busy, SLOW)
    until(lambda: busy_workers(server) > 0, "the statement runs")
    server.process.send_signal(signal.SIGTERM)
    until(lambda: "received SIGTERM" in server.tail(), "the signal is logged")

    def ended():
        # One that follows the first at once counts as the same: it is repeated.
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGTERM)
        return server.process.poll() is not None
    until(ended, "a repeated signal ends it")
    code = server.process.wait(10)
    thread.join()
    check("a second signal leaves at once", code == 130, code)
    server.start()
    check("the directory opens after that", True)
    check("and closes", server.stop() == 0, server.tail())


def damaged(binary, directory):
    """The catalog's table is cut: the server says so and how to go on, and goes on when told to."""
    data = os.path.join(directory, "damaged")
    server = Server(binary, data, os.path.join(directory, "log3")).start()
    connection = server.connect()
    connection.query("create table d (id int primary key)")
    connection.query("insert into d select * from generate_series(1, 1000)")
    connection.query("checkpoint")
    check("it closes", server.stop() == 0, server.tail())
    for name in os.listdir(os.path.join(data, "sst")):
        path = os.path.join(data, "sst", name)
        os.truncate(path, os.path.getsize(path) // 2)
    try:
        server.start()
        check("a catalog in a damaged table is refused", False, "it started")
        server.kill()
    except RuntimeError as error:
        check("a catalog in a damaged table is refused, with the way out",
              "--drop-damaged-tables" in str(error), error)
    server.extra = ("--drop-damaged-tables",)
    server.start()
    with open(server.log_path) as log:
        check("what was given up is logged", "given up: " in log.read())
    server.connect().query("create table d (id int primary key)")
    check("it closes again", server.stop() == 0, server.tail())
    server.extra = ()
    check("and starts without the flag", server.start().stop() == 0, server.tail())


def prepared(binary, directory):
    """kill -9 between PREPARE and the decision: what was prepared is there and locked, invisible until
    COMMIT PREPARED, and half of it is rolled back."""
    data = os.path.join(directory, "prepared")
    server = Server(binary, data, os.path.join(directory, "log4")).start()
    connection = server.connect()
    connection.query("create table accounts (id int primary key, balance int not null)")
    connection.query("create table moves (id int, amount int)")
    connection.query("insert into accounts select i, 0 from generate_series(0, 39) i")
    for number in range(20):
        connection.query(
            f"begin; insert into moves values ({number}, {number});"
            f"update accounts set balance = balance - {number} where id = {2 * number};"
            f"update accounts set balance = balance + {number} where id = {2 * number + 1};"
            f"prepare transaction 'move {number}'")
    for number in range(0, 20, 4):
        connection.query(f"commit prepared 'move {number}'")
    server.kill()
    connection = server.start().connect()
    names = {f"move {number}" for number in range(20) if number % 4}
    found = {name for name, in connection.query("select gid from pg_prepared_xacts")}
    check("what was prepared before a SIGKILL is there after it", found == names, found)
    shown = connection.query("select count(*) from moves")
    check("and nothing of it is visible", shown == [["5"]], shown)
    metrics = server.page("/metrics")
    check("it is counted", "\nfalcon_prepared_transactions 15\n" in metrics, metrics[-3000:])
    connection.query("set lock_timeout = '20ms'")
    try:
        connection.query("update accounts set balance = 1 where id = 3")
        check("its rows are locked", False)
    except ServerError as error:
        check("its rows are locked", error.sqlstate == "55P03", error)
    for number in range(20):
        if number % 4 == 1:
            connection.query(f"rollback prepared 'move {number}'")
        elif number % 4 == 2:
            connection.query(f"commit prepared 'move {number}'")
    server.kill()
    connection = server.start().connect()
    for number in range(3, 20, 4):
        connection.query(f"commit prepared 'move {number}'")
    committed = [number for number in range(20) if number % 4 != 1]
    moved = sorted(int(number) for number, in connection.query("select id from moves"))
    check("what was committed is there, and no more", moved == committed, moved)
    balances = [int(value) for value, in connection.query(
        "select balance from accounts order by id")]
    expected = [sign * number * (number % 4 != 1) for number in range(20) for sign in (-1, 1)]
    check("with every sum right", balances == expected, balances)
    check("nothing is left", connection.query("select * from pg_prepared_xacts") == [])
    check("it closes", server.stop() == 0, server.tail())
    done = subprocess.run([os.path.join(os.path.dirname(binary), "cdc-tail"), data],
                          capture_output=True, text=True, timeout=60)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    rows = [int(event["after"]["id"]) for event in events
            if event.get("table", "").endswith("moves") and event.get("op") == "insert"]
    check("cdc-tail shows a transaction when it is committed, in that order",
          rows == [n for rest in (0, 2, 3) for n in range(rest, 20, 4)], (rows, done.stderr))


def encrypted(binary, directory):
    """An encrypted directory: nothing of a row is readable in it, and only its key opens it."""
    data = os.path.join(directory, "encrypted")

    def config(name):
        key = os.path.join(directory, name + ".key")
        if not os.path.exists(key):
            with open(key, "w") as file:
                file.write(os.urandom(32).hex())
        path = os.path.join(directory, name + ".toml")
        with open(path, "w") as file:
            file.write(f'[storage]\nencryption = true\nencryption_key_file = "{key}"\n')
        return path, key

    def refused(*arguments):
        code, _, error = run(binary, "--data-dir", data, "--pg-addr", f"127.0.0.1:{free_port()}",
                             "--admin-addr", f"127.0.0.1:{free_port()}", *arguments)
        return code == 6 and "Nothing was read or changed" in error

    (first, _), (other, key) = config("first"), config("other")
    server = Server(binary, data, os.path.join(directory, "log6"), ("--config", first)).start()
    connection = server.connect()
    connection.query("create table e (id int primary key, t text)")
    connection.query("insert into e select i, 'Geheimnis ' || i from generate_series(1, 5000) i")
    connection.query("vacuum full e")
    connection.query("insert into e values (0, 'Geheimnis')")
    check("SHOW falcon.tde_status", connection.query("show falcon.tde_status") == [["on"]])
    check("/metrics counts encrypted tables",
          'falcon_encryption_table_files{state="plain"} 0' in server.page("/metrics"))
    server.kill()
    readable = []
    for where, _, names in os.walk(data):
        for name in names:
            with open(os.path.join(where, name), "rb") as file:
                if b"Geheimnis" in file.read():
                    readable.append(name)
    check("nothing of a row is readable", not readable, readable)
    check("no key and a wrong one are refused", refused() and refused("--config", other))
    server.start()
    try:
        server.connect().query("select falcon.rotate_data_keys()")
        check("others may not rotate keys", False)
    except ServerError as error:
        check("others may not rotate keys", error.sqlstate == "42501", error)
    connection = server.connect(user="postgres")
    check("the rows are there", connection.query("select count(*) from e") == [["5001"]])
    connection.query(f"select falcon.rotate_master_key('key_file', '{key}')")
    connection.query("select falcon.rotate_data_keys()")
    check("it closes", server.stop() == 0, server.tail())
    check("the old master key opens it no more", refused("--config", first))
    server = Server(binary, data, os.path.join(directory, "log7"), ("--config", other)).start()
    check("the new one does", server.connect().query("select count(*) from e") == [["5001"]])
    check("and closes", server.stop() == 0, server.tail())


def destroyed(binary, directory):
    """docs/operations/disaster-recovery.md, by its commands."""
    place = os.path.join(directory, "destroyed")
    os.mkdir(place)
    claims(*disaster(os.path.dirname(os.path.abspath(binary)), place))


def options_of(program, *words):
    """The long options that its help lists."""
    return set(re.findall(r"(--[a-z][a-z_0-9-]*)", re.sub(r"(?s)^.*?OPTIONS:", "", run(program, *words, "--help")[1])))


def installed(binary, directory):
    """scripts/install puts programs, man pages and completions where they belong."""
    place, programs = os.path.join(directory, "installed"), os.path.dirname(os.path.abspath(binary))
    done = subprocess.run(["scripts/install", "--prefix", "/usr", "--destdir", place], capture_output=True, text=True,
                          timeout=300, env={**os.environ, "FALCON_BIN": programs})
    check("scripts/install", done.returncode == 0, done.stdout + done.stderr)
    for words in (["falcondb"], ["sst-verify"], ["wal-inspect"], ["cdc-tail"], ["pitr-restore"], ["pitr-restore", "plan"],
                  ["pitr-restore", "apply"], ["pitr-restore", "advance"], ["falcon-bench", "kv"], ["falconctl", "status"],
                  ["falconctl", "slot", "peek"]):
        program = os.path.join(place, "usr/bin", words[0])
        with open(os.path.join(place, "usr/share/man/man1", "-".join(words) + ".1")) as file:
            page = file.read().replace("\\-", "-")
        wanted = options_of(program, *words[1:]) - {"--help", "--version"}
        missing = sorted(option for option in wanted if option not in page)
        check(f"the man page of {' '.join(words)} has all of its options", wanted and not missing, missing)
    for name in ("falcondb", "pitr-restore"):
        script = os.path.join(place, "usr/share/bash-completion/completions", name)
        done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, timeout=60)
        check(f"bash reads the completions of {name}", done.returncode == 0 and os.path.getsize(script) > 500, done.stderr)
    code, _, error = run("scripts/install", "--prefix", "relative")
    check("a relative prefix is refused", code == 1 and "no absolute path" in error, error)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="directory of the built falcondb")
    binary = os.path.join(parser.parse_args().bin, "falcondb")
    with tempfile.TemporaryDirectory() as directory:
        for part in (command_line, refusals, stopping, damaged, prepared, large_transactions, encrypted, destroyed,
                     inspected, operator_program, operator_example, installed):
            try:
                part(binary, directory)
            except (RuntimeError, OSError) as error:
                check(part.__name__, False, error)
    finish()


if __name__ == "__main__":
    main()
