"""Sets that grow by inserts and are read by predicate: what a scan did not find is a phantom."""
from collections import defaultdict

from .family import Family, why_aborted
from .model import FAIL, INSERT


class Sets(Family):
    kind = INSERT

    def __init__(self, txns, externals):
        self.by_key = defaultdict(list)  # key -> [(txn, op)], without what was rolled back to a savepoint
        super().__init__(txns, externals)

    def _wrote(self, txn, op):
        if not op.undone:
            self.by_key[op.key].append((txn, op))

    def check(self, events, anomalies):
        committed = events.committed
        for external in self.externals:
            key, value, reader = external.key, external.value, external.txn
            known = 0
            for txn, op in self.by_key[key]:
                if op.value in value:
                    known += 1
                    if txn.status == FAIL:
                        self._aborted(external, txn, op, anomalies)
                    else:
                        events.wr(txn, external, (key, op.value))
                elif txn.number in committed:
                    events.rw(external, txn, (key, op.value, "scan"))
            if known != len(value):
                for element in value:
                    found = self.writer.get((key, element))
                    if found is None:
                        self._tell(anomalies, "garbage-read", (key, element), f"T{reader.number} saw {element} in "
                                   f"set {key}, which nobody inserted", [reader])
                    elif found[1].undone:
                        self._aborted(external, *found, anomalies)

    def _aborted(self, external, txn, op, anomalies):
        self._tell(anomalies, "G1a", (op.key, op.value), f"T{external.txn.number} saw {op.value} in set {op.key}, "
                   f"inserted by T{txn.number}: {why_aborted(op)}", [external.txn, txn])
