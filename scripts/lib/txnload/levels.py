"""What must hold at which level, and the one table of what does not hold yet.

What is in NOT_YET is tried on every run all the same. A run fails when something in it begins to hold:
then its line goes, and it must hold from then on. When "no write skew" goes, histories at SERIALIZABLE are
checked for a serial order too, and the skew workload is left to the level.
"""
from histories.model import SERIALIZABLE

from . import probes

SERIAL_ORDER = "no write skew"

#: (level, what): what the server does not keep yet.
NOT_YET = {
    (SERIALIZABLE, "no write skew"),
    (SERIALIZABLE, "no write skew by phantoms"),
    (SERIALIZABLE, "no read-only anomaly"),
    ("repeatable read", "ON CONFLICT DO NOTHING over an invisible row fails"),
}

#: What takes luck to be seen, and so has no probe: printed beside the table.
KNOWN = (
    "several messages sent before the first is answered: within some thousand transactions answers are torn or "
    "lost; every run waits for each answer (scripts/soak txn --pipelined does not)",
)


def has_serial_order(not_yet):
    return (SERIALIZABLE, SERIAL_ORDER) not in not_yet


def probe_all(server, admin, not_yet):
    """(lines of a table, problems)."""
    lines, problems = [], []
    for level, what, probe in probes.PROBES:
        holds = probe(server, admin)
        expected = (level, what) not in not_yet
        verdict = "holds" if holds else "not yet" if not expected else "BROKEN"
        lines.append(f"{level:16} {what:52} {verdict}")
        if holds and not expected:
            problems.append(f"{what} at {level} holds now: take it out of NOT_YET in txnload/levels.py")
        if expected and not holds:
            problems.append(f"{what} at {level} does not hold")
    return lines, problems
