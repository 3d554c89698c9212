"""Data of more than twice the memory budget, written for minutes: the process's anonymous memory never
rises above 1.1 times the budget beside what the idle process takes. Then the same with the server, whose
sessions hold transactions and sorts that together want several times the budget.
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import memory_sessions

#: Data by the budget: of 1,000-byte values that nothing makes smaller, so that the tables are larger too.
FACTOR = 2.5
VALUE, ENTRY = 1000, 1016
#: How much longer than its workload a process may take before it hangs, in seconds.
PATIENCE = 300


def anonymous(pid):
    """RssAnon in bytes; 0 once the process is gone."""
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def size(folder):
    return sum(os.path.getsize(os.path.join(where, name))
               for where, _, names in os.walk(folder) for name in names if name.endswith(".sst"))


class Engine:
    """falcon-bench kv on one directory, within the budget."""

    def __init__(self, binary, folder, budget, seed):
        self.folder, self.budget = folder, budget
        self.keys = int(budget * FACTOR / ENTRY)
        self.command = [
            os.path.join(binary, "falcon-bench"), "kv", f"--db={folder}", f"--num={self.keys}",
            f"--value_size={VALUE}", "--compression_ratio=1.0", "--bloom_bits=10", f"--seed={seed}",
            "--compression_type=lz4", f"--memory_budget={budget}", "--max_background_jobs=2"]

    def run(self, benchmarks, *flags, seconds=0):
        """The peak of its RssAnon, why it failed (None: it did not)."""
        command = [*self.command, f"--benchmarks={benchmarks}", *flags]
        if seconds:
            command.append(f"--duration={seconds}")
        peak, deadline = 0, time.monotonic() + seconds + PATIENCE
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
            try:
                while process.poll() is None and time.monotonic() < deadline:
                    peak = max(peak, anonymous(process.pid))
                    time.sleep(0.02)  # sampling
            finally:
                is_hanging = process.poll() is None
                process.kill()
                process.wait()
            output.seek(0)
            said = output.read()[-2000:]
        if is_hanging:
            return peak, f"it did not end within {seconds + PATIENCE} s: {said}"
        return peak, f"it exits {process.returncode}: {said}" if process.returncode else None

    def idle(self):
        """What a process takes that does as good as nothing."""
        for flags in (("fillseq", "--num=1"), ("readseq", "--use_existing_db=1", "--num=1", "--duration=1")):
            peak, why = self.run(*flags)
            if why:
                sys.exit(f"falcon-bench does not run: {why}")
        return peak

    def check(self, seconds):
        """The problems. Prints a line for each workload."""
        idle = self.idle()
        limit = int(1.1 * self.budget) + idle
        print(f"budget {self.budget >> 20} MiB, {self.keys} keys of {VALUE} bytes, idle {idle >> 20} MiB, limit "
              f"{limit >> 20} MiB, {seconds:.0f} s of writes", flush=True)
        kept, some, half = "--use_existing_db=1", f"--reads={self.keys // 4}", max(1, round(seconds / 2))
        problems = []
        for name, flags, duration in (
                ("fill, read", ("fillseq,flush,readrandom", some), 0),
                ("overwrite", ("overwrite", kept, "--threads=2"), half),
                ("read while writing", ("readwhilewriting", kept, "--threads=4"), half),
                ("scan while cached", ("readseq,seekrandom", kept, some), 0)):
            peak, why = self.run(*flags, seconds=duration)
            if not why and peak > limit:
                why = f"RssAnon rises to {peak >> 20} MiB, the limit is {limit >> 20}"
            elif not why and peak < self.budget // 10:
                why = f"only {peak >> 20} MiB were seen: another process was watched than the one that works"
            elif not why and duration == 0 and size(self.folder) < 2 * self.budget:
                why = f"the tables have {size(self.folder) >> 20} MiB, less than twice the budget: not a test"
            print(f"{name:20} peak {peak >> 20:5} MiB, {100 * peak / self.budget:5.1f} % of the budget: "
                  f"{'FAILED' if why else 'within'}", flush=True)
            problems += [f"{name}: {why}"] if why else []
        return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of falcon-bench and falcondb")
    parser.add_argument("--minutes", type=float, default=10, help="of writing, beyond the fill (10)")
    parser.add_argument("--budget", type=int, default=512, metavar="MIB", help="from 512 on (512)")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", choices=["engine", "sessions"])
    parser.add_argument("--check-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.minutes <= 0 or options.budget < 512:
        parser.error("--minutes from above 0, --budget from 512 MiB on, as the promise is")
    if options.check_only:
        return
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1, 1 << 31)
    scratch = tempfile.mkdtemp(prefix="falcon-soak-memory-")
    budget, seconds, began, problems = options.budget << 20, 60 * options.minutes, time.monotonic(), []
    print(f"soak memory: seed {seed}", flush=True)
    try:
        if options.only != "sessions":
            problems += Engine(options.bin, os.path.join(scratch, "db"), budget, seed).check(seconds)
        if options.only != "engine":
            problems += memory_sessions.check(options.bin, scratch, budget, max(8, seconds / 8), seed, anonymous)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for problem in problems:
        print("  " + problem)
    took = time.monotonic() - began
    print(f"soak memory: FAILED with seed {seed}" if problems else f"soak memory: ok, {took:.0f} s")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
