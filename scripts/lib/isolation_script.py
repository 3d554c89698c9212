"""The format of Fixtures/isolation/*.script: what each of several sessions does, and what it is told.

    # What the scenario shows.
    setup: create table t (id int primary key, n int)    runs first; silent unless it fails
    a: begin                                             session a, connected when first named
        BEGIN                                            what it is answered, indented by four
    b: update t set n = 2 where id = 1
        <waiting>                                        it stands in a lock's queue
    a: commit
        COMMIT
    b resumes                                            and now has an answer
        UPDATE 1

A row is its values joined by "|" (a null is "NULL"), then comes the command's tag. An error is
"ERROR 40001: message", then "DETAIL: ..." and "HINT: ..." lines; a notice likewise. Process numbers
are replaced by the sessions' names, other numbers that no two servers share by "N". "b!: ..." is a
statement that ends by itself: that it waits on the way is not shown. Instead of a statement there may
be

    <await>     until the session's waiting statement has ended (by a timeout, a signal)
    <ended>     until the server has ended the connection
    <cancel>    a CancelRequest for the session's waiting statement
    <close>     the client goes away

What the step before <await> or <ended> does to waiting sessions is told after these, never before.

"protocol: extended" before the first step sends every statement as Parse, Bind, Execute and Sync.
"victims: a b" there says that the server is free in which of these sessions fails with 40001, and
where: exactly one must, what the others are told stands, and a step's answer may depend on who failed:

    check: select sum(n) from t
        30                                               as PostgreSQL chose
        SELECT 1
      if a failed
        20
        SELECT 1
"""
import re

STEP = re.compile(r"([a-z][a-z0-9_]*)(!?): (.*)")
RESUMES = re.compile(r"([a-z][a-z0-9_]*) resumes")
FAILED = re.compile(r"  if ([a-z][a-z0-9_]*) failed")
WAITING = ["<waiting>"]


class ScriptError(Exception):
    """A script that says something the format does not know."""


class Step:
    def __init__(self, number, source, session, must_end, sql):
        self.number, self.source = number, source
        self.session, self.must_end, self.sql = session, must_end, sql
        self.answer = Answer()
        self.if_failed = {}  # the lines of `answer.own`, by the session that failed


class Answer:
    """What a step brought about: its own lines, and (session, lines) of those that went on."""

    def __init__(self):
        self.own, self.resumed = [], []

    def lines(self):
        out = ["    " + line for line in self.own]
        for session, lines in self.resumed:
            out.append(f"{session} resumes")
            out += ["    " + line for line in lines]
        return out

    def all_of(self, step_session):
        """(session, lines) in order."""
        return [(step_session, self.own), *self.resumed]


class Script:
    def __init__(self, name, text):
        self.name = name
        self.parts = []  # lines kept as they are, and Steps
        self.victims, self.is_extended = [], False
        self._read(text.split("\n"))
        self.steps = [part for part in self.parts if isinstance(part, Step)]

    def _read(self, lines):
        step, target = None, None
        for number, line in enumerate(lines, 1):
            if line.startswith("    ") and target is not None:
                target.append(line[4:])
            elif match := RESUMES.fullmatch(line):
                target = []
                self._needs(step, number).answer.resumed.append((match[1], target))
            elif match := FAILED.fullmatch(line):
                target = self._needs(step, number).if_failed.setdefault(match[1], [])
            elif line.startswith("victims: ") and step is None:
                self.victims = line.split()[1:]
                self.parts.append(line)
            elif line == "protocol: extended" and step is None:
                self.is_extended = True
                self.parts.append(line)
            elif match := STEP.match(line):
                step = Step(number, line, match[1], match[2] == "!", match[3])
                target = step.answer.own
                self.parts.append(step)
            elif not line or line.startswith("#"):
                self.parts.append(line)
            else:
                raise ScriptError(f"{self.name}:{number}: what is {line!r}?")

    def _needs(self, step, number):
        if step is None:
            raise ScriptError(f"{self.name}:{number}: nothing was asked yet")
        return step

    def rendered(self, answers):
        """The script with `answers` (by step) instead of what it expected."""
        out = []
        failed = failed_sessions(self.steps, answers)
        for part in self.parts:
            if not isinstance(part, Step):
                out.append(part)
                continue
            out += [part.source, *answers[part].lines()]
            for session, lines in part.if_failed.items():
                if session not in failed:
                    out.append(f"  if {session} failed")
                    out += ["    " + line for line in lines]
        return "\n".join(out).rstrip("\n") + "\n"


def failed_sessions(steps, answers):
    """Who failed with 40001, and at which step first."""
    failed = {}
    for step in steps:
        if step in answers:
            for session, lines in answers[step].all_of(step.session):
                if any(line.startswith("ERROR 40001") for line in lines):
                    failed.setdefault(session, step)
    return failed


def errors(steps, answers):
    """The lines of the first 40001."""
    for step in steps:
        for _, lines in answers[step].all_of(step.session):
            for place, line in enumerate(lines):
                if line.startswith("ERROR 40001"):
                    return lines[place:]
    return []


def judge_victims(script, answers):
    """For scripts that leave the victim free: (step, why) of what does not hold; none when all does."""
    expected = {step: step.answer for step in script.steps}
    chosen, ours = (failed_sessions(script.steps, each) for each in (expected, answers))
    if len(ours) != 1 or not set(ours) <= set(script.victims):
        who = " and ".join(sorted(ours)) or "nobody"
        return [(script.steps[-1], f"{who} failed with 40001 instead of one of "
                                   + ", ".join(script.victims))]
    victim, = ours
    wanted, got = (errors(script.steps, each) for each in (expected, answers))
    if got != wanted:
        return [(ours[victim], f"the error is {got}, not {wanted}")]
    order = {step: place for place, step in enumerate(script.steps)}
    wrong = []
    for step in script.steps:
        own = answers[step].own
        failed = [points.get(step.session) for points in (ours, chosen)]
        here, there = (point is not None and order[step] >= order[point] for point in failed)
        if here:
            if own == ["COMMIT"]:
                wrong.append((step, "the transaction that failed committed"))
        elif there:
            if any(line.startswith("ERROR") for line in own):
                wrong.append((step, f"{victim} failed already"))
        else:
            want = step.answer.own
            if victim not in chosen and victim in step.if_failed:
                want = step.if_failed[victim]
            if own != want:
                wrong.append((step, f"differs, {victim} being the one that failed"))
        others = [[(session, lines) for session, lines in answer.resumed if session not in {victim, *chosen}]
                  for answer in (answers[step], step.answer)]
        if others[0] != others[1]:
            wrong.append((step, f"who went on differs, {victim} being the one that failed"))
    return wrong
