"""A directed graph with kinds of edges; its strongly connected components."""

WW, WR, RW, PROG, SESSION, RT = range(6)
KIND_NAMES = ("ww", "wr", "rw", "order", "session", "time")


class Graph:
    """Edges are kept in parallel lists; `what` says why the edge is there: (key, value) or None."""

    def __init__(self):
        self.count = 0
        self.source, self.target, self.kind, self.what = [], [], [], []

    def node(self):
        self.count += 1
        return self.count - 1

    def add(self, source, target, kind, what):
        self.source.append(source)
        self.target.append(target)
        self.kind.append(kind)
        self.what.append(what)

    def cyclic_part(self):
        """The nodes left when all that can be ordered is taken away: empty when there is no cycle."""
        count = self.count
        degree = [0] * count
        out = [None] * count
        for source, target in zip(self.source, self.target):
            degree[target] += 1
            if out[source] is None:
                out[source] = [target]
            else:
                out[source].append(target)
        ready = [node for node in range(count) if degree[node] == 0]
        left = count
        while ready:
            node = ready.pop()
            left -= 1
            targets = out[node]
            if targets is not None:
                for target in targets:
                    degree[target] -= 1
                    if degree[target] == 0:
                        ready.append(target)
        return [node for node in range(count) if degree[node] > 0] if left else []

    def edges_within(self, nodes):
        """{node: [edge number]} of the edges between `nodes`."""
        inside = set(nodes)
        out = {node: [] for node in nodes}
        for edge, source in enumerate(self.source):
            if source in inside and self.target[edge] in inside:
                out[source].append(edge)
        return out


def components(graph, out, kinds):
    """The components of more than one node of the part that `out` describes, along edges of `kinds`.

    Tarjan's algorithm without recursion.
    """
    index, low, on_stack = {}, {}, set()
    stack, result = [], []
    target, kind = graph.target, graph.kind
    for root in out:
        if root in index:
            continue
        work = [(root, iter(out[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, edges = work[-1]
            for edge in edges:
                if kind[edge] not in kinds:
                    continue
                to = target[edge]
                if to not in index:
                    index[to] = low[to] = len(index)
                    stack.append(to)
                    on_stack.add(to)
                    work.append((to, iter(out[to])))
                    break
                if to in on_stack and index[to] < low[node]:
                    low[node] = index[to]
            else:
                work.pop()
                if work and low[node] < low[work[-1][0]]:
                    low[work[-1][0]] = low[node]
                if low[node] == index[node]:
                    component = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    if len(component) > 1:
                        result.append(component)
    return result
