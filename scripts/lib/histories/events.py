"""Snapshots, statements and commits as nodes of one graph; a cycle in it is a broken promise.

What a single node promises is one order of moments. A commit is a moment at which all writes of a transaction
appear. At READ COMMITTED each statement reads at a moment of its own; at REPEATABLE READ and
SERIALIZABLE a transaction reads at one moment, its snapshot. So:

    WR    a commit comes before the moment at which its write was read
    RW    a moment at which a write was not seen comes before the commit that made it
    WW    a commit comes before whoever wrote the key next: before that statement, which waited for the row
          lock, and at REPEATABLE READ before that transaction's snapshot (else it had to fail)
    PROG, SESSION   the order in which a client did things
    RT    what was answered comes before what was sent later: an acknowledged commit is visible

SERIALIZABLE adds that whole transactions can be put in one order: `txn_edges` keeps the WW, WR and
RW edges between transactions, without time, for that.
"""
from .graph import PROG, RT, RW, SESSION, WR, WW, Graph
from .model import READ_COMMITTED, WRITES

STATEMENT, SNAPSHOT, COMMIT, CLOCK = "statement", "snapshot", "commit", "clock"


class Events:
    def __init__(self, txns, committed):
        self.graph = Graph()
        #: (kind, a, b, what) between transactions, for serializability.
        self.txn_edges = []
        self.owner = []  # node -> (txn, kind, statement)
        self.spans = []  # node -> (sent, done)
        self.commit = {}  # txn number -> node, of committed transactions
        self.snapshot = {}  # txn number -> node
        self.statements = {}  # (txn number, statement) -> node
        self.committed = committed
        last = {}
        for txn in txns:
            first, end = self._add(txn)
            if first is None:
                continue
            before = last.get(txn.session)
            if before is not None:
                self.graph.add(before, first, SESSION, None)
            last[txn.session] = end
        self._add_time()

    def _node(self, txn, kind, statement, sent, done):
        self.owner.append((txn, kind, statement))
        self.spans.append((sent, done))
        return self.graph.node()

    def _add(self, txn):
        nodes = []
        if txn.level == READ_COMMITTED:
            current, node = None, None
            for op in txn.ops:
                if op.key is not None and op.statement != current:
                    current = op.statement
                    node = self._node(txn, STATEMENT, current, op.sent, op.done)
                    self.statements[(txn.number, current)] = node
                    nodes.append(node)
        elif txn.ops:
            op = next((op for op in txn.ops if op.key is not None), txn.ops[0])
            node = self._node(txn, SNAPSHOT, op.statement, *(txn.first or (op.sent, op.done)))
            self.snapshot[txn.number] = node
            nodes.append(node)
        if txn.number in self.committed:
            node = self._node(txn, COMMIT, None, txn.commit_sent, txn.commit_done)
            self.commit[txn.number] = node
            nodes.append(node)
        if not nodes:
            return None, None
        add = self.graph.add
        for before, after in zip(nodes, nodes[1:]):
            add(before, after, PROG, None)
        return nodes[0], nodes[-1]

    def _add_time(self):
        """Orders what was answered before what was sent later, by a chain of clock nodes."""
        points = []
        for node, (sent, done) in enumerate(self.spans):
            if sent is not None:
                points.append((sent, 0, node))
            if done is not None:
                points.append((done, 1, node))
        points.sort()
        clock, is_open = None, False  # `is_open`: nothing was sent since the clock node was made
        add = self.graph.add
        for _, is_done, node in points:
            if is_done:
                if not is_open:
                    before, clock = clock, self._clock()
                    if before is not None:
                        add(before, clock, RT, None)
                    is_open = True
                add(node, clock, RT, None)
            else:
                is_open = False
                if clock is not None:
                    add(clock, node, RT, None)

    def _clock(self):
        self.owner.append((None, CLOCK, None))
        self.spans.append((None, None))
        return self.graph.node()

    # Edges that the three families of objects find.

    def moment(self, txn, statement):
        """The node at which `txn` read or wrote in `statement`."""
        node = self.snapshot.get(txn.number)
        return self.statements[(txn.number, statement)] if node is None else node

    def wr(self, writer, external, what):
        """`external` saw what `writer` wrote."""
        reader = external.txn
        if writer is reader or writer.number not in self.commit:
            return
        self.graph.add(self.commit[writer.number], self.moment(reader, external.op.statement), WR, what)
        if reader.number in self.commit:
            self.txn_edges.append((WR, writer, reader, what))

    def rw(self, external, writer, what):
        """`external` did not see what `writer` wrote."""
        reader = external.txn
        if writer is reader or writer.number not in self.commit:
            return
        self.graph.add(self.moment(reader, external.op.statement), self.commit[writer.number], RW, what)
        if reader.number in self.commit:
            self.txn_edges.append((RW, reader, writer, what))

    def ww(self, before, after, statement, what):
        """`before` wrote the key first, then `after` in `statement`."""
        if before is after or before.number not in self.commit or after.number not in self.commit:
            return
        self.graph.add(self.commit[before.number], self.moment(after, statement), WW, what)
        self.txn_edges.append((WW, before, after, what))


def has_writes(txn):
    return any(op.kind in WRITES and not op.undone for op in txn.ops)
