"""What the public registers have in common: no key, and a plain refusal above the rate limit."""

from glaze_sandbox.wire import ANYONE, Answer, Call, json_answer


class Keyless:
    """A vendor that asks nobody for a key."""

    def key_of(self, call: Call) -> str:  # noqa: ARG002  everybody's is the same
        """Return the credential that everybody has."""
        return ANYONE

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  never asked: there is no key
        """Answer 401."""
        return json_answer(401, {"message": "Unauthorized"})

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429 with ``Retry-After``."""
        wait = {"Retry-After": str(max(1, round(retry_after_s)))}
        return json_answer(429, {"message": "Too Many Requests"}, headers=wait)
