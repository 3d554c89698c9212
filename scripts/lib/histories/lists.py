"""List-append: every read shows the order of the appends below it."""
from collections import defaultdict

from .family import Family, why_aborted
from .model import APPEND, FAIL, Anomaly


class Lists(Family):
    kind = APPEND

    def __init__(self, txns, externals):
        self.by_key = defaultdict(list)  # key -> [(txn, op)]
        super().__init__(txns, externals)

    def _wrote(self, txn, op):
        self.by_key[op.key].append((txn, op))

    def check(self, events, anomalies):
        orders = self._orders(events.committed, anomalies)
        self._check_values(orders, anomalies)
        for key, order in orders.items():
            self._write_edges(events, key, order)
        last_appends = self._last_appends()
        unseen = {key: self._unseen(events, key, order) for key, order in orders.items()}
        writer = self.writer
        for external in self.externals:
            key, value = external.key, external.value
            order = orders[key]
            last_writer = None
            if value:
                found = writer.get((key, value[-1]))
                if found is not None:
                    last_writer = found[0]
                    self._intermediate(external, found, last_appends, anomalies)
                    events.wr(found[0], external, (key, value[-1]))
            if value == order[:len(value)]:
                if len(value) < len(order):
                    found = writer.get((key, order[len(value)]))
                    # That the rest of one's own commit was not seen is G1b, told already.
                    if found is not None and found[0] is not last_writer:
                        events.rw(external, found[0], (key, order[len(value)]))
                else:
                    for txn, op in unseen[key]:
                        if txn is not last_writer:
                            events.rw(external, txn, (key, op.value))
            else:
                for following in order:
                    found = writer.get((key, following))
                    if following not in value and found is not None:
                        events.rw(external, found[0], (key, following))
                        break

    def _orders(self, committed, anomalies):
        """key -> the longest version seen, and anomalies where two versions are no prefixes."""
        longest, reader, told = {}, {}, set()
        versions = []
        for external in self.externals:
            value = external.value
            if external.own and external.txn.number in committed and not any(
                    op.undone for op in external.txn.ops):
                value = tuple(external.op.value)
            versions.append((external.key, value, external))
        for key, value, external in versions:
            if key not in longest or len(value) > len(longest[key]):
                longest[key], reader[key] = value, external.txn
        for key, value, external in versions:
            if value != longest[key][:len(value)] and key not in told:
                told.add(key)
                anomalies.append(Anomaly(
                    "incompatible-order",
                    f"T{external.txn.number} saw list {key} as {list(value)}, T{reader[key].number} as "
                    f"{list(longest[key])}: neither grew from the other", [external.txn, reader[key]]))
        return longest

    def _check_values(self, orders, anomalies):
        """Values twice, from nowhere, or of transactions that are undone."""
        checked = set()
        for external in self.externals:
            key, value = external.key, external.value
            if value == orders[key][:len(value)]:
                # Versions that are prefixes of the longest are looked at once, with the longest.
                if key in checked or len(value) < len(orders[key]):
                    continue
                checked.add(key)
            self._version(external.txn, key, value, anomalies)
        for external in self.externals:  # the longest may be one that ends with the reader's own
            if external.key not in checked:
                checked.add(external.key)
                self._version(external.txn, external.key, orders[external.key], anomalies)
        for external in self.externals:  # a short prefix may hold what only its reader took back
            for value in external.value[-1:]:
                found = self.writer.get((external.key, value))
                if found is not None and found[1].undone:
                    self._version(external.txn, external.key, external.value, anomalies)

    def _version(self, reader, key, value, anomalies):
        seen = set()
        for element in value:
            if element in seen:
                self._tell(anomalies, "duplicate-elements", (key, element), f"list {key} has {element} twice in "
                           f"{list(value)}, read by T{reader.number}", [reader])
            seen.add(element)
            found = self.writer.get((key, element))
            if found is None:
                self._tell(anomalies, "garbage-read", (key, element),
                           f"T{reader.number} saw {element} in list {key}, which nobody appended", [reader])
            elif found[0].status == FAIL or found[1].undone:
                self._tell(anomalies, "G1a", (key, element), f"T{reader.number} saw {element} in list {key}, appended "
                           f"by T{found[0].number}: {why_aborted(found[1])}", [reader, found[0]])

    def _last_appends(self):
        last = {}
        for key, appends in self.by_key.items():
            for txn, op in appends:
                if not op.undone:
                    last[(key, txn.number)] = op.value
        return last

    @staticmethod
    def _intermediate(external, found, last_appends, anomalies):
        writer, op = found
        if writer is external.txn or op.undone:
            return
        last = last_appends.get((external.key, writer.number))
        if last != op.value:
            anomalies.append(Anomaly(
                "G1b", f"T{external.txn.number} saw list {external.key} end with {op.value}, after which "
                f"T{writer.number} itself appended {last}", [external.txn, writer]))

    def _write_edges(self, events, key, order):
        before = None
        for value in order:
            found = self.writer.get((key, value))
            if found is None:
                continue
            if before is not None:
                events.ww(before[0], found[0], found[1].statement, (key, before[1].value, value))
            before = found

    def _unseen(self, events, key, order):
        """Committed appends that no version shows: they come after the longest."""
        if len(order) == len(self.by_key[key]):
            return []
        seen = set(order)
        return [(txn, op) for txn, op in self.by_key[key]
                if op.value not in seen and not op.undone and txn.number in events.committed]
