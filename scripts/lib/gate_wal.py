"""The log of a process that was killed while writing: cut anywhere in what nothing vouches for it
recovers, and wal-inspect calls it a torn tail; damaged, zeroed or cut in what is vouched for, or without
a segment, it is refused by the engine and named by wal-inspect.
"""
import os
import signal
import subprocess
import sys
import time

import gatekit


def written_and_killed(binary, data):
    """A directory whose writer was killed in the middle of its work."""
    process = subprocess.Popen(
        gatekit.bench(binary, data, "--benchmarks=fillrandom", "--num=5000000", "--value_size=100"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    # Two segments at least, so that one of them is vouched for by another.
    while len(gatekit.files(data, ".wal")) < 2 and process.poll() is None:
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)  # polling another process's directory
    process.send_signal(signal.SIGKILL)
    process.wait()
    return len(gatekit.files(data, ".wal"))


def opens(binary, data):
    """The engine opens the directory for writing."""
    result = gatekit.run(*gatekit.bench(
        binary, data, "--benchmarks=readseq", "--use_existing_db=1", "--num=1000"))
    return result.returncode == 0, result.stdout + result.stderr


def segments(tool, data):
    _, report = gatekit.inspect(tool, data)
    wal = os.path.join(data, "wal")
    return [(os.path.join(wal, os.path.basename(s["file"])), s["vouched_bytes"], s["used_bytes"])
            for s in report.get("segments", [])]


def main():
    options, chance = gatekit.options("wal", __doc__, rounds=4)
    tool = os.path.join(options.bin, "wal-inspect")
    problems, tried = [], {"recovered": 0, "refused": 0}
    with gatekit.scratch() as scratch:
        data = os.path.join(scratch, "data")
        if written_and_killed(options.bin, data) < 2:
            sys.exit("the writer did not get to two segments")
        code, report = gatekit.inspect(tool, data)
        if code not in (gatekit.CLEAN, gatekit.BENIGN):
            sys.exit(f"wal-inspect exits {code} on the log of a killed process: {report}")
        copy = os.path.join(scratch, "copy")

        def expect(what, damage, refused, named=None):
            with gatekit.copied(data, copy):
                damage()
                code, report = gatekit.inspect(tool, copy)
                opened, output = opens(options.bin, copy)
            tried["refused" if refused else "recovered"] += 1
            wanted = (gatekit.CORRUPTION,) if refused else (gatekit.CLEAN, gatekit.BENIGN)
            if code not in wanted or opened == refused:
                problems.append(f"{what}: wal-inspect exits {code}, the engine "
                                f"{'opens' if opened else 'refuses'}: {output[-300:]} {str(report)[-500:]}")
            elif named and not gatekit.names_file(report, named):
                problems.append(f"{what}: wal-inspect does not name the file: {report}")

        expect("untouched", lambda: None, False)
        for _ in range(options.rounds):
            last, vouched, used = segments(tool, data)[-1]
            last = os.path.join(copy, "wal", os.path.basename(last))
            if used > vouched:
                cut = chance.randrange(vouched, used)
                expect(f"cut at {cut}", lambda: os.truncate(last, cut), False)
            path, vouched, _ = chance.choice([s for s in segments(tool, data) if s[1] > 4096])
            path = os.path.join(copy, "wal", os.path.basename(path))
            at = chance.randrange(vouched - 512)
            expect(f"flip at {at} of {os.path.basename(path)}",
                   lambda: gatekit.flip(path, at, chance.randrange(8)), True, path)
            expect(f"512 bytes zeroed at {at} of {os.path.basename(path)}",
                   lambda: gatekit.overwrite(path, at, b"\0" * 512), True, path)
            expect(f"vouched bytes of {os.path.basename(path)} cut at {at}",
                   lambda: os.truncate(path, at), True)
            first = os.path.join(copy, "wal", os.path.basename(segments(tool, data)[0][0]))
            expect("the first segment missing", lambda: os.remove(first), True)
    print(f"wal: {tried['recovered']} to recover, {tried['refused']} to refuse, {len(problems)} problem(s)")
    for problem in problems[:5]:
        print(problem[:1500])
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
