"""Concurrent clients against a real server, their rounds between kills, and what each workload checks.

    wire      many connections of one process, each driven by a generator
    rounds    processes of clients, the server killed and started again
    mixed     transactions on lists, registers and sets: the history for the checker
    bank, counter, unique, queue, skew, movers   workloads with an invariant of their own
    pipeline  messages sent ahead of their answers
    broken    runs that must find something
"""
