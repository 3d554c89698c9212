"""Registers: a read shows one write; the order of the writes has to be inferred.

The order of a key's writes is that of its commits. It is known where
  - one commit was acknowledged before the other was sent;
  - a reader saw one, though the other had been acknowledged before: the other is older;
  - a transaction read one and then wrote the other, locking the row or on one snapshot.
What cannot be ordered gives no edge: that loses findings and never invents one.
"""
from bisect import bisect_left
from collections import defaultdict

from .family import Family, why_aborted
from .model import FAIL, READ_COMMITTED, WRITE, Anomaly

INFINITY = float("inf")


class Registers(Family):
    kind = WRITE

    def __init__(self, txns, externals):
        self.last = {}  # (key, txn number) -> op: what the transaction left
        #: key -> [(txn, op)] of committed transactions, filled by check.
        self.by_key = defaultdict(list)
        super().__init__(txns, externals)

    def _wrote(self, txn, op):
        if not op.undone:
            self.last[(op.key, txn.number)] = op

    @staticmethod
    def _values(external):
        return (external.value,)

    def check(self, events, anomalies):
        first_ops = {}  # (key, txn number) -> the first write: it waited for whoever wrote before
        for (key, _), (txn, op) in self.writer.items():
            if not op.undone and txn.number in events.committed:
                first_ops.setdefault((key, txn.number), (txn, op))
        for (key, _), entry in first_ops.items():
            self.by_key[key].append(entry)
        clocks = {key: Clock(writers) for key, writers in self.by_key.items()}
        for key, writers in self.by_key.items():
            for txn, op in writers:
                for before, _ in clocks[key].latest_before(txn.commit_sent):
                    events.ww(before, txn, op.statement, (key, self._left(key, before), op.value))
        self._reads(events, clocks, anomalies)

    def _left(self, key, txn):
        return self.last[(key, txn.number)].value

    def _reads(self, events, clocks, anomalies):
        rewriters = defaultdict(list)  # (key, value) -> transactions that read it and wrote the key
        for external in self.externals:
            seen = self._source(external, anomalies)
            if seen is not None:
                events.wr(seen[0], external, (external.key, external.value))
            if self._rewrites(external, events.committed):
                version = (external.key, external.value)
                if external.txn not in rewriters[version]:
                    rewriters[version].append(external.txn)
        for (key, value), txns in rewriters.items():
            if len(txns) > 1:
                anomalies.append(Anomaly(
                    "lost-update", f"{', '.join(f'T{t.number}' for t in txns[:3])} each read register {key} as "
                    f"{value} and wrote it: one of the writes was lost", txns[:3]))
        for external in self.externals:
            key = external.key
            clock = clocks.get(key)
            if clock is None:
                continue
            self._unseen(events, external, clock, rewriters)
            self._older(events, external, clock)

    def _source(self, external, anomalies):
        """The write that was seen, or None for the initial state and for what must not be seen."""
        key, value, reader = external.key, external.value, external.txn
        if value is None:
            return None
        found = self.writer.get((key, value))
        if found is None:
            self._tell(anomalies, "garbage-read", (key, value),
                       f"T{reader.number} saw {value} in register {key}, which nobody wrote", [reader])
            return None
        txn, op = found
        if txn.status == FAIL or op.undone:
            self._tell(anomalies, "G1a", (key, value), f"T{reader.number} saw {value} in register {key}, written by "
                       f"T{txn.number}: {why_aborted(op)}", [reader, txn])
        elif txn is not reader and self.last[(key, txn.number)] is not op:
            self._tell(anomalies, "G1b", (key, value), f"T{reader.number} saw {value} in register {key}, which "
                       f"T{txn.number} itself overwrote with {self._left(key, txn)}", [reader, txn])
        return found

    def _rewrites(self, external, committed):
        """Whether the read's transaction wrote the key on top of what it read."""
        txn = external.txn
        if txn.number not in committed or (external.key, txn.number) not in self.last:
            return False
        return txn.level != READ_COMMITTED or (external.op.locked and not external.op.undone)

    def _unseen(self, events, external, clock, rewriters):
        """Edges to the commits that certainly came after the one that was seen."""
        key, value, reader = external.key, external.value, external.txn
        if value is None:
            later = clock.earliest()
        else:
            found = self.writer.get((key, value))
            if found is None or found[1].undone or found[0].number not in events.committed:
                return
            later = clock.earliest_after(found[0].commit_done)
        for txn, op in later:
            events.rw(external, txn, (key, op.value))
        for txn in rewriters.get((key, value), ()):
            if txn is not reader:
                events.rw(external, txn, (key, self._left(key, txn)))

    def _older(self, events, external, clock):
        """What had been acknowledged when the reader began is no newer than what it saw."""
        key, value = external.key, external.value
        found = self.writer.get((key, value))
        if found is None or found[1].undone or found[0].number not in events.committed:
            return
        if found[0] is external.txn:
            return
        sent, _ = events.spans[events.moment(external.txn, external.op.statement)]
        seen_done = found[0].commit_done
        for txn, op in clock.latest_before(sent):
            # What is newer by the clock was missed: the reader's edge to it says so.
            is_newer = seen_done is not None and seen_done < txn.commit_sent
            if txn is not found[0] and not is_newer:
                events.ww(txn, found[0], clock.first[found[0].number].statement, (key, op.value, value))


class Clock:
    """The commits of one key's writers on the clock."""

    def __init__(self, writers):
        self.writers = writers
        self.first = {txn.number: op for txn, op in writers}
        timed = [(t.commit_sent, INFINITY if t.commit_done is None else t.commit_done, i)
                 for i, (t, _) in enumerate(writers) if t.commit_sent is not None]
        self.by_sent = sorted(timed)
        self.by_done = sorted((done, sent, i) for sent, done, i in timed)
        self.sents = [entry[0] for entry in self.by_sent]
        self.dones = [entry[0] for entry in self.by_done]

    def latest_before(self, moment):
        """The writers acknowledged before `moment` that no other such writer is certainly after."""
        if moment is None:
            return []
        result, bound = [], None
        for place in range(bisect_left(self.dones, moment) - 1, -1, -1):
            done, sent, index = self.by_done[place]
            if bound is not None and done < bound:
                break
            result.append(self.writers[index])
            bound = sent if bound is None else max(bound, sent)
        return result

    def earliest_after(self, moment):
        """The writers that sent their commit after `moment` and that no other such is certainly before."""
        if moment is None:
            return []
        place = bisect_left(self.sents, moment)
        while place < len(self.sents) and self.sents[place] <= moment:
            place += 1
        result, bound = [], INFINITY
        for sent, done, index in self.by_sent[place:]:
            if sent > bound:
                break
            result.append(self.writers[index])
            bound = min(bound, done)
        return result

    def earliest(self):
        """The writers that no other is certainly before; all of them where nothing is timed."""
        if len(self.by_sent) != len(self.writers):
            return self.writers
        return self.earliest_after(-INFINITY)
