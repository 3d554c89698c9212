"""sst-verify passes a directory of sound tables and names every damaged one: flipped, truncated,
lengthened, missing, put in another's place.
"""
import os
import shutil
import sys

import gatekit


def damages(chance):
    """Ways to damage one of the tables, by name."""
    def flipped(path, _):
        gatekit.flip(path, chance.randrange(os.path.getsize(path)), chance.randrange(8))

    def truncated(path, _):
        os.truncate(path, chance.randrange(os.path.getsize(path)))

    def lengthened(path, _):
        with open(path, "ab") as file:
            file.write(b"\0" * 100)

    def replaced(path, tables):
        shutil.copyfile(chance.choice([p for p in tables if p != path]), path)

    def removed(path, _):
        os.remove(path)

    return flipped, truncated, lengthened, replaced, removed


def main():
    options, chance = gatekit.options("sst", __doc__, rounds=6)
    verify = os.path.join(options.bin, "sst-verify")
    problems, tried = [], 0
    with gatekit.scratch() as scratch:
        data = os.path.join(scratch, "data")
        made = gatekit.run(*gatekit.bench(
            options.bin, data, "--benchmarks=fillrandom,overwrite,flush", "--num=150000",
            "--write_buffer_size=2097152"))
        if made.returncode != 0 or len(gatekit.files(data, ".sst")) < 2:
            sys.exit(f"no tables to verify: {made.stdout}{made.stderr}")
        code, report = gatekit.inspect(verify, data)
        if code not in (gatekit.CLEAN, gatekit.BENIGN):
            sys.exit(f"sst-verify exits {code} on sound tables: {report}")
        for _ in range(options.rounds):
            for damage in damages(chance):
                with gatekit.copied(data, os.path.join(scratch, "copy")) as copy:
                    tables = gatekit.files(copy, ".sst")
                    path = chance.choice(tables)
                    damage(path, tables)
                    tried += 1
                    code, report = gatekit.inspect(verify, copy)
                    if code != gatekit.CORRUPTION or not gatekit.names_file(report, path):
                        problems.append(f"{os.path.basename(path)} {damage.__name__}: exit {code}, {report}")
    print(f"sst: {tried} damaged directories, {len(problems)} not reported")
    for problem in problems[:5]:
        print(problem[:1000])
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
