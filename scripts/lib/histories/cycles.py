"""The shortest cycle of each component, and the name the literature has for it.

Names are Adya's where he has one. A suffix says that the cycle needs the order of one client's
transactions (`-session`) or the clock (`-realtime`): every transaction is sound by itself, and
what it saw is older than what somebody had been told before.
"""
from collections import deque

from .graph import PROG, RT, RW, SESSION, WR, WW, components

# Kinds of edges allowed, in the order in which cycles are looked for: the plainest name wins.
STAGES = (
    ({WW, PROG}, False),
    ({WW, WR, PROG}, False),
    ({WW, WR, RW, PROG}, True),
    ({WW, WR, RW, PROG}, False),
    ({WW, WR, PROG, SESSION}, False),
    ({WW, WR, RW, PROG, SESSION}, True),
    ({WW, WR, RW, PROG, SESSION}, False),
    ({WW, WR, PROG, SESSION, RT}, False),
    ({WW, WR, RW, PROG, SESSION, RT}, True),
    ({WW, WR, RW, PROG, SESSION, RT}, False),
)
MAX_COMPONENTS = 16
MAX_STARTS = 400


def find_cycles(graph):
    """A list of cycles, each a list of edge numbers; at most one of each component and stage."""
    rest = graph.cyclic_part()
    if not rest:
        return []
    out = graph.edges_within(rest)
    cycles = []
    for component in components(graph, out, STAGES[-1][0])[:MAX_COMPONENTS]:
        inside = set(component)
        local = {node: [e for e in out[node] if graph.target[e] in inside] for node in component}
        for kinds, is_single in STAGES:
            cycle = _shortest(graph, local, kinds, is_single)
            if cycle:
                cycles.append(cycle)
                break
    return cycles


def _shortest(graph, out, kinds, is_single):
    best, limit = None, graph.count + 1
    if is_single:
        # One anti-dependency: from its end back to its beginning without another.
        without = kinds - {RW}
        starts = [e for edges in out.values() for e in edges if graph.kind[e] == RW]
        for edge in starts[:MAX_STARTS]:
            path = _path(graph, out, without, graph.target[edge], graph.source[edge], limit)
            if path is not None:
                best, limit = [edge] + path, len(path)
        return best
    for part in components(graph, out, kinds):
        inside = set(part)
        local = {node: [e for e in out[node] if graph.target[e] in inside] for node in part}
        for node in part[:MAX_STARTS]:
            for edge in local[node]:
                if graph.kind[edge] not in kinds:
                    continue
                path = _path(graph, local, kinds, graph.target[edge], node, limit)
                if path is not None:
                    best, limit = [edge] + path, len(path)
        if best:
            return best
    return best


def _path(graph, out, kinds, source, goal, limit):
    """The edges of a shortest path of fewer than `limit` edges, or None."""
    if source == goal:
        return []
    came, depth = {source: None}, {source: 0}
    queue = deque([source])
    while queue:
        node = queue.popleft()
        if depth[node] + 1 >= limit:
            return None
        for edge in out[node]:
            to = graph.target[edge]
            if graph.kind[edge] not in kinds or to in came:
                continue
            came[to] = edge
            depth[to] = depth[node] + 1
            if to == goal:
                path = []
                while to != source:
                    path.append(came[to])
                    to = graph.source[came[to]]
                return path[::-1]
            queue.append(to)
    return None


def name_cycle(steps, levels):
    """`steps`: [(kind, what, txn a, txn b)] without those inside one transaction."""
    kinds = [step[0] for step in steps]
    unseen = kinds.count(RW)
    if unseen == 0:
        name = "G1c" if WR in kinds else "G0"
    elif unseen == 1:
        name = _single(steps, levels)
    else:
        name = "long-fork"
    if RT in kinds:
        return name + "-realtime"
    if SESSION in kinds:
        return name + "-session"
    return name


def _single(steps, levels):
    unseen = next(step for step in steps if step[0] == RW)
    if len(steps) == 2:
        other = next(step for step in steps if step[0] != RW)
        if other[0] == WW and other[1][0] == unseen[1][0]:
            return "lost-update"
    if levels == {"read committed"}:
        return "G-monotonic"
    return "G-single"


def name_serial_cycle(steps):
    """The name of a cycle between whole transactions."""
    unseen = [step for step in steps if step[0] == RW]
    if not unseen:
        return "G1c" if any(step[0] == WR for step in steps) else "G0"
    if len(unseen) == 1:
        return _single(steps, set())
    return "G2" if any(len(step[1]) > 2 for step in unseen) else "G2-item"
