"""Rounds of clients in several processes, the server killed between them and started again."""
import gc
import mmap
import multiprocessing
import struct
import time
import traceback

from . import wire


class Progress:
    """How much each process has done, in memory that all of them share."""

    def __init__(self, slots):
        self.memory = mmap.mmap(-1, 8 * slots)
        self.slots = slots

    def set(self, slot, value):
        struct.pack_into("q", self.memory, 8 * slot, value)

    def total(self):
        return sum(struct.unpack_from(f"{self.slots}q", self.memory))


class Round:
    """What the clients of one process need: where they are, when to stop, what they found."""

    def __init__(self, number, limit, progress, slot):
        self.number, self.limit, self.progress, self.slot = number, limit, progress, slot
        self.done = 0
        self.output, self.problems = [], []

    def is_over(self):
        """Called after each transaction."""
        self.done += 1
        if self.done & 15 == 0:
            self.progress.set(self.slot, self.done)
        return self.done >= self.limit


def _work(port, make, arguments, round_, pipe, silence):
    gc.disable()  # what is recorded is kept to the end and has no cycles
    try:
        generators = [make(round_, *each) for each in arguments]
        wire.drive(port, generators, silence)
    except BaseException:  # reported by the parent, which fails
        round_.problems.append(traceback.format_exc())
    pipe.send((round_.output, round_.problems, round_.done))
    pipe.close()


def run_round(server, make, arguments, limit, kill_at=None, processes=2, number=0, silence=120):
    """Runs one client for each of `arguments` until `limit` transactions are done, or the server is killed
    after `kill_at`. `make(round, *argument)` makes a client. Returns (outputs, problems, transactions);
    that an answer does not come for `silence` seconds is a problem."""
    context = multiprocessing.get_context("fork")
    progress = Progress(processes)
    workers = []
    for slot in range(processes):
        mine = arguments[slot::processes]
        if not mine:
            continue
        round_ = Round(number, max(1, limit * len(mine) // len(arguments)), progress, slot)
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(server.port, make, mine, round_, theirs, silence), daemon=True)
        worker.start()
        theirs.close()
        workers.append((worker, ours))
    killed, problems = False, []
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
        server.kill()
        killed = True
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
    if not killed and server.process.poll() is not None:
        problems.append(f"the server ended with {server.process.returncode}: {server.tail()}")
    return outputs, problems, done
