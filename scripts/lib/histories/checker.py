"""check(txns) -> Report: every anomaly that the levels of the transactions do not allow."""
import time

from .cycles import find_cycles, name_cycle, name_serial_cycle
from .events import Events, has_writes
from .explain import between_transactions, event_steps, explain_events, explain_serial
from .graph import RW, Graph
from .lists import Lists
from .model import FAMILY, INFO, OK, SERIALIZABLE, Anomaly
from .ownview import split_reads
from .registers import Registers
from .sets import Sets


class Report:
    def __init__(self):
        self.anomalies = []
        self.committed = self.reads = self.nodes = self.edges = 0
        self.seconds = 0.0
        #: By family: reads that saw something of another transaction.
        self.seen = {}

    @property
    def names(self):
        return sorted({anomaly.name for anomaly in self.anomalies})

    def text(self, limit=5):
        return "\n".join(anomaly.witness() for anomaly in self.shortest()[:limit])

    def shortest(self):
        """The anomalies, those that need the fewest transactions and operations first."""
        return sorted(self.anomalies, key=lambda a: (len(a.txns), sum(len(t.ops) for t in a.txns)))


def check(txns):
    began = time.perf_counter()
    report = Report()
    anomalies = report.anomalies
    externals = {"list": [], "register": [], "set": []}
    for txn in txns:
        for external in split_reads(txn, anomalies):
            externals[FAMILY[external.op.kind]].append(external)
            report.reads += 1
    report.seen = {family: sum(bool(each.value) for each in found) for family, found in externals.items()}
    families = [Lists(txns, externals["list"]), Registers(txns, externals["register"]),
                Sets(txns, externals["set"])]
    observed = set().union(*(family.observed() for family in families))
    committed = {txn.number for txn in txns
                 if txn.status == OK or (txn.status == INFO and txn.number in observed and has_writes(txn))}
    events = Events(txns, committed)
    for family in families:
        family.check(events, anomalies)
    _event_cycles(events, anomalies)
    _serial_cycles(events, anomalies)
    report.committed = len(committed)
    report.nodes, report.edges = events.graph.count, len(events.graph.source)
    report.seconds = time.perf_counter() - began
    return report


def _event_cycles(events, anomalies):
    for cycle in find_cycles(events.graph):
        steps = event_steps(events, cycle)
        between = between_transactions(events, steps)
        levels = {events.owner[node][0].level for kind, _, node, _ in steps if kind == RW}
        txns = list(dict.fromkeys(events.owner[node][0] for _, _, node, _ in steps))
        anomalies.append(Anomaly(name_cycle(between, levels), explain_events(events, steps), txns))


def _serial_cycles(events, anomalies):
    graph, nodes = Graph(), {}
    txns = []
    pairs = []
    for kind, a, b, what in events.txn_edges:
        if a.level != SERIALIZABLE or b.level != SERIALIZABLE:
            continue
        for txn in (a, b):
            if txn.number not in nodes:
                nodes[txn.number] = graph.node()
                txns.append(txn)
        graph.add(nodes[a.number], nodes[b.number], kind, what)
        pairs.append((a, b))
    known = {frozenset(t.number for t in anomaly.txns) for anomaly in anomalies}
    for cycle in find_cycles(graph):
        steps = [(graph.kind[e], graph.what[e], *pairs[e]) for e in cycle]
        members = [step[2] for step in steps]
        if frozenset(t.number for t in members) not in known:
            anomalies.append(Anomaly(name_serial_cycle(steps), explain_serial(steps), members))
