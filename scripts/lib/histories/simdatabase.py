"""A small database in memory: versions, snapshots, row locks, a log with its synced end, crashes.

It is right unless a bug of `simbugs` is planted. Nothing in it blocks: an operation that has to wait says so
and is tried again.
"""
from .model import APPEND, INSERT, READ, READ_COMMITTED, SCAN, SERIALIZABLE


class Abort(Exception):
    """The transaction is rolled back: a serialization failure or a deadlock."""


class Waits(Exception):
    """Another transaction has the row."""


class Session:
    """A transaction as the database has it."""

    def __init__(self, level):
        self.level = level
        self.snapshot = None
        self.hole = None
        self.writes = []  # (kind, key, value), in order; None where a savepoint took it back
        self.finals = {}  # row -> its new value
        self.bases = {}  # row -> what it was computed from
        self.reads = set()
        self.began_waiting = None
        self.waits_for = None
        self.published = False


class Record:
    """A transaction in the log. `deltas` is what it did, for recovery."""

    def __init__(self, session, aborted=False):
        self.session, self.aborted = session, aborted
        self.finals = dict(session.finals)
        self.deltas = [write for write in session.writes if write is not None]


class Database:
    def __init__(self, chance, bug=None):
        self.chance, self.bug = chance, bug
        self.log, self.synced = [], 0
        self.forget()

    def forget(self):
        self.now = 0
        self.rows = {}  # list and register rows: key -> [(timestamp, value)]
        self.sets = {}  # key -> [(timestamp, value)]
        self.index = {}  # the same as `sets`, kept beside it
        self.locks = {}
        self.pending = []  # in the log, not yet visible
        self.halves = []  # writes still to become visible (a planted bug)
        self.active = {}  # in order, so that a seed gives one run

    def happens(self, bug, probability):
        return self.bug == bug and self.chance.random() < probability

    # Reading

    def begin_statement(self, session):
        self.active[session] = True
        per_statement = session.level == READ_COMMITTED or self.bug == "read-skew"
        if session.snapshot is None or per_statement:
            session.snapshot = self.now
            session.hole = None
            if self.happens("stale-snapshot", 0.3):
                session.snapshot = max(0, self.now - self.chance.randint(1, 4))
            if self.happens("snapshot-hole", 0.4):
                session.hole = self.now - self.chance.randint(0, 3)

    def _at(self, key, snapshot, hole=None):
        for timestamp, value in reversed(self.rows.get(key, ())):
            if timestamp <= snapshot and timestamp != hole:
                return value
        return None

    def read(self, session, kind, key, by_index=False):
        session.reads.add((kind == SCAN, key))
        if kind == SCAN:
            return self._scan(session, key, by_index)
        value = session.finals.get(key) if key in session.finals else self._at(
            key, session.snapshot, session.hole)
        if key in session.finals and self.happens("own-write-missing", 0.3):
            value = session.bases[key]
        if self.bug == "dirty-read" and key not in session.finals and self.chance.random() < 0.4:
            for other in self.active:
                if key in other.finals:
                    value = other.finals[key]
        if kind == READ:
            return value or ()
        return value

    def _scan(self, session, key, by_index):
        source = self.index if by_index else self.sets
        found = {value for timestamp, value in source.get(key, ())
                 if timestamp <= session.snapshot and timestamp != session.hole}
        own = {w[2] for w in session.writes if w is not None and w[0] == INSERT and w[1] == key}
        return frozenset(found | own)

    # Writing

    def write(self, session, kind, key, value):
        if kind != INSERT:
            self._lock(session, key)
            base = session.finals.get(key)
            if base is None:
                base = self._newest(session, key)
                session.bases.setdefault(key, base)
            session.finals[key] = (base or ()) + (value,) if kind == APPEND else value
        session.began_waiting = None
        session.writes.append((kind, key, value))

    def _lock(self, session, key):
        holder = self.locks.get(key)
        if holder is None or holder is session:
            self.locks[key] = session
            session.waits_for = None
            return
        if session.began_waiting is None:
            session.began_waiting = self.now
        session.waits_for = holder
        seen = holder
        while seen is not None:
            if seen is session:
                raise Abort("deadlock")
            seen = seen.waits_for
        raise Waits

    def _newest(self, session, key):
        versions = self.rows.get(key)
        if session.level != READ_COMMITTED:
            if versions and versions[-1][0] > session.snapshot and self.bug not in (
                    "lost-update", "stale-snapshot", "snapshot-hole"):
                raise Abort("concurrent update")
            if self.bug == "lost-update":
                return self._at(key, session.snapshot)
        elif self.bug == "no-recheck" and session.began_waiting is not None:
            return self._at(key, session.began_waiting)
        return versions[-1][1] if versions else None

    def undo(self, session, count):
        """Takes the writes from number `count` on back."""
        undone = [w for w in session.writes[count:] if w is not None]
        for place in range(count, len(session.writes)):
            session.writes[place] = None
        if self.bug == "savepoint-leak":
            session.writes.extend(undone)  # the commit will find them again
            return
        for kind, key, _ in undone:
            if kind == INSERT:
                continue
            value = session.bases[key]
            kept = [w for w in session.writes if w is not None and w[1] == key]
            for kept_kind, _, kept_value in kept:
                value = (value or ()) + (kept_value,) if kept_kind == APPEND else kept_value
            if kept:
                session.finals[key] = value
            else:
                session.finals.pop(key, None)

    # Ending

    def abort(self, session):
        if session.writes and self.happens("aborted-write", 0.5):
            self._publish(Record(session))
        if session.writes and self.bug == "resurrected-abort":
            self.log.append(Record(session, aborted=True))
        self._release(session)

    def _release(self, session):
        self.active.pop(session, None)
        session.waits_for = None
        for key in [key for key, holder in self.locks.items() if holder is session]:
            del self.locks[key]

    def commit(self, session):
        """Puts it into the log; it is visible, and may be acknowledged, once `session.published`."""
        if not any(w is not None for w in session.writes):
            self._release(session)
            session.published = True
            return
        if session.level == SERIALIZABLE and self.bug != "write-skew":
            self._validate(session)
        record = Record(session)
        self.log.append(record)
        if self.bug == "lost-commit":
            self._publish(record)
            self._release(session)
            session.published = True
            return
        self.pending.append(record)
        if self.bug == "early-lock-release":
            self._release(session)

    def _validate(self, session):
        """Nothing read was changed by a commit after the snapshot: the commit order is a serial order."""
        for is_scan, key in session.reads:
            if is_scan and self.bug == "phantom":
                continue
            versions = (self.sets if is_scan else self.rows).get(key)
            changed = bool(versions) and versions[-1][0] > session.snapshot
            for record in self.pending:
                changed = changed or any(d[1] == key for d in record.deltas)
            if changed:
                raise Abort("read/write dependencies")

    def sync(self):
        """Makes the log's end durable, and then visible in its order."""
        if self.halves and self.chance.random() < 0.25:
            self._show_halves()
        if self.bug != "lost-commit" or self.chance.random() < 0.1:
            self.synced = len(self.log)
        for record in self.pending:
            self._publish(record)
            if self.bug != "early-lock-release":
                self._release(record.session)
            record.session.published = True
        self.pending = []

    def _show_halves(self):
        if self.halves:
            self.now += 1
            for show in self.halves:
                show(self.now)
            self.halves = []

    def _publish(self, record):
        self.now += 1
        now = self.now
        if self.bug == "intermediate-read":
            self._show_first_changes(record)
        finals = list(record.finals.items())
        if len(finals) > 1 and self.bug == "torn-visibility":
            late = finals.pop()
            self.halves.append(lambda t: self.rows.setdefault(late[0], []).append((t, late[1])))
        for key, value in finals:
            if isinstance(value, tuple) and self.happens("duplicate-append", 0.2):
                value += value[-1:]
            self.rows.setdefault(key, []).append((now, value))
        for kind, key, value in record.deltas:
            if kind == INSERT:
                self.sets.setdefault(key, []).append((now, value))
                if not self.happens("index-mismatch", 0.3):
                    self.index.setdefault(key, []).append((now, value))

    def _show_first_changes(self, record):
        for key, final in tuple(record.finals.items()):
            own = [d for d in record.deltas if d[1] == key]
            if len(own) > 1:
                first = final[:len(final) - len(own) + 1] if own[0][0] == APPEND else own[0][2]
                self.rows.setdefault(key, []).append((self.now, first))
                self.halves.append(
                    lambda t, key=key, final=final: self.rows[key].append((t, final)))
                record.finals.pop(key)

    # Crashes

    def crash(self):
        """kill -9 and recovery. Of what was not synced a prefix may have reached the disk."""
        kept = self.log[:self.chance.randint(self.synced, len(self.log))]
        replayed = [r for r in kept if not r.aborted or self.chance.random() < 0.5]
        if self.bug == "reordered-recovery":
            for place in range(len(replayed) - 1):
                if self.chance.random() < 0.5:
                    replayed[place:place + 2] = replayed[place + 1], replayed[place]
        self.forget()
        self.log = [r for r in kept if r in replayed]
        self.synced = len(self.log)
        if self.bug == "torn-recovery":
            torn = next((r for r in replayed[:-6:-1] if len(r.deltas) > 1), None)
            if torn is not None:
                torn.deltas = torn.deltas[:len(torn.deltas) // 2]
        for record in replayed:
            self._replay(record)
            if self.happens("replayed-twice", 0.2):
                self._replay(record)

    def _replay(self, record):
        self.now += 1
        for kind, key, value in record.deltas:
            if kind == INSERT:
                self.sets.setdefault(key, []).append((self.now, value))
                self.index.setdefault(key, []).append((self.now, value))
                continue
            versions = self.rows.setdefault(key, [])
            base = versions[-1][1] if versions else None
            versions.append((self.now, (base or ()) + (value,) if kind == APPEND else value))
