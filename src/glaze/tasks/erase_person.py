"""The job kind ``erase_person``: goes on with an erasure until nothing of the person is left."""

from datetime import timedelta

from pydantic import Field

from glaze.jobs.kind import JobContext, Kind
from glaze.model.outcome import Done, Outcome, Snooze
from glaze.model.request import Strict
from glaze.tasks.tools import Tools

NAME = "erase_person"
TIMEOUT_S = 3600.0
LEAST_S = 10.0


class ErasePerson(Strict):
    """Which erasure: who is meant stands there, and nowhere else."""

    erasure_id: int = Field(ge=1, lt=1 << 63)


def erase_person_kind(tools: Tools) -> Kind[ErasePerson]:
    """Return the kind; an attempt that is broken off has lost nothing."""

    async def run(args: ErasePerson, ctx: JobContext) -> Outcome:
        wait_s = await tools.eraser.step(ctx.job.workspace_id, args.erasure_id)
        if wait_s is not None:
            until = tools.clock() + timedelta(seconds=wait_s)
            return Snooze(until, "jobs about the person are under way")
        erasure = await tools.eraser.personal.get(ctx.job.workspace_id, args.erasure_id)
        return Done({"erasure_id": erasure.id, "removed": {**erasure.removed}})

    return Kind(
        name=NAME,
        args=ErasePerson,
        run=run,
        timeout_s=TIMEOUT_S,
        least_s=LEAST_S,
        description="Erase a person from everything that is stored (glaze people erase).",
        internal=True,
    )
