"""Answers about people of whom nothing may be kept: that they were billed is recorded, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from glaze.model.personal import people_stated
from glaze.model.provider import Reply, Verdict
from glaze.pipeline.books import Books
from glaze.store.suppression import WHY, Stated


async def kept_of(books: Books, reply: Reply, subjects: Sequence[bytes] = ()) -> Reply:
    """Return the reply, or what may be kept of it where it turns out to be about a suppressed person.

    A person may be asked for by what is not on the list: by a vendor's own id, as a search shows it.
    ``subjects`` are the HMACs of what they were asked for by: from now on they are kept away by that.
    """
    keys = people_stated(reply.readings)
    if not keys or not await books.barred(Stated(tuple(keys), tuple(subjects))):
        return reply
    return replace(
        reply, verdict=Verdict.NO_MATCH, readings=(), raw=b"", pages=(), notes=(), detail=WHY
    )


def is_barred(verdict: Verdict, detail: str) -> bool:
    """Tell whether an answer is what was kept of one about a suppressed person."""
    return verdict is Verdict.NO_MATCH and detail == WHY
