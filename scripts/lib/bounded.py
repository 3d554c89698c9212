"""Runs a command that must end within so many seconds: bounded.py SECONDS NAME COMMAND...

One that does not is interrupted, so that it can stop the servers that it started, and 30 seconds later killed
with everything it started; the status is then 124. Servers that a command leaves running are killed, and it has
failed (125), whatever it says itself.
"""
import ctypes
import os
import signal
import subprocess
import sys
import time

GRACE = 30
PR_SET_CHILD_SUBREAPER = 36
#: What a suite starts that would go on without it.
SERVERS = {"falcondb", "postgres", "falcon-bench"}


def processes():
    """{pid: (parent, name)} of what has not ended."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    text = file.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
            name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
            if rest[0] not in "ZX":
                found[int(entry)] = (int(rest[1]), name)
    return found


def descendants():
    """{pid: name} of everything that was started below us: orphans are ours, see main."""
    all_of_them, ours = processes(), {}
    tree, is_growing = {os.getpid()}, True
    while is_growing:
        more = {pid for pid, (parent, _) in all_of_them.items() if parent in tree} - tree
        tree |= more
        is_growing = bool(more)
    for pid in tree - {os.getpid()}:
        ours[pid] = all_of_them[pid][1]
    return ours


def kill_all():
    """Kills until nothing is left; {pid: name} of those that were."""
    killed, deadline = {}, time.monotonic() + 10
    while (left := descendants()) and time.monotonic() < deadline:
        killed.update(left)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)  # polling processes that are not all our children
    return killed


def wait(process, seconds):
    """The status; None when there is none in time."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def main():
    seconds, name, *command = sys.argv[1:]
    # What is orphaned becomes our child, in whichever group or session it has put itself.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process, asked = subprocess.Popen(command, process_group=0), []

    def stop(number, _):
        asked.append(number)
        if process.returncode is None:
            os.killpg(process.pid, number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    status = wait(process, float(seconds))
    is_late = status is None
    if is_late:
        running = ", ".join(f"{what} {pid}" for pid, what in sorted(descendants().items()))
        print(f"{name}: not ended within {seconds} s, and interrupted. Running: {running}", flush=True)
        os.killpg(process.pid, signal.SIGINT)
        wait(process, GRACE)
    left = {pid: what for pid, what in kill_all().items() if pid != process.pid}
    servers = sorted(what for what in left.values() if what in SERVERS)
    if servers:
        print(f"{name}: left running and killed: {', '.join(servers)}", flush=True)
    if asked:  # the caller sees that it, too, was meant
        signal.signal(asked[0], signal.SIG_DFL)
        os.kill(os.getpid(), asked[0])
    if is_late:
        sys.exit(124)
    if servers:
        sys.exit(125)
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
