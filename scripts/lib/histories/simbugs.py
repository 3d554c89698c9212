"""The bugs that can be planted in the simulated database, and the levels at which each does harm."""
from .model import LEVELS, READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE

RC, RR, SER = (READ_COMMITTED,), (REPEATABLE_READ,), (SERIALIZABLE,)
ANY = tuple(LEVELS)

#: name -> (levels of the transactions, what is wrong)
BUGS = {
    "lost-update": (RR, "an update overwrites what was committed since its snapshot"),
    "no-recheck": (RC, "an update that waited computes from the row as it was before the wait"),
    "early-lock-release": (RC, "row locks are released before the commit is visible"),
    "dirty-read": (ANY, "reads see uncommitted rows"),
    "aborted-write": (ANY, "ROLLBACK leaves a row behind"),
    "savepoint-leak": (ANY, "ROLLBACK TO SAVEPOINT forgets to undo"),
    "intermediate-read": (ANY, "a commit shows a row's first change before its last"),
    "torn-visibility": (ANY, "the rows of one commit become visible one after the other"),
    "read-skew": (RR, "REPEATABLE READ takes a snapshot for each statement"),
    "snapshot-hole": (ANY, "a snapshot lacks a commit older than its newest"),
    "stale-snapshot": (ANY, "a snapshot is a few commits old"),
    "write-skew": (SER, "SERIALIZABLE is only a snapshot"),
    "phantom": (SER, "SERIALIZABLE checks rows and not predicates"),
    "own-write-missing": (ANY, "a read misses the transaction's own write"),
    "duplicate-append": (ANY, "an update is applied twice"),
    "index-mismatch": (ANY, "an index lacks rows that the table has"),
    "lost-commit": (ANY, "COMMIT is acknowledged before the log is synced, and the server killed"),
    "resurrected-abort": (ANY, "recovery replays what had been rolled back"),
    "torn-recovery": (ANY, "recovery replays half of a late commit"),
    "reordered-recovery": (ANY, "recovery replays commits in another order"),
    "replayed-twice": (ANY, "recovery replays a commit twice"),
}
