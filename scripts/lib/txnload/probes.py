"""Short scripts of a few sessions, each for one promise: True when the server keeps it.

They are for what does not hold yet: `levels.NOT_YET` names those, and a run fails as soon as one of them
holds, so that it is moved to what must hold. Each is right on PostgreSQL 15 (`scripts/soak txn --postgres`).
"""
import threading
import time

from pgclient import ServerError

from .rounds import run_round


def _outcome(connection, *statements):
    """True when all of `statements` succeed; else the transaction is rolled back."""
    try:
        for sql in statements:
            connection.query(sql)
        return True
    except ServerError as error:
        if error.sqlstate not in ("40001", "40P01"):
            raise
        connection.query("rollback")
        return False


def _two(server, level):
    pair = server.connect(), server.connect()
    for connection in pair:
        connection.query(f"begin isolation level {level}")
    return pair


def _close(*connections):
    for connection in connections:
        connection.close()


def write_skew(server, admin):
    """T1 reads a and b and writes a; T2 reads both and writes b: one of them has to fail."""
    admin.query("create table p_skew (k int primary key, n int)")
    admin.query("insert into p_skew values (1, 1), (2, 1)")
    a, b = _two(server, "serializable")
    for connection in (a, b):
        connection.query("select sum(n) from p_skew where k in (1, 2)")
    first = _outcome(a, "update p_skew set n = 0 where k = 1")
    second = _outcome(b, "update p_skew set n = 0 where k = 2")
    first = first and _outcome(a, "commit")
    second = second and _outcome(b, "commit")
    _close(a, b)
    return not (first and second)


def phantom_skew(server, admin):
    """Each counts the rows of a range, finds none and inserts one."""
    admin.query("create table p_phantom (k int primary key, g int)")
    admin.query("create index p_phantom_g on p_phantom (g)")
    a, b = _two(server, "serializable")
    for connection in (a, b):
        connection.query("select count(*) from p_phantom where g between 10 and 20")
    first = _outcome(a, "insert into p_phantom values (1, 15)")
    second = _outcome(b, "insert into p_phantom values (2, 16)")
    first = first and _outcome(a, "commit")
    second = second and _outcome(b, "commit")
    _close(a, b)
    return not (first and second)


def read_only_anomaly(server, admin):
    """Fekete, O'Neil, O'Neil 2004: a third transaction, which only reads, makes two others unserializable."""
    admin.query("create table p_accounts (k int primary key, n int)")
    admin.query("insert into p_accounts values (1, 0), (2, 0)")
    a, b = _two(server, "serializable")
    a.query("select k, n from p_accounts")
    b.query("select n from p_accounts where k = 2")
    b.query("update p_accounts set n = 20 where k = 2")
    b.query("commit")
    reader = server.connect()
    seen = _outcome(reader, "begin isolation level serializable", "select k, n from p_accounts", "commit")
    wrote = _outcome(a, "update p_accounts set n = -11 where k = 1", "commit")
    _close(a, b, reader)
    return not (seen and wrote)


def do_nothing_invisible(server, admin):
    """ON CONFLICT DO NOTHING at REPEATABLE READ over a row committed since the snapshot: 40001."""
    admin.query("create table p_quiet (k int primary key)")
    a = server.connect()
    a.query("begin isolation level repeatable read")
    a.query("select * from p_quiet")
    admin.query("insert into p_quiet values (1)")
    passed = _outcome(a, "insert into p_quiet values (1) on conflict do nothing", "commit")
    a.close()
    return not passed


def reborn_row(server, admin):
    """READ COMMITTED waits for a row that is deleted and inserted anew: that is another row, not to be touched."""
    admin.query("create table p_reborn (k int primary key, n int)")
    admin.query("insert into p_reborn values (1, 1)")
    a, b = server.connect(), server.connect()
    for sql in ("begin", "delete from p_reborn where k = 1", "insert into p_reborn values (1, 10)"):
        a.query(sql)
    waiting = threading.Thread(target=b.query, args=("update p_reborn set n = n + 100 where k = 1",))
    waiting.start()
    while waiting.is_alive() and not admin.query("select 1 from pg_stat_activity where wait_event_type = 'Lock'"):
        time.sleep(0.005)  # polling the server for the wait that the probe is about
    a.query("commit")
    waiting.join(30)
    _close(a, b)
    return admin.query("select n from p_reborn") == [["10"]]


def pipelined_answers(server, admin):
    """Messages sent before the first is answered: each answer comes whole and in its place."""
    admin.query("create table p_rows (id bigint primary key, g int not null)")
    admin.query("create index p_rows_g on p_rows (g)")
    admin.query(f"insert into p_rows select i, i % {GROUPS} from generate_series(1, {20 * GROUPS}) as g(i)")
    _, problems, _ = run_round(server, _pipeline, [(i,) for i in range(16)], 1, silence=4)
    return not problems


GROUPS = 40


def _pipeline(round_, number):
    for count in range(1000):
        group = (number + count) % GROUPS
        answers = yield ["begin", f"select id from p_rows where g = {group}", "rollback"]
        rows = [row[0] for row in answers[1].rows]
        is_whole = len(rows) == 20 and all(row.isdigit() and int(row) % GROUPS == group for row in rows)
        if [answer.tag for answer in answers] != ["BEGIN", "SELECT 20", "ROLLBACK"] or not is_whole:
            round_.problems.append(f"client {number}: {answers[1].tag} {rows}")
        if round_.problems:
            return


#: (level, what, probe)
PROBES = [
    ("serializable", "no write skew", write_skew),
    ("serializable", "no write skew by phantoms", phantom_skew),
    ("serializable", "no read-only anomaly", read_only_anomaly),
    ("repeatable read", "ON CONFLICT DO NOTHING over an invisible row fails", do_nothing_invisible),
    ("read committed", "a row deleted and inserted anew is another row", reborn_row),
    ("all", "messages sent ahead are answered whole", pipelined_answers),
]
