"""Proves the checker of transaction histories, then runs it on the real server under kill -9.

The proof: hand-made histories (Fixtures/histories) get the verdicts written beside them; the checker with
any part of it taken out gives a wrong one; bugs planted in a simulated database are caught in at least 95 %
of the seeds, and clean runs raise nothing.
"""
import argparse
import os
import random
import sys
import time

from histories import proof

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def documented():
    """How many hand-made histories and checkers with a part taken out the documentation counts."""
    with open(os.path.join(ROOT, "docs", "operations", "histories.md")) as file:
        rows = [line.split("|") for line in file]
    return tuple(int(row[2]) for start in ("hand-made", "checkers") for row in rows
                 if len(row) > 2 and row[1].strip().startswith(start))


def prove(clean_runs, bug_seeds, first_seed=0):
    began = time.monotonic()
    scripts = proof.load(os.path.join(ROOT, "Fixtures", "histories"))
    problems = proof.wrong_verdicts(scripts)
    print(f"hand-made histories: {len(scripts)}, each at 3 levels, {len(problems)} wrong verdict(s)", flush=True)
    said = documented()
    if (len(scripts), len(proof.MUTANTS)) != said:
        problems.append(f"{len(scripts)} hand-made histories and {len(proof.MUTANTS)} checkers with a part taken out; "
                        f"docs/operations/histories.md says {said}")
    survivors = proof.surviving_mutants(scripts)
    problems += [f"without {what} no verdict changes" for what in survivors]
    print(f"checkers with a part taken out: {len(proof.MUTANTS)}, {len(survivors)} unnoticed", flush=True)
    found, table = proof.simulate(clean_runs, bug_seeds, first_seed)
    problems += found
    print(f"clean simulated runs: {clean_runs}, seeds from {first_seed}; planted bugs, caught in seeds:")
    print("\n".join("  " + line for line in table))
    print(f"proof: {len(problems)} problem(s), {time.monotonic() - began:.0f} s", flush=True)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", help="folder of the release binaries; without it only the proof is run")
    parser.add_argument("--clean", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--transactions", type=int, default=50_000)
    options = parser.parse_args()
    problems = prove(options.clean, options.seeds, options.first_seed)
    for problem in problems[:20]:
        print(problem)
    if problems:
        sys.exit(1)
    if options.bin:
        import soak_txn
        from txnload.broken import see_them_fail

        began, seed = time.monotonic(), random.SystemRandom().randrange(1 << 32)
        lines, problems = see_them_fail(options.bin, seed)
        print("\n".join("  " + line for line in lines + problems))
        print(f"broken runs, seed {seed}: {len(problems)} unnoticed, {time.monotonic() - began:.0f} s", flush=True)
        if problems:
            sys.exit(1)
        sys.exit(soak_txn.main(["--bin", options.bin, "--transactions", str(options.transactions)]))


if __name__ == "__main__":
    main()
