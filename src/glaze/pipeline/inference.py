"""What models are asked of a run: what no source has, what is in doubt, and whom to believe."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from glaze.pipeline.enrichment import Halt
from glaze.pipeline.inquiry import Inquiry, Wanted
from glaze.pipeline.order import Choice, full_name, next_operation

_OVER_CAP = "not asked: the job's cap on models"


async def infer(inquiry: Inquiry, choice: Choice) -> Halt | None:
    """Ask a model for what is still missing, page after page."""
    await inquiry.gather_evidence()
    sheet = inquiry.sheet
    return await _read_pages(
        inquiry, choice, lambda: Wanted(sheet.missing & choice.operation.gives.keys())
    )


async def check(inquiry: Inquiry) -> Halt | None:
    """Have values in doubt judged against the site's pages, where a model may be asked."""
    sheet = inquiry.sheet

    def doubts() -> Wanted:
        found = sheet.doubts(inquiry.means.models)
        return Wanted(frozenset(found), found)

    if not (open_ := doubts()).fields:
        return None
    judge = _judge(inquiry, open_, tried=sheet.tried | _judges(inquiry, choosing=True))
    if judge is None:
        return None
    await inquiry.gather_evidence()
    return await _read_pages(inquiry, judge, doubts)


async def resolve(inquiry: Inquiry) -> Halt | None:
    """Have a model choose where sources still disagree and none is sure enough.

    One field a call, told by what each source said of it: the words of one source's page can
    sway no other field. Within the caps of the pages' reading.
    """
    sheet = inquiry.sheet
    conflicts = sheet.conflicts(inquiry.means.models)
    for name, told in list(conflicts.items())[: inquiry.means.policy.llm_pages]:
        wanted = Wanted(frozenset([name]), statements={name: told})
        judge = _judge(inquiry, wanted, tried=_judges(inquiry, choosing=False))
        if judge is None or inquiry.task.cancelled() or not await _affords(inquiry, judge):
            return None
        failures = sheet.errored
        halt = await inquiry.ask(judge, wanted)
        if halt is not None or sheet.errored > failures:
            return halt
    return None


async def _read_pages(
    inquiry: Inquiry, choice: Choice, open_fields: Callable[[], Wanted]
) -> Halt | None:
    """Ask a model about one page after the other, each only for what is still open.

    One page a call: what a page says to a reader can touch no other page's values, and each
    page's answer is kept for whoever asks of it next. A failure ends the reading.
    """
    sheet = inquiry.sheet
    sheet.tried.add(choice.name)
    pages = {page.url: page for page in sheet.pages}
    if not pages:
        _note(inquiry, choice, "not asked: no page to quote from")
    for page in list(pages.values())[: inquiry.means.policy.llm_pages]:
        failures, wanted = sheet.errored, open_fields()
        if not wanted.fields or inquiry.task.cancelled() or not await _affords(inquiry, choice):
            break
        halt = await inquiry.ask(choice, wanted.on(page))
        if halt is not None or sheet.errored > failures:
            return halt
    return None


def _judge(inquiry: Inquiry, wanted: Wanted, *, tried: AbstractSet[str]) -> Choice | None:
    """Decide which model is to judge these fields, if any may."""
    step = next_operation(
        inquiry.specs,
        wanted.fields,
        inquiry.sheet.known,
        None,
        tried=tried,
        rules=inquiry.rules.without_floor(),
        checking=True,
    )
    return step.choice


def _judges(inquiry: Inquiry, *, choosing: bool) -> frozenset[str]:
    """Return the operations that choose between sources, or those that check against a page."""
    return frozenset(
        full_name(provider.spec, operation)
        for provider in inquiry.means.providers.values()
        for operation in provider.spec.operations
        if operation.checks and operation.chooses is choosing
    )


async def _affords(inquiry: Inquiry, choice: Choice) -> bool:
    """Tell whether a call fits below the job's cap on models, and list it where it does not."""
    affords = await inquiry.affords_model(choice)
    if not affords:
        _note(inquiry, choice, _OVER_CAP)
    return affords


def _note(inquiry: Inquiry, choice: Choice, detail: str) -> None:
    now = inquiry.means.clock()
    inquiry.sheet.note(choice.spec.name, now, now, detail=detail)
