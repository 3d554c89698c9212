"""Transactions that write several times what their memory may be, on a server that is killed in between."""
import os
import re
import threading
import time

from claims import check
from falconserver import Server
from pgclient import Disconnected, ServerError

BUDGET = 128 << 20
ROWS = 200_000
SUMS = "select count(*), sum(a), sum(c), min(b), max(b) from large"


def rows(first, last):
    return f"select i, lpad(i::text, 200, 'x'), 1 from generate_series({first}, {last}) as i"


def started(binary, directory):
    config = os.path.join(directory, "large.toml")
    with open(config, "w") as file:
        file.write(f'[storage]\nmemory_budget = {BUDGET}\n')
    return Server(binary, os.path.join(directory, "large"), os.path.join(directory, "large.log"),
                  extra=["--config", config])


def metric(server, name):
    return float(re.search(rf"^{name} (\S+)$", server.page("/metrics"), re.M).group(1))


def spill_files(directory):
    path = os.path.join(directory, "large", "spill")
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def until(condition, what):
    """Waits for something that only shows when asked."""
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited in vain until {what}")
        time.sleep(0.01)


def resident(server):
    """Most bytes that the server has had in memory."""
    with open(f"/proc/{server.process.pid}/status") as file:
        return int(re.search(r"^VmHWM:\s+(\d+) kB$", file.read(), re.M).group(1)) << 10


def killed_in_the_middle(server, directory):
    """Nothing of a transaction that had spilled is there after kill -9, its files included."""
    connection = server.connect(timeout=300)
    connection.query("begin")
    connection.query(f"insert into large {rows(11, ROWS)}")
    check("a transaction of several times its share spills", metric(server, "falcon_spilled_transactions_total") == 1)
    check("and its files are counted", metric(server, "falcon_spill_file_bytes") > 10 << 20)
    check("and there", len(spill_files(directory)) > 1, spill_files(directory))
    server.kill()
    server.start()
    answer = server.connect().query("select count(*) from large")
    check("kill -9 in the middle leaves nothing of it", answer == [["10"]], answer)
    until(lambda: not spill_files(directory), "the left-over files are removed")
    check("nor its files", not spill_files(directory))


def committed(server):
    """What it reads of its own writes is what others read after COMMIT; returns the answer."""
    connection = server.connect(timeout=300)
    idle = resident(server)
    connection.query("begin")
    connection.query(f"insert into large {rows(11, ROWS)}")
    connection.query("update large set c = c + a % 5")
    connection.query("savepoint p")
    connection.query("update large set c = 0, b = 'undone' where a % 2 = 0")
    connection.query("delete from large where a % 3 = 0")
    connection.query("rollback to p")
    inside = connection.query(SUMS)
    check("it sees all of its writes, and what ROLLBACK TO undid is gone", inside[0][0] == str(ROWS), inside)
    check("others see nothing of it", server.connect().query("select count(*) from large") == [["10"]])
    connection.query("commit")
    answer = server.connect().query(SUMS)
    check("COMMIT shows exactly that", answer == inside, (answer, inside))
    written = metric(server, "falcon_spilled_bytes_total")
    check("it was many times its share", written > 8 * BUDGET / 16, written)
    check("memory stays within the budget", resident(server) - idle < 1.25 * BUDGET, resident(server) - idle)
    check("no file of it is left", metric(server, "falcon_spill_file_bytes") == 0)
    return answer


def killed_around_commit(server, directory):
    """kill -9 while COMMIT is under way: all of it or nothing."""
    for delay in (0.0, 0.05, 0.2, 0.5, 1.0):
        connection = server.connect(timeout=300)
        before = connection.query(SUMS)
        connection.query("begin")
        connection.query(f"update large set c = c + 1 where a <= {ROWS // 2}")
        after = connection.query(SUMS)
        check("that is one that spills", metric(server, "falcon_spill_file_bytes") > 0)
        outcome = []

        def commit():
            try:
                outcome.append(connection.query("commit"))
            except (Disconnected, ServerError) as error:
                outcome.append(error)
        thread = threading.Thread(target=commit)
        thread.start()
        thread.join(delay)  # the kill is to come at different moments of the commit
        server.kill()
        thread.join()
        server.start()
        answer = server.connect(timeout=300).query(SUMS)
        expected = (before, after) if isinstance(outcome[0], Exception) else (after,)
        check(f"kill -9 {delay} s into COMMIT leaves all of it or nothing", answer in expected,
              (answer, before, after, outcome))
        until(lambda: not spill_files(directory), "the left-over files are removed")


def large_transactions(binary, directory):
    with started(binary, directory).start() as server:
        server.connect().query("create table large (a int primary key, b text, c int)")
        server.connect().query(f"insert into large {rows(1, 10)}")
        killed_in_the_middle(server, directory)
        answer = committed(server)
        server.kill()
        server.start()
        check("and it is there after kill -9", server.connect().query(SUMS) == answer)
        check("whose recovery stays within the budget", resident(server) < 4 * BUDGET, resident(server))
        killed_around_commit(server, directory)
        check("SIGTERM ends it with status 0", server.stop() == 0, server.tail())
