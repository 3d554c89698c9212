"""A queue by SKIP LOCKED: every job is done once, and nobody waits for another's job."""
from histories.model import INFO, OK

from .actor import Actor, Refused

JOBS = 6000


class Queue(Actor):
    name = "queue"
    lock = "for update skip locked"

    @staticmethod
    def schema(table):
        return [f"create table jobs_{table} (id int primary key, state text not null, owner bigint)",
                f"create index jobs_{table}_state on jobs_{table} (state, id)",
                f"insert into jobs_{table} select i, 'new', null from generate_series(1, {JOBS}) as g(i)"]

    def one(self):
        status, job = yield from self.transaction(self._take)
        if self.error == "40P01":
            self.round.problems.append("queue: a deadlock, though SKIP LOCKED waits for nothing")
        if job is not None:
            self.note(status, int(job), self.tag)

    def _take(self):
        rows = yield from self.ask(f"select id from jobs_{self.table} where state = 'new' order by id limit 1 "
                                   + self.lock)
        if not rows:
            return None
        job = rows[0][0]
        yield from self.ask(f"update jobs_{self.table} set state = 'done', owner = {self.tag} where id = {job}")
        if self.answer.results[-1][0] != "UPDATE 1":
            self.round.problems.append(f"queue: job {job} was locked and its update said {self.answer.tag}")
        if self.chance.random() < 0.1:
            raise Refused
        return job

    @staticmethod
    def verify(connection, table, notes):
        problems, done = [], {}
        for status, job, tag in notes:
            if status == OK:
                if job in done:
                    problems.append(f"job {job} was done by {done[job]} and by {tag}")
                done[job] = tag
        unknown = {(job, tag) for status, job, tag in notes if status == INFO}
        rows = connection.query(f"select id, state, owner from jobs_{table}")
        if len(rows) != JOBS:
            problems.append(f"{len(rows)} jobs, not {JOBS}")
        for job, state, owner in rows:
            job, owner = int(job), owner and int(owner)
            if (state == "done") != (owner is not None):
                problems.append(f"job {job} is {state} with owner {owner}")
            elif done.get(job, owner) != owner:
                problems.append(f"job {job} was done by {done[job]}, its row says {owner}")
            elif job in done and state != "done":
                problems.append(f"job {job} was acknowledged and is {state}")
            elif owner is not None and job not in done and (job, owner) not in unknown:
                problems.append(f"job {job} is done by {owner}, who did not commit")
        return problems
