"""A cycle in words: which transaction, which key, and why each edge is there."""
from .events import CLOCK, COMMIT, SNAPSHOT
from .graph import PROG, RT, RW, SESSION, WR


def event_steps(events, cycle):
    """[(kind, what, from node, to node)] of a cycle of edges, clock nodes left out."""
    graph = events.graph
    steps = [(graph.kind[e], graph.what[e], graph.source[e], graph.target[e]) for e in cycle]
    # Begin where a step does not come out of the clock.
    for turn, step in enumerate(steps):
        if events.owner[step[2]][1] != CLOCK:
            steps = steps[turn:] + steps[:turn]
            break
    result = []
    for kind, what, source, target in steps:
        if events.owner[source][1] == CLOCK:
            kind, what, source, _ = result.pop()
        result.append((kind, what, source, target))
    return result


def between_transactions(events, steps):
    """The steps with transactions in place of nodes, without those inside one transaction."""
    result = []
    for kind, what, source, target in steps:
        a, b = events.owner[source][0], events.owner[target][0]
        if kind != PROG and not (kind in (RT, SESSION) and a is b):
            result.append((kind, what, a, b))
    return result


def explain_events(events, steps):
    parts = []
    for kind, what, source, target in steps:
        parts.append(_step(events, kind, what, source, target))
    return "; ".join(parts) + ": a cycle"


def _moment(events, node):
    txn, kind, statement = events.owner[node]
    if kind == COMMIT:
        return f"T{txn.number}'s commit"
    if kind == SNAPSHOT:
        return f"T{txn.number}'s snapshot"
    return f"T{txn.number}'s statement {statement + 1}"


def _step(events, kind, what, source, target):
    a, b = _moment(events, source), _moment(events, target)
    if kind == PROG:
        return f"{a} came before {b}"
    if kind == SESSION:
        return f"{a} came before {b} (same client)"
    if kind == RT:
        done, sent = events.spans[source][1], events.spans[target][0]
        return f"{a} was answered (at {done}) before {b} was sent (at {sent})"
    if kind == WR:
        return f"{b} saw {what[1]} in {what[0]}, so {a} came before"
    if kind == RW:
        return f"{a} did not see {what[1]} in {what[0]}, so it came before {b}"
    return f"{what[2]} follows {what[1]} in {what[0]}, so {a} came before {b}"


def explain_serial(steps):
    parts = []
    for kind, what, a, b in steps:
        if kind == WR:
            parts.append(f"T{b.number} saw {what[1]} in {what[0]} of T{a.number}")
        elif kind == RW:
            parts.append(f"T{a.number} did not see {what[1]} in {what[0]} of T{b.number}")
        else:
            parts.append(f"T{b.number}'s {what[2]} in {what[0]} follows T{a.number}'s {what[1]}")
    return "; ".join(parts) + ": no serial order has all of it"
