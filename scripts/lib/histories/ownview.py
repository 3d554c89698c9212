"""What a transaction must see of its own writes, and what its reads then say of others'.

Each read is split into what the transaction itself wrote before it, which must be there exactly, and the
rest, which others committed.
"""
from .model import APPEND, FAMILY, GET, INSERT, READ, SCAN, UNDO, WRITE, Anomaly


class External:
    """What a read saw of others: `value` without the transaction's own writes."""

    __slots__ = ("txn", "op", "key", "value", "own")

    def __init__(self, txn, op, value, own):
        self.txn, self.op, self.key, self.value, self.own = txn, op, op.key, value, own


def split_reads(txn, anomalies):
    """The external reads of `txn`; anomalies named `internal` are added to `anomalies`."""
    externals = []
    writes = []  # (op index, op) alive in the transaction's own view
    for index, op in enumerate(txn.ops):
        if op.kind == UNDO:
            writes = [entry for entry in writes if entry[0] < op.value]
        elif op.kind in (APPEND, WRITE, INSERT):
            writes.append((index, op))
        else:
            if writes:
                family = FAMILY[op.kind]
                own = [w.value for _, w in writes if w.key == op.key and FAMILY[w.kind] == family]
            else:
                own = ()
            split = _SPLIT[op.kind](op, own, txn)
            if isinstance(split, str):
                anomalies.append(Anomaly("internal", f"T{txn.number}: {split}", [txn]))
            elif split is not None:
                externals.append(split)
    return externals


def _read(op, own, txn):
    if not own:
        return External(txn, op, op.value, 0)
    count = len(own)
    if tuple(op.value[-count:]) != tuple(own):
        return f"`{op!r}` does not end with its own appends {own}"
    rest = op.value[:-count]
    if any(value in rest for value in own):
        return f"`{op!r}` shows its own appends twice"
    return External(txn, op, rest, count)


def _get(op, own, txn):
    if not own:
        return External(txn, op, op.value, 0)
    if op.value != own[-1]:
        return f"`{op!r}` is not its own last write {own[-1]}"
    return None


def _scan(op, own, txn):
    if not own:
        return External(txn, op, op.value, 0)
    missing = [value for value in own if value not in op.value]
    if missing:
        return f"`{op!r}` lacks its own inserts {missing}"
    return External(txn, op, op.value.difference(own), len(own))


_SPLIT = {READ: _read, GET: _get, SCAN: _scan}
