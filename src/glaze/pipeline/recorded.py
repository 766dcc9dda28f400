"""What is kept with an answer so that it can be read again: who was asked what, and what came back."""

from dataclasses import replace

from glaze.model.ledger import Claimed, Settlement
from glaze.model.provider import Ask, Reply
from glaze.model.recording import Exchange, Recording, short_facts
from glaze.net.vendor import BoundHttp
from glaze.pipeline.asking import Question
from glaze.pipeline.validate import Judging


def recorded(
    settlement: Settlement, question: Question, reply: Reply, http: BoundHttp, *, alone: bool
) -> Settlement:
    """Return the settlement of an answer with its recording.

    Of a request that was not ``alone`` in carrying its question only this question's own slice is
    kept, never another's answer.
    """
    judge = question.judge
    if not settlement.brought or not isinstance(judge, Judging):
        return settlement
    identifiers = question.needs.union(*question.operation.needs)
    ask = replace(question.ask, known=short_facts(judge.known, identifiers))
    return replace(
        settlement,
        recording=Recording(
            ask=ask,
            entities=settlement.entities,
            judged_at=judge.now,
            mx=judge.mx,
            base_url=http.base_url,
            exchanges=tuple(http.exchanges) if alone else (_sliced(reply),),
            had_key=bool(http.key),
        ),
    )


def _sliced(reply: Reply) -> Exchange:
    return Exchange("", "", reply.raw_status)


def deferred(
    settlement: Settlement, ask: Ask, reply: Reply, judge: Judging, http: BoundHttp
) -> Settlement:
    """Return the settlement of one of many that were handed in together with its recording.

    Its slice is an answer as the vendor gives it at once, and is read again as such.
    """
    if not settlement.brought:
        return settlement
    return replace(
        settlement,
        recording=Recording(
            ask=ask,
            entities=settlement.entities,
            judged_at=judge.now,
            mx=judge.mx,
            base_url=http.base_url,
            exchanges=(_sliced(reply),),
            had_key=bool(http.key),
        ),
    )


def collected(
    settlement: Settlement, claimed: Claimed, judge: Judging, http: BoundHttp, *, resent: bool
) -> Settlement:
    """Return the settlement of an answer that came later with its recording.

    One that was ``resent`` came as if it had been asked for the first time, without a handle.
    """
    if not settlement.brought:
        return settlement
    return replace(
        settlement,
        recording=Recording(
            ask=Ask(claimed.known, frozenset(claimed.wanted)),
            entities=settlement.entities,
            judged_at=judge.now,
            mx=judge.mx,
            base_url=http.base_url,
            exchanges=tuple(http.exchanges),
            handle=None if resent else claimed.handle or http.token,
            had_key=bool(http.key),
        ),
    )
