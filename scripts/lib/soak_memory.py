"""Writes and reads data of more than twice the memory budget and watches the process's anonymous
memory: never above 1.1 times the budget beside what the idle process takes. Then the same with the
server, whose sessions hold transactions and sorts that together want several times the budget.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

import memory_sessions


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


def watch(command):
    """The peak of the command's RssAnon, its exit code and its output."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous(process.pid))
        time.sleep(0.02)
    return peak, process.returncode, process.stdout.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True, help="folder of falcon-bench")
    parser.add_argument("--budget-mib", type=int, default=512)
    parser.add_argument("--seconds", type=int, default=20, help="of each of the three workloads")
    parser.add_argument("--session-seconds", type=int, default=8, help="of the server's sessions")
    parser.add_argument("--seed", type=int, default=1, help="of the sessions' statements")
    parser.add_argument("--only", choices=["sessions"], help="without the engine's workloads")
    parser.add_argument("--factor", type=float, default=2.5, help="data by the budget")
    options = parser.parse_args()
    scratch = tempfile.mkdtemp(prefix="falcon-soak-memory-")
    budget = options.budget_mib << 20
    # Incompressible: the tables, too, are larger than the budget.
    keys = int(budget * options.factor / 1016)
    common = [os.path.join(options.bin, "falcon-bench"), "kv", f"--db={scratch}/db", f"--num={keys}",
              "--value_size=1000", "--compression_ratio=1.0", "--bloom_bits=10",
              "--compression_type=lz4", f"--memory_budget={budget}", "--max_background_jobs=2"]
    try:
        _, code, output = watch([*common, "--benchmarks=fillseq", "--num=1"])
        if code == 0:
            idle, code, output = watch([*common, "--benchmarks=readseq", "--use_existing_db=1",
                                        "--num=1", "--duration=1"])
        if code != 0:
            sys.exit(f"falcon-bench exits {code}:\n{output[-2000:]}")
        limit = int(1.1 * budget) + idle
        print(f"budget {options.budget_mib} MiB, {keys} keys, idle {idle >> 20} MiB, "
              f"limit {limit >> 20} MiB", flush=True)
        failed = False
        steps = [] if options.only else [
                 ("fill", ["--benchmarks=fillrandom,readrandom", f"--reads={keys // 4}"]),
                 ("overwrite", ["--benchmarks=overwrite", "--use_existing_db=1",
                                f"--duration={options.seconds}", "--threads=2"]),
                 ("read while writing", ["--benchmarks=readwhilewriting", "--use_existing_db=1",
                                         f"--duration={options.seconds}", "--threads=4"]),
                 ("scan while cached", ["--benchmarks=readseq,seekrandom", "--use_existing_db=1",
                                        f"--reads={keys // 4}"])]
        for name, flags in steps:
            peak, code, output = watch([*common, *flags])
            # Far below what such a load holds, another process was watched than the one that works.
            verdict = ("FAILED" if code != 0 else "ABOVE" if peak > limit
                       else "NOTHING SEEN" if peak < budget // 10 else "within")
            failed = failed or verdict != "within"
            print(f"{name:20} peak {peak >> 20:5} MiB, {100 * peak / budget:5.1f} % of the budget, "
                  f"exit {code}: {verdict}", flush=True)
            if code != 0:
                print(output[-2000:])
        problems = memory_sessions.check(
            options.bin, scratch, budget, options.session_seconds, options.seed, anonymous)
        for problem in problems:
            print(problem)
        failed = failed or bool(problems)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("soak memory:", "failed" if failed else "passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
