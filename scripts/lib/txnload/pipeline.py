"""Messages sent before the first is answered: each answer comes whole and in its place."""
from .rounds import run_round

CLIENTS, GROUPS, EACH = 16, 40, 20


def check(server):
    """The problems."""
    admin = server.connect()
    admin.query("create table ahead (id bigint primary key, g int not null)")
    admin.query("create index ahead_g on ahead (g)")
    admin.query(f"insert into ahead select i, i % {GROUPS} from generate_series(1, {EACH * GROUPS}) as g(i)")
    admin.close()
    _, problems, _ = run_round(server, _client, [(i,) for i in range(CLIENTS)], 1000 * CLIENTS, silence=30)
    return problems


def _client(round_, number):
    while True:
        group = (number + round_.done) % GROUPS
        answers = yield ["begin", f"select id from ahead where g = {group}", "rollback"]
        rows = [row[0] for row in answers[1].rows]
        is_whole = len(rows) == EACH and all(row.isdigit() and int(row) % GROUPS == group for row in rows)
        if [answer.tag for answer in answers] != ["BEGIN", f"SELECT {EACH}", "ROLLBACK"] or not is_whole:
            round_.problems.append(f"messages sent ahead, client {number}: {answers[1].tag} {rows}")
        if round_.is_over() or round_.problems:
            return
