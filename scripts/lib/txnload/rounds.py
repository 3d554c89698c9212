"""Rounds of clients in several processes, the server killed between them and started again.

What a round must not hide: a client that cannot connect, a connection that ends before the server is killed, a
server that ends by itself, and fewer transactions than were asked for.
"""
import gc
import mmap
import multiprocessing
import struct
import time
import traceback

from falconserver import Ended

from . import wire


class Progress:
    """A number of each process, in memory that all of them share."""

    def __init__(self, slots):
        self.memory = mmap.mmap(-1, 8 * slots)
        self.slots = slots

    def set(self, slot, value):
        struct.pack_into("q", self.memory, 8 * slot, value)

    def total(self):
        return sum(struct.unpack_from(f"{self.slots}q", self.memory))


class Round:
    """What the clients of one process need: where they are, when to stop, what they found."""

    def __init__(self, number, limit, progress, losses, slot):
        self.number, self.limit, self.slot = number, limit, slot
        self.progress, self.losses = progress, losses
        self.done = self.lost = 0
        self.output, self.problems = [], []

    def is_over(self):
        """Called after each transaction."""
        self.done += 1
        if self.done & 15 == 0:
            self.progress.set(self.slot, self.done)
        return self.done >= self.limit

    def note_lost(self):
        self.lost += 1
        self.losses.set(self.slot, self.lost)


def _work(port, make, arguments, round_, pipe, silence, barrier):
    gc.disable()  # what is recorded is kept to the end and has no cycles
    try:
        generators = [make(round_, *each) for each in arguments]
        # Nobody begins, and so nothing is killed, before all are connected.
        wire.drive(port, generators, silence, lambda: barrier.wait(silence), round_.note_lost)
    except BaseException:  # reported by the parent, which fails
        barrier.abort()
        round_.problems.append(traceback.format_exc())
    pipe.send((round_.output, round_.problems, round_.done))
    pipe.close()


def run_round(server, make, arguments, limit, kill_at=None, processes=2, number=0, silence=120):
    """Runs one client for each of `arguments` until `limit` transactions are done, or the server is killed
    after `kill_at`. `make(round, *argument)` makes a client. Returns (outputs, problems, transactions);
    that an answer does not come for `silence` seconds is a problem."""
    context = multiprocessing.get_context("fork")
    progress, losses = Progress(processes), Progress(processes)
    barrier = context.Barrier(min(processes, len(arguments)))
    workers, expected = [], 0
    for slot in range(processes):
        mine = arguments[slot::processes]
        if not mine:
            continue
        round_ = Round(number, max(1, limit * len(mine) // len(arguments)), progress, losses, slot)
        expected += round_.limit
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(
            target=_work, args=(server.port, make, mine, round_, theirs, silence, barrier), daemon=True)
        worker.start()
        theirs.close()
        workers.append((worker, ours))
    problems = []
    if kill_at is not None:
        last, since = 0, time.monotonic()
        while progress.total() < kill_at and any(w.is_alive() for w, _ in workers):
            time.sleep(0.002)  # how long the load runs, not a synchronisation
            if any(pipe.poll() for _, pipe in workers):
                break
            if progress.total() != last:
                last, since = progress.total(), time.monotonic()
            elif time.monotonic() - since > silence:
                problems.append(f"no transaction ended for {silence} s")
                break
        if progress.total() < kill_at:
            problems.append(f"{progress.total()} transactions were done when the clients had ended, not {kill_at}")
        if losses.total():
            problems.append(f"{losses.total()} connection(s) were lost before the server was killed")
        try:
            server.kill()
        except Ended as error:
            problems.append(str(error))
    outputs, done = [], 0
    for worker, pipe in workers:
        try:
            output, found, count = pipe.recv()
        except EOFError:
            problems.append("a process of clients ended without a word")
            continue
        finally:
            pipe.close()
        outputs += output
        problems += found
        done += count
        worker.join()
    if kill_at is None:
        if losses.total():
            problems.append(f"{losses.total()} connection(s) were lost, and nobody had killed the server")
        if done < expected:
            problems.append(f"{done} transactions were done, not {expected}")
        if why := server.ended_with():
            problems.append(why)
    return outputs, problems, done
