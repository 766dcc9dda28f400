"""What language models' vendors give back for questions that were handed in together: JSON lines."""

from glaze.model.provider import Reply, Unbilled, Verdict
from glaze.model.value import Json
from glaze.model.vendor_body import parse_json

LONGEST_NAME = 64
"""Anthropic takes no longer name of a question; OpenAI says nothing of it."""
MOST_BYTES = 64_000_000
"""The largest file of results that is read."""


def short_name(name: str) -> str:
    """Return a name that a vendor takes: the end of a token is what nobody guesses."""
    return name[-LONGEST_NAME:]


def read_lines(body: bytes) -> list[Json] | None:
    r"""Return what each line holds; None where one cannot be read, for then the file came in part.

    >>> read_lines(b'{"a": 1}\n{"a": 2}\n')
    [{'a': 1}, {'a': 2}]
    >>> read_lines(b'{"a": 1}\n{"a"') is None
    True
    """
    lines = [parse_json(line) for line in body.splitlines() if line.strip()]
    return None if None in lines else lines


def pending_under(handle: str) -> Reply:
    """Return the reply for a batch that has not ended, or did not come whole."""
    return Reply(Verdict.PENDING, Unbilled(), handle=handle)


def not_yet(refused: Reply | None, handle: str) -> Reply:
    """Return the reply for a poll without an answer: whatever stands in the way may pass."""
    waits = (Verdict.RATE_LIMITED, Verdict.AUTH, Verdict.OUT_OF_CREDITS)
    return refused if refused is not None and refused.verdict in waits else pending_under(handle)
