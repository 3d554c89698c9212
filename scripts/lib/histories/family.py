"""What the three families of objects share: who wrote which value, and of whom others saw a write."""
from .model import Anomaly


class Family:
    """`externals`: the external reads of its objects. `writer`: (key, value) -> (txn, op)."""

    kind = None  # of the operation that writes

    def __init__(self, txns, externals):
        self.externals = externals
        self.writer = {}
        self._told = set()
        for txn in txns:
            for op in txn.ops:
                if op.kind == self.kind:
                    self.writer[(op.key, op.value)] = (txn, op)
                    self._wrote(txn, op)

    def _wrote(self, txn, op):
        """Called for each write, in the order of the transactions."""

    @staticmethod
    def _values(external):
        """The values that the read saw."""
        return external.value

    def observed(self):
        """The numbers of the transactions of which another saw a write."""
        seen = set()
        for external in self.externals:
            for value in self._values(external):
                found = self.writer.get((external.key, value))
                if found is not None and found[0] is not external.txn and not found[1].undone:
                    seen.add(found[0].number)
        return seen

    def _tell(self, anomalies, name, what, text, txns):
        """An anomaly, once for each (name, what)."""
        if (name, what) not in self._told:
            self._told.add((name, what))
            anomalies.append(Anomaly(name, text, txns))


def why_aborted(op):
    return "that savepoint was rolled back" if op.undone else "which did not commit"
