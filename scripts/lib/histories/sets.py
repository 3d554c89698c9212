"""Sets that grow by inserts and are read by predicate: what a scan did not find is a phantom."""
from collections import defaultdict

from .model import FAIL, INSERT, Anomaly


class Sets:
    def __init__(self, txns, externals):
        self.externals = externals
        self.writer = {}
        self.by_key = defaultdict(list)
        for txn in txns:
            for op in txn.ops:
                if op.kind == INSERT:
                    self.writer[(op.key, op.value)] = (txn, op)
                    if not op.undone:
                        self.by_key[op.key].append((txn, op))

    def observed(self):
        seen = set()
        for external in self.externals:
            key, number = external.key, external.txn.number
            for value in external.value:
                found = self.writer.get((key, value))
                if found is not None and found[0].number != number and not found[1].undone:
                    seen.add(found[0].number)
        return seen

    def check(self, events, anomalies):
        committed = events.committed
        told = set()
        for external in self.externals:
            key, value, reader = external.key, external.value, external.txn
            known = 0
            for txn, op in self.by_key[key]:
                if op.value in value:
                    known += 1
                    if txn.status == FAIL:
                        self._aborted(external, txn, op, "which did not commit", told, anomalies)
                    else:
                        events.wr(txn, external, (key, op.value))
                elif txn.number in committed:
                    events.rw(external, txn, (key, op.value, "scan"))
            if known != len(value):
                for element in value:
                    found = self.writer.get((key, element))
                    if found is None:
                        if (key, element) not in told:
                            told.add((key, element))
                            anomalies.append(Anomaly(
                                "garbage-read", f"T{reader.number} saw {element} in set {key}, which nobody "
                                "inserted", [reader]))
                    elif found[1].undone:
                        self._aborted(external, *found, "that savepoint was rolled back", told, anomalies)

    @staticmethod
    def _aborted(external, txn, op, why, told, anomalies):
        if (op.key, op.value) not in told:
            told.add((op.key, op.value))
            anomalies.append(Anomaly(
                "G1a", f"T{external.txn.number} saw {op.value} in set {op.key}, inserted by "
                f"T{txn.number}: {why}", [external.txn, txn]))
