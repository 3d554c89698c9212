"""psql as a person uses it, against the server (or, to check the test itself, against any PostgreSQL
with --port): multi-line statements, a caret under errors, \\copy, \\timing, Ctrl-C."""
import argparse
import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from claims import check, finish
from falconserver import Server


class Psql:
    """psql on a terminal of its own."""

    def __init__(self, port, user="falcon"):
        self.text = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", PAGER="cat", PSQL_HISTORY="/dev/null", PGCONNECT_TIMEOUT="10")
            os.execvp("psql", ["psql", "-X", "-n", "-h", "127.0.0.1", "-p", str(port), "-U", user,
                               "postgres"])
        self.expect(r"postgres[=>#]+ $")

    def expect(self, pattern, timeout=20):
        """Reads until `pattern` matches what came since the last match; returns that text."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.text, re.S)
            if match:
                seen, self.text = self.text[: match.end()], self.text[match.end():]
                return seen
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.terminal], [], [], left)[0]
            try:
                data = os.read(self.terminal, 65536) if ready else b""
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"psql did not say {pattern!r}; it said: {self.text[-1500:]!r}")
            self.text += data.decode(errors="replace").replace("\r\n", "\n")

    def say(self, line, pattern=r"postgres[=>#]+ $", timeout=20):
        os.write(self.terminal, (line + "\n").encode())
        return self.expect(pattern, timeout)

    def close(self):
        os.write(self.terminal, b"\\q\n")
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def psql(port, *arguments, stdin=None):
    result = subprocess.run(
        ["psql", "-X", "-h", "127.0.0.1", "-p", str(port), "-U", "falcon", "-d", "postgres", *arguments],
        capture_output=True, text=True, timeout=60, input=stdin)
    return result.returncode, result.stdout, result.stderr


def batch(port, scratch):
    code, out, err = psql(port, "-Atc", "select 1 + 1")
    check("psql -c answers", (code, out) == (0, "2\n"), (code, out, err))
    code, out, err = psql(port, "-c", "select nope\n  from generate_series(1, 3) as g(i)")
    check("an unknown column is 42703 with a caret under it",
          code == 1 and 'column "nope" does not exist' in err and "LINE 1: select nope" in err
          and re.search(r"^ {15}\^$", err, re.M), err)
    code, out, err = psql(port, "-c", "selec 1")
    check("a syntax error points at its word",
          'syntax error at or near "selec"' in err and "^" in err, err)
    code, out, err = psql(port, "-v", "ON_ERROR_STOP=1", "-At", stdin="""
drop table if exists client_t;
create table client_t (
    id int primary key,
    name varchar(20) not null,
    amount numeric(10,2) default 1.50
);
insert into client_t (id, name)
  select i, 'name ' || i from generate_series(1, 5) as g(i);
update client_t set amount = amount * 2
 where id % 2 = 0 returning id, amount;
begin;
delete from client_t;
rollback;
select count(*), sum(amount), min(name), max(name) from client_t;
""")
    check("a script of multi-line statements runs", code == 0 and
          out.strip().split("\n")[-1] == "5|10.50|name 1|name 5" and "2|3.00" in out, (code, out, err))
    code, out, err = psql(port, "-v", "ON_ERROR_STOP=1", "-At", stdin="""
comment on table client_t is 'of the clients';
comment on column client_t.amount is 'in euros';
create index client_i on client_t (amount) include (name);
select pg_get_indexdef('client_i'::regclass);
drop index client_i;
\\d+ client_t
\\dt+ client_t
""")
    check("\\d+ shows comments and INCLUDE", code == 0 and "in euros" in out and
          "(amount) INCLUDE (name)" in out and out.rstrip().endswith("|of the clients"), (code, out, err))
    path = os.path.join(scratch, "rows.csv")
    code, out, err = psql(port, "-c", f"\\copy client_t to '{path}' csv header")
    check("\\copy writes csv with a header", code == 0 and out == "COPY 5\n" and
          open(path).read().startswith("id,name,amount\n1,name 1,1.50\n"), (out, err))
    with open(path, "w") as file:
        file.write('id,name,amount\n10,"quoted, ""x""",7\n11,plain,\n')
    code, out, err = psql(port, "-c", f"\\copy client_t from '{path}' csv header")
    check("\\copy reads csv", (code, out) == (0, "COPY 2\n"), (out, err))
    code, out, err = psql(port, "-Atc", "select name, amount is null from client_t where id >= 10 order by id")
    check("what it read is there", out == 'quoted, "x"|f\nplain|t\n', out)
    with open(path, "w") as file:
        file.write("20\tgood\t1\nnot-a-number\tbad\t2\n")
    code, out, err = psql(port, "-c", f"\\copy client_t from '{path}'")
    check("a bad line fails the whole \\copy with its place", code == 1 and
          'invalid input syntax for type integer: "not-a-number"' in err
          and 'COPY client_t, line 2, column id' in err, err)
    code, out, err = psql(port, "-Atc", "select count(*) from client_t where id = 20")
    check("and leaves nothing behind", out == "0\n", out)
    code, out, err = psql(port, "-c", "insert into client_t values (1, 'again')")
    check("a duplicate key says which", 'duplicate key value violates unique constraint "client_t_pkey"' in err
          and "DETAIL:  Key (id)=(1) already exists." in err, err)


