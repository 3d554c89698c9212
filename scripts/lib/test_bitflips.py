"""One flipped bit in an SST, or in vouched WAL bytes, is reported by the right tool with file, offset
and exit code 2, and the server never serves a wrong answer from it. With a flip in the rows' table it
starts, and serves every row but those of the damaged block.

A sample per run; the seed is printed. Flips are made in place on a dead directory and undone.
"""
import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time

import gatekit
from falconserver import Server
from pgclient import Disconnected, ServerError

ROWS = 4000


def answers(connection):
    """What the workload's queries answer; compared as a whole with the undamaged server's answers."""
    return [connection.query(sql) for sql in (
        "select count(*), sum(id), sum(amount) from flips",
        "select id, note from flips order by id",
        "select count(*) from flips where amount >= 500",
    )]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--flips", type=int, default=60, help="flips each in SST and WAL for the tools")
    parser.add_argument("--server-flips", type=int, default=10, help="of those, tried on the server")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)
    print(f"bit flips: seed {seed}")
    scratch = tempfile.mkdtemp(prefix="falcon-flips-")
    data = os.path.join(scratch, "data")
    server = Server(os.path.join(options.bin, "falcondb"), data, os.path.join(scratch, "log"))
    problems = []
    try:
        server.start()
        connection = server.connect()
        connection.query("create table flips (id int primary key, amount int, note text)")
        connection.query("create index flips_amount on flips (amount)")
        connection.query(f"insert into flips select i, i % 1000, 'note ' || i from generate_series(1, {ROWS}) g(i)")
        connection.query("checkpoint")  # into table files
        connection.query(f"insert into flips select i, i % 1000, 'late ' || i from generate_series({ROWS + 1}, {ROWS + 200}) g(i)")
        truth = answers(connection)
        # An idle log vouches for all it acknowledged within 100 ms of the last commit.
        time.sleep(0.3)
        server.kill()
        wal_tool, sst_tool = (os.path.join(options.bin, n) for n in ("wal-inspect", "sst-verify"))
        for binary in (wal_tool, sst_tool):
            code, report = gatekit.inspect(binary, data)
            if code not in (gatekit.CLEAN, gatekit.BENIGN):
                sys.exit(f"{binary} exits {code} on the undamaged directory: {report}")
        targets = []
        for folder, _, names in os.walk(data):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if name.endswith(".sst"):
                    targets.append((sst_tool, path, os.path.getsize(path)))
                elif name.endswith(".wal"):
                    vouched = vouched_bytes(wal_tool, data, path)
                    if vouched:
                        targets.append((wal_tool, path, vouched))
        kinds = {binary: [t for t in targets if t[0] == binary] for binary in (sst_tool, wal_tool)}
        rows_table = max(kinds[sst_tool], key=lambda target: target[2])
        parts = []  # of each flip in the rows' table that was served: are only blocks of it lost?
        for binary, files in kinds.items():
            if not files:
                sys.exit(f"nothing for {os.path.basename(binary)} to be tested on: {targets}")
            for number in range(options.flips):
                _, path, size = chance.choice(files)
                if binary == sst_tool and number < options.server_flips // 2:
                    _, path, size = rows_table
                    size //= 2  # the rows' blocks come first
                offset, bit = chance.randrange(size), chance.randrange(8)
                gatekit.flip(path, offset, bit)
                where = f"{os.path.basename(path)} byte {offset} bit {bit}"
                code, report = gatekit.inspect(binary, data)
                found = [f for f in report.get("findings", []) if f.get("severity") == "corruption"
                         and os.path.basename(f.get("file") or "") == os.path.basename(path)
                         and f.get("offset") is not None]
                if code != gatekit.CORRUPTION or not found:
                    problems.append(f"{os.path.basename(binary)}: {where}: exit {code}, {report}")
                if number < options.server_flips:
                    problems += serve(server, data, scratch, truth, where,
                                      parts if path == rows_table[1] else None, chance)
                gatekit.flip(path, offset, bit)
            print(f"{os.path.basename(binary)}: {options.flips} flips, {len(problems)} problem(s)")
        print(f"served with the rows' table damaged: {len(parts)}, with blocks of it only: {sum(parts)}")
        if options.server_flips > 1 and not any(parts):
            problems.append("each time the rows' whole table was lost")
    finally:
        if server.is_running():
            server.kill()
        shutil.rmtree(scratch, ignore_errors=True)
    for problem in problems[:10]:
        print(problem[:1500])
    if problems:
        sys.exit(f"FAILED with seed {seed}: {len(problems)} problem(s)")


def vouched_bytes(wal_tool, data, path):
    """How many leading bytes of a segment a later chunk, seal or successor vouches for."""
    _, report = gatekit.inspect(wal_tool, data)
    for segment in report.get("segments", []):
        if os.path.basename(segment["file"]) == os.path.basename(path):
            return segment["vouched_bytes"]
    return 0


def sound_rows(server, connection, where, parts, chance):
    """All rows of the damaged table but those of one block are served, unless nothing of it can be read."""
    quarantined = json.loads(server.page("/corruption"))["quarantined"]
    is_whole = any(entry["whole"] for entry in quarantined)
    parts.append(bool(quarantined) and not is_whole)
    if is_whole:
        return []
    ids, failed = chance.sample(range(1, ROWS + 1), 80), 0
    for number in ids:
        try:
            got = connection.query(f"select note from flips where id = {number}")
        except ServerError as error:
            if error.sqlstate != "XX001":
                return [f"{where}: row {number} answers {error.sqlstate}"]
            failed += 1
            continue
        if got != [[f"note {number}"]]:
            return [f"{where}: row {number} is {got}"]
    return [f"{where}: {failed} of {len(ids)} rows are lost"] if failed > len(ids) // 3 else []


def serve(server, data, scratch, truth, where, parts, chance):
    """The server on a damaged copy refuses to start, fails the query, or answers the truth; with damage in
    the rows' table, which has `parts`, it starts."""
    copy = os.path.join(scratch, "copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data, copy)
    damaged = Server(server.binary, copy, os.path.join(scratch, "copy.log"))
    try:
        damaged.start(timeout=60)
        connection = damaged.connect()
        for number, sql_truth in enumerate(truth):
            try:
                got = answers(connection)[number]
            except (ServerError, Disconnected):
                if damaged.process.poll() is not None:
                    return [f"{where}: the server died serving: {damaged.tail()[-800:]}"]
                continue
            if got != sql_truth:
                return [f"{where}: a wrong answer: {str(got)[:200]}"]
        if parts is not None:
            return sound_rows(damaged, connection, where, parts, chance)
    except RuntimeError as error:
        if damaged.process.returncode is not None and damaged.process.returncode < 0:
            return [f"{where}: the server was killed by signal {-damaged.process.returncode}: {error}"]
        if parts is not None:
            return [f"{where}: the server does not start over a damaged row: {error}"]
    finally:
        if damaged.is_running():
            damaged.kill()
    return []


if __name__ == "__main__":
    main()
