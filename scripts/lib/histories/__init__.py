"""A checker of transaction histories: what clients sent and were told, against what a level promises.

    model      transactions, operations, outcomes (ok, fail, info)
    ownview    what a transaction must see of its own writes
    lists, registers, sets   who wrote what others read, and in which order; family: what the three share
    events     one graph of snapshots, statements and commits for every promise but serializability
    graph, cycles   strongly connected components; the shortest cycle and its name
    explain    a cycle in words
    checker    check(history) -> Report
    script     histories as text
    proof      what shows that the checker checks
    sim*       an in-memory database with planted bugs, to prove the checker on
"""