METADATA_SCHEMA = """
create schema elsewhere; create table elsewhere.hidden(x bigint);
create table shown(id int primary key, name varchar(20) not null, price numeric(10,2) check (price > 0),
                   unique (name, price));
create index shown_price on shown(price desc);
create view looked as select id, name from shown;
create sequence counted;
"""


def metadata(port):
    """psql's own queries: none fails, and what they print is what there is."""
    def psql(text):
        done = subprocess.run(["psql", "-X", "-h", "127.0.0.1", "-p", str(port), "-U", "falcon", "falcon"],
                              input=text, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    psql(METADATA_SCHEMA)
    for command, expected in [
            ("\\d", ["counted", "looked", "shown"]), ("\\dt", ["shown"]), ("\\di", ["shown_pkey", "shown_price"]),
            ("\\ds", ["counted"]), ("\\dv", ["looked"]), ("\\dn", ["elsewhere", "public"]),
            ("\\l", ["falcon", "postgres"]), ("\\du", ["Superuser"]), ("\\df", ["(0 rows)"]),
            ("\\df lower", ["lower"]), ("\\dt+", ["permanent"]), ("\\dp", ["shown"]), ("\\db", ["pg_default"]),
            ("\\dC", ["bigint"]), ("\\do ||", ["bytea"]), ("\\dT", []), ("\\dx", []), ("\\dconfig", []),
            ("\\d looked", ["character varying(20)"]), ("\\d counted", ["9223372036854775807"]),
            ("\\d shown_price", ["btree"]), ("\\dt elsewhere.*", ["hidden"]),
            ("\\d shown", ["numeric(10,2)", '"shown_pkey" PRIMARY KEY, btree (id)',
                         '"shown_name_price_key" UNIQUE CONSTRAINT, btree (name, price)',
                         '"shown_price" btree (price DESC)', '"shown_price_check" CHECK (price > 0']),
            ("\\d+ shown", ["Storage"])]:
        answer = psql(command)
        good = "ERROR" not in answer and all(part in answer for part in expected)
        check(f"{command} answers", good, answer)
    check("\\dt shows what the search path finds", "hidden" not in psql("\\dt"))


def interactive(port):
    terminal = Psql(port)
    try:
        terminal.say("select", r"postgres-[>#] $")
        terminal.say("  40 +", r"postgres-[>#] $")
        answer = terminal.say("  2 as answer;")
        check("a statement over three lines answers", re.search(r"\b42\b", answer), answer)
        answer = terminal.say("\\timing on")
        answer = terminal.say("select 1;", r"Time: [\d.,]+ ms.*postgres[=>#]+ $")
        check("\\timing prints a time", "Time:" in answer, answer)
        terminal.say("begin;", r"BEGIN.*postgres=\*[>#] $")
        answer = terminal.say("select 1/0;", r"postgres=![>#] $")
        check("an error in a transaction shows in the prompt", "division by zero" in answer, answer)
        answer = terminal.say("select 1;", r"postgres=![>#] $")
        check("and 25P02 follows", "current transaction is aborted" in answer, answer)
        terminal.say("commit;", r"ROLLBACK.*postgres=[>#] $")
        os.write(terminal.terminal, b"select count(*) from generate_series(1, 100000000000) g(i) where i < 0;\n")
        terminal.expect(r"where i < 0;\n")
        # The statement has to be running for the cancel to find it; nothing tells a client that it is.
        time.sleep(0.5)
        began = time.monotonic()
        os.kill(terminal.pid, signal.SIGINT)
        answer = terminal.expect(r"canceling statement due to user request.*postgres=[>#] $", timeout=10)
        print(f"        cancelled after {(time.monotonic() - began) * 1000:.0f} ms")
        answer = terminal.say("select 7 * 6 as after;")
        check("Ctrl-C cancels a long query and the session goes on", "42" in answer, answer)
        terminal.close()
    except AssertionError as error:
        check("the interactive session goes through", False, error)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", help="folder of falcondb")
    parser.add_argument("--port", type=int, help="test a server that runs already")
    options = parser.parse_args()
    if not shutil.which("psql"):
        sys.exit("psql is not installed")
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="falcon-clients-"))
        server, port = None, options.port
        if port is None:
            server = stack.enter_context(Server(os.path.join(options.bin, "falcondb"), os.path.join(scratch, "data"),
                                                os.path.join(scratch, "log"))).start()
            port = server.port
        batch(port, scratch)
        metadata(port)
        interactive(port)
        if server:
            check("the server ends cleanly", server.stop() == 0, server.tail())
    finish()


if __name__ == "__main__":
    main()
