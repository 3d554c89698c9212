"""Runs one isolation script against one server.

After each statement the run goes on when every session has either answered or stands in a lock's
queue. PostgreSQL tells that exactly: the queues of pg_locks at one moment, without the cycles that
its deadlock check is still to break. FalconDB shows who waits in pg_stat_activity, where a session
just woken may still seem to wait: one that the script expects to go on has `PATIENCE` seconds for
it, and one that it expects to wait is asked about twice.
Whoever goes on too early is seen at this step or at a later one, and is a failure at either.
"""
import re
import time

from isolation_script import WAITING, Answer, judge_victims
from isolation_session import BUSY, ENDED, IDLE, Session
from pgclient import Disconnected

PATIENCE = 5
LONGEST = 8  # a statement that ends by itself


class Stuck(Exception):
    """The run cannot go on; the text says where it stands."""


class Run:
    """`target` has host, port, user, is_peer; `control` is a connection of its own."""

    def __init__(self, target, control, script):
        self.target, self.control, self.script = target, control, script
        self.sessions, self.answers = {}, {}
        self.waiting = []  # the sessions whose statement has not ended, in the order they began
        self.expected = set()  # who waits after the step, as the script has it
        self.is_deferred = False  # the next step awaits what this one brings about

    def run(self, is_rewrite=False, goes_on=False):
        """[(step, why)] of what differs from the script: the first, or all when `goes_on`; what
        follows a difference may be its consequence. Empty when rewriting."""
        free, wrong = bool(self.script.victims), []
        try:
            for step, following in zip(self.script.steps, [*self.script.steps[1:], None]):
                self._expect(step, following)
                answer = self.answers[step] = Answer()
                try:
                    self._run(step, answer)
                except Stuck as stuck:
                    answer.own.append(f"<{stuck}>")
                    return [*wrong, (step, str(stuck))]
                if not is_rewrite and not free and answer.lines() != step.answer.lines():
                    wrong.append((step, "differs"))
                    if not goes_on:
                        return wrong
            if wrong:
                return wrong
            if self.waiting:
                return [(self.script.steps[-1], "still waiting: " + ", ".join(self.waiting))]
            return judge_victims(self.script, self.answers) if free and not is_rewrite else []
        finally:
            self._close()

    def _expect(self, step, following):
        self.is_deferred = following is not None and following.sql in ("<await>", "<ended>")
        for session, lines in step.answer.all_of(step.session):
            (self.expected.add if lines == WAITING else self.expected.discard)(session)

    # MARK: One step

    def _session(self, name):
        if name not in self.sessions:
            session = Session(name, self.target.host, self.target.port, self.script.is_extended,
                              user=self.target.user)
            self.sessions[name] = session
            session.ask("set search_path = iso")
            self._until(lambda: session.state != BUSY, session, LONGEST)
        return self.sessions[name]

    def _run(self, step, answer):
        session = self._session(step.session)
        if step.sql == "<await>":
            self._until(lambda: session.state != BUSY, session, LONGEST)
        elif step.sql == "<ended>":
            session.lines = [] if session.state == IDLE else session.lines
            self._until(lambda: session.state == ENDED, session, LONGEST)
        elif step.sql == "<cancel>":
            session.cancel()
            self._until(lambda: session.state != BUSY, session, LONGEST)
        elif step.sql == "<close>":
            session.close()
            self._gone([self.sessions.pop(step.session)])
            self.waiting = [name for name in self.waiting if name != step.session]
            session = None
        elif session.state == BUSY:
            raise Stuck(f"{step.session} still waits")
        elif session.state == ENDED:
            session.lines = ["<ended>"]
        else:
            session.ask(step.sql)
            self.waiting.append(step.session)
            if step.must_end or self.is_deferred:
                self._until(lambda: session.state != BUSY, session, LONGEST)
        if not self.is_deferred:
            self._settle()
        done = [name for name in self.waiting
                if self.sessions[name].state != BUSY
                and (name == step.session or not self.is_deferred)]
        self.waiting = [name for name in self.waiting if name not in done]
        if session is not None:
            is_waiting = step.session in self.waiting
            answer.own += WAITING if is_waiting else self._told(session)
        for name in done:
            if name != step.session:
                answer.resumed.append((name, self._told(self.sessions[name])))
        if step.session == "setup" and not any(l.startswith("ERROR") for l in answer.own):
            answer.own = []

    def _until(self, is_done, session, seconds):
        deadline = time.monotonic() + seconds
        while not is_done():
            left = deadline - time.monotonic()
            if left <= 0:
                raise Stuck(f"{session.name} has no answer after {seconds} s")
            session.feed(left)

    def _busy(self, timeout=0.0):
        """The sessions without an answer, what has come until now being read."""
        for name in self.waiting:
            session = self.sessions[name]
            session.feed(timeout if session.state == BUSY else 0)
        return {name for name in self.waiting if self.sessions[name].state == BUSY}

    def _settle(self):
        began, seen_before = time.monotonic(), False
        while busy := self._busy(0.002):
            blocked = self._blocked()
            is_quiet = busy <= blocked and busy == self._busy()
            if is_quiet and self.target.is_peer:
                return
            if is_quiet and seen_before and busy <= self.expected:
                return
            seen_before = is_quiet
            if time.monotonic() - began > PATIENCE:
                if is_quiet:
                    return
                raise Stuck("neither answered nor in a lock's queue: " + ", ".join(sorted(busy)))

    def _blocked(self):
        """The names of the sessions that stand in a queue which only another statement can end."""
        if not self.target.is_peer:
            rows = self.control.query(
                "select pid from pg_stat_activity where wait_event_type = 'Lock' "
                "or wait_event = 'SafeSnapshot'")
            pids = {int(row[0]) for row in rows}
            return {name for name in self.waiting if self.sessions[name].pid in pids}
        edges = {int(row[0]): {int(pid) for pid in row[1].strip("{}").split(",") if pid}
                 for row in self.control.query(
                     "select pid, pg_blocking_pids(pid) from pg_locks where not granted union all "
                     "select pid, pg_safe_snapshot_blocking_pids(pid) from pg_stat_activity "
                     "where wait_event = 'SafeSnapshot'")}
        # Nobody before it any more: it has been let on since pg_locks was read.
        edges = {pid: blockers for pid, blockers in edges.items() if blockers}
        return {name for name in self.waiting
                if self.sessions[name].pid in edges and not _in_cycle(self.sessions[name].pid, edges)}

    # MARK: What is told

    def _told(self, session):
        lines = session.lines
        for name, other in self.sessions.items():
            lines = [line.replace(f"rocess {other.pid} ", f"rocess {name} ")
                     .replace(f"rocess {other.pid}.", f"rocess {name}.")
                     .replace(f"PID {other.pid}.", f"PID {name}.") for line in lines]
        # A notification comes before or after the answer it meets.
        lines = sorted(lines, key=lambda line: not line.startswith("NOTIFY "))
        return [_masked(line) for line in lines]

    # MARK: The end

    def _close(self):
        for session in self.sessions.values():
            if session.state == BUSY:
                try:
                    session.cancel()
                except OSError:
                    pass
            session.close()
        try:
            self._gone(list(self.sessions.values()))
        except Disconnected:
            pass  # the caller finds out that the server is gone

    def _gone(self, sessions):
        """Waits until the server has let go of everything the sessions had."""
        pids = ", ".join(str(session.pid) for session in sessions)
        deadline = time.monotonic() + LONGEST
        while sessions and self.control.query(
                f"select 1 from pg_stat_activity where pid in ({pids})"):
            if time.monotonic() > deadline:
                raise Stuck("a closed session is still there")
            time.sleep(0.001)  # polling: a server does not say that a session is gone


def _in_cycle(start, edges):
    seen, rest = set(), list(edges[start])
    while rest:
        pid = rest.pop()
        if pid == start:
            return True
        if pid not in seen:
            seen.add(pid)
            rest += edges.get(pid, ())
    return False


def _masked(line):
    line = re.sub(r"transaction \d+", "transaction N", line)
    line = re.sub(r"tuple \(\d+,\d+\) of relation \d+ of database \d+", "tuple N", line)
    line = re.sub(r"relation \d+ of database \d+", "relation N of database N", line)
    return re.sub(r"advisory lock \[\d+,", "advisory lock [N,", line)
