"""A restore that is looked at before it is finished (docs/operations/pitr-restore.md), with a server that shows it."""
import os

from claims import check
from disaster_recovery import Terminal, archived


def filled(terminal):
    """Two states in the archive, and when the first one was."""
    terminal.sql("CREATE TABLE t (id int PRIMARY KEY, note text)")
    terminal.sql("INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 1000) g")
    terminal.sql("SELECT falcon.backup('base')")
    terminal.sql("UPDATE t SET note = 'changed' WHERE id <= 10")
    moment = terminal.sql("SELECT clock_timestamp()")
    terminal.sql("DELETE FROM t WHERE id > 500")
    archived(terminal)
    return moment


def looked_at(terminal, binary):
    """What a server says of the state, and whether it kept it from everybody."""
    with terminal.serve(binary, "look") as server:
        state = terminal.sql("SELECT count(*), count(*) FILTER (WHERE note = 'changed') FROM t")
        check("a server shows the inspected state, in recovery",
              terminal.sql("SELECT pg_is_in_recovery()") == "t", state)
        end = terminal.sql("SELECT pg_last_wal_replay_lsn()")
        status = terminal.run("falconctl status")
        check("falconctl tells where it ends", f"log:           {end}\n" in status, status)
        refused = terminal.run("psql -AtXc \"INSERT INTO t VALUES (2000, 'new')\"", expects=1)
        check("and takes no writes", "read-only transaction" in refused, refused)
        busy = terminal.run("pitr-restore advance look --promote", expects=5)
        check("and nobody promotes it meanwhile", "in use" in busy, busy)
        check("and stops cleanly", server.stop() == 0)
    return state


def inspected(binary, directory):
    """Looks at a moment, goes on to the end, and makes a database of it."""
    place = os.path.join(directory, "inspected")
    os.mkdir(place)
    with open(os.path.join(place, "falcondb.toml"), "w") as file:
        file.write('[archive]\ndirectory = "' + os.path.join(place, "backup") + '"\ntimeout = "1s"\n')
    terminal = Terminal(os.path.dirname(os.path.abspath(binary)), place, False)
    with terminal.serve(binary, "data") as server:
        moment = filled(terminal)
        server.stop()
    terminal.run(f"pitr-restore apply --repo backup --to-time '{moment}' --inspect --out look --jobs 2")
    check("the inspected state is that of the moment", looked_at(terminal, binary) == "1000|10")
    terminal.run("pitr-restore advance look --to-latest")
    check("an advance shows what came next", looked_at(terminal, binary) == "500|10")
    back = terminal.run(f"pitr-restore advance look --to-time '{moment}'", expects=7)
    check("and there is no way back", "PITR012" in back, back)
    terminal.run("pitr-restore advance look --promote")
    with terminal.serve(binary, "look") as server:
        terminal.sql("INSERT INTO t VALUES (2000, 'new')")
        check("what was promoted is written to", terminal.sql("SELECT count(*), max(id) FROM t") == "501|2000")
        check("and in no recovery", terminal.sql("SELECT pg_is_in_recovery()") == "f")
        check("and stops cleanly", server.stop() == 0)
