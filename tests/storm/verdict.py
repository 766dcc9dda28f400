"""What a storm is judged by: a trigger's account of every change of state, and the attempts' own notes."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psycopg

_AUDIT = """
create schema storm;
create table storm.audit (
  n bigint generated always as identity, job_id bigint not null,
  was text not null, became text not null, worker_id bigint, claim_no int, deaths int not null
);
create function storm.note() returns trigger language plpgsql security definer as $$
begin
  insert into storm.audit (job_id, was, became, worker_id, claim_no, deaths)
  values (new.id, old.state, new.state, old.worker_id, old.claim_no, new.deaths);
  return null;
end $$;
create trigger note after update of state on glaze.job for each row
  when (old.state is distinct from new.state) execute function storm.note();
"""
_TERMINAL = "('completed', 'partial', 'failed', 'dead', 'cancelled')"


def watch(dsn: str) -> None:
    """Have the database itself note every change of a job's state."""
    with psycopg.connect(dsn) as conn:
        conn.execute(_AUDIT)


def open_jobs(dsn: str) -> int:
    """Return how many jobs are not at their end."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            f"select count(*) from glaze.job where state::text not in {_TERMINAL}".encode()
        ).fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counts of one storm; all but ``jobs``, ``attempts`` and ``poisoned`` have to be zero."""

    jobs: int  # acknowledged to whoever enqueued them
    attempts: int  # begun, by their own notes
    poisoned: int  # given up after three deaths
    lost: int  # acknowledged, but not there or not at their end
    phantom: int  # there, but never acknowledged
    double_terminal: int  # at their end more than once, or left it
    stale_writes: int  # ended with the outcome of an attempt that had lost the job
    unknown_attempts: int  # ended by an attempt that never noted itself
    falsely_dead: int  # dead without three deaths

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing ended twice."""
        return not any(
            (
                self.lost,
                self.phantom,
                self.double_terminal,
                self.stale_writes,
                self.unknown_attempts,
                self.falsely_dead,
            )
        )


def judge(dsn: str, acknowledged: Collection[int], ledger: Path) -> Verdict:
    """Compare what was acknowledged, what the trigger saw and what the attempts noted."""
    notes = [tuple(map(int, line.split())) for line in ledger.read_text().splitlines()]
    noted = set(notes)
    with psycopg.connect(dsn) as conn:
        ends = conn.execute(
            "select job_id, became, worker_id, claim_no, deaths from storm.audit"
            f" where became in {_TERMINAL}".encode()
        ).fetchall()
        left = conn.execute(
            f"select count(*) from storm.audit where was in {_TERMINAL}".encode()
        ).fetchone()
        results = dict(
            conn.execute(
                "select j.id, array[(r.body->>'worker')::bigint, (r.body->>'claim')::bigint]"
                " from glaze.job j join glaze.result r on r.id = j.result_id"
            ).fetchall()
        )
        states = dict(conn.execute("select id, state::text from glaze.job").fetchall())
    ended = Counter(job_id for job_id, *_ in ends)
    completed = {job_id: (w, c) for job_id, became, w, c, _ in ends if became == "completed"}
    return Verdict(
        jobs=len(acknowledged),
        attempts=len(notes),
        poisoned=sum(became == "dead" for _, became, *_ in ends),
        lost=sum(states.get(job_id) is None or not ended[job_id] for job_id in acknowledged),
        phantom=len(states.keys() - set(acknowledged)),
        double_terminal=sum(n - 1 for n in ended.values()) + (left[0] if left else 0),
        stale_writes=sum(tuple(results[job_id]) != token for job_id, token in completed.items()),
        unknown_attempts=sum((job_id, *token) not in noted for job_id, token in completed.items()),
        falsely_dead=sum(became == "dead" and deaths < 3 for _, became, _, _, deaths in ends),
    )
