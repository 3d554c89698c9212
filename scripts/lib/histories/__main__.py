"""python3 -m histories FILE.jsonl [rc|rr|ser]: the verdict on a history that a run left behind."""
import sys

from .checker import check
from .script import SHORT, read_back


def main():
    if len(sys.argv) not in (2, 3) or len(sys.argv) == 3 and sys.argv[2] not in SHORT:
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        txns = read_back(file.read())
    if len(sys.argv) == 3:
        for txn in txns:
            txn.level = SHORT[sys.argv[2]]
    report = check(txns)
    print(f"{len(txns)} transactions, {report.reads} reads, {len(report.anomalies)} violation(s)")
    print(report.text())
    sys.exit(1 if report.anomalies else 0)


main()
