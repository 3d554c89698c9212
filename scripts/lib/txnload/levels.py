"""What must hold at which level, and the one table of what does not hold yet.

What is in NOT_YET is tried on every run all the same. A run fails when something in it begins to hold:
then its line goes, and it must hold from then on. When nothing of SERIALIZABLE is left in it, histories are
checked for a serial order too, and the skew workload is run without locks.
"""
from histories.model import READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE

from . import probes

#: (level, what): what the server does not keep yet.
NOT_YET = {
    (READ_COMMITTED, "a row deleted and inserted anew is another row"),
}

#: The same where a race decides: that one was not seen on a run says nothing, and fails nothing. Runs
#: wait for each answer while answers to messages sent ahead are in this table.
RACES = set()


def has_serial_order(not_yet):
    return all(level != SERIALIZABLE for level, _ in not_yet)


def probe_all(server, admin, not_yet, races, is_peer):
    """(lines of a table, problems), of the races or of all else. `is_peer`: all of it must hold."""
    lines, problems = [], []
    for level, what, probe in probes.PROBES:
        if races != ((level, what) in RACES):
            continue
        holds = probe(server, admin)
        is_race = not is_peer and (level, what) in RACES
        expected = (level, what) not in not_yet and not is_race
        if expected:
            verdict = "holds" if holds else "BROKEN"
        elif is_race and holds:
            verdict = "not seen on this run"
        else:
            verdict = "holds" if holds else "not yet"
        lines.append(f"{level:16} {what:52} {verdict}")
        if holds and not expected and not is_race:
            problems.append(f"{what} at {level} holds now: take it out of NOT_YET in txnload/levels.py")
        if expected and not holds:
            problems.append(f"{what} at {level} does not hold")
    return lines, problems
