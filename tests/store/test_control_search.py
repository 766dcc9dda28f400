"""A search among jobs that something else is asked of, too: page by page it finds what there is."""

import psycopg
import pytest

from glaze.model.bulk import Filter
from glaze.model.job import JobState
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.model.value import JobId
from glaze.store.control import ControlStore
from glaze.store.database import Database
from glaze.store.job import JobStore

JOBS = 400
FILL = """
with made as (
  insert into glaze.job (workspace_id, kind, queue, state, priority, rank, due_at, finished_at, error, tags)
  select 1 + (n % 11 = 0)::int, case when n % 40 = 0 then 'rare' else 'enrich' end, 'default', s.state, 3, now(), now(),
    case when s.state = 'failed' then now() end, case when s.state = 'failed' then 'timeout: slow' end,
    case when n % 3 = 0 then array['third'] end
  from generate_series(1, %(jobs)s) n
  cross join lateral (select case when n % 50 = 0 or n > 380 then 'failed' else 'pending' end::glaze.job_state as state) s
  order by n returning workspace_id, id
)
insert into glaze.job_args (workspace_id, job_id, args)
select workspace_id, id, jsonb_build_object('word', case when id % 2 = 0 then 'even' else 'odd' end,
  'also', case when id % 97 = 0 then 'seldom' when id < 200 then 'early' else 'late' end) from made
"""
FAILED = frozenset({JobState.FAILED})
ASKED = {
    "both are common": Filter(text="even", states=frozenset({JobState.PENDING})),
    "the state is rare": Filter(text="even", states=FAILED),
    "the word is rare": Filter(text="seldom", states=frozenset({JobState.PENDING})),
    "no job is both": Filter(text="early", states=FAILED, tags_all=("third",), kinds=("rare",)),
    "both are common but never together for long": Filter(text="early", tags_all=("third",)),
    "a kind": Filter(text="odd ear", kinds=("rare", "enrich")),
    "named ones": Filter(text="even", ids=tuple(JobId(n) for n in range(1, 60))),
}


@pytest.mark.parametrize("which", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("n", [1, 7, 500])
async def test_every_job_that_is_both_is_found_once_and_newest_first(
    db: Database, dsn: str, which: Filter, n: int
) -> None:
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("insert into glaze.workspace (id, name) values (2, 'b')")
        owner.execute(FILL.replace("% ", "%% "), {"jobs": JOBS})
    control, found, below = ControlStore(db, JobStore(db)), [], None
    while True:
        page = await control.page(WS, which, n, before=below)
        assert len(page.jobs) <= n
        found += [job.id for job in page.jobs]
        below = page.next_before
        if below is None:
            break
    words = [f"%{word}%" for word in which.text.split()]
    with psycopg.connect(dsn) as owner:
        meant = owner.execute(
            "select j.id from glaze.job j join glaze.job_args a on a.job_id = j.id and a.workspace_id = j.workspace_id"
            " where j.workspace_id = 1 and a.args::text like all(%s) and (%s::text[] is null or j.state::text = any(%s))"
            " and (%s::text[] is null or j.kind = any(%s)) and (%s::text[] is null or j.tags @> %s)"
            " and (%s::bigint[] is null or j.id = any(%s)) order by j.id desc",
            [
                words,
                *(2 * [sorted(which.states) or None]),
                *(2 * [list(which.kinds) or None]),
                *(2 * [list(which.tags_all) or None]),
                *(2 * [None if which.ids is None else list(which.ids)]),
            ],
        ).fetchall()
    assert found == [job_id for (job_id,) in meant]
