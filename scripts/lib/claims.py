"""Claims that a suite makes one after the other: each is printed, and those that do not hold end it with 1."""
import sys

FAILURES = []


def check(claim, holds, evidence=""):
    print(("ok      " if holds else "FAILED  ") + claim, flush=True)
    if not holds:
        print("        " + str(evidence)[-1500:].replace("\n", "\n        "), flush=True)
        FAILURES.append(claim)


def finish():
    print(f"{len(FAILURES)} failed" if FAILURES else "all passed")
    sys.exit(1 if FAILURES else 0)
