"""A plan for machines: what a run would find and buy, by field and provider."""

import math
from collections.abc import Iterable

from glaze.model.value import MICROS_PER_CENT, FieldName, Json
from glaze.pipeline.forecast import Band
from glaze.pipeline.plan import Plan


def plan_document(made: Plan, fields: Iterable[FieldName]) -> dict[str, Json]:
    """Return a plan as JSON. Money in micros; p50 is as likely passed as not, p95 one time in twenty."""
    found = made.forecast
    nothing = Band(0, 0, 0)
    return {
        "rows": made.rows,
        "rows_with_gaps": made.open,
        "rows_seen_before": made.twins,
        "values_wanted": made.wanted,
        "values_yours": made.yours.total() + made.given.total(),
        "fields": {
            name: {
                "given": made.given[name],
                "yours": made.yours[name],
                **_band(made.filled(name)),
            }
            for name in fields
        },
        "cost_micros": _band(nothing if found is None else found.cost),
        "answers": _band(nothing if found is None else found.answers),
        "most_micros": 0 if found is None else round(found.most_micros),
        "providers": {}
        if found is None
        else {
            name: {"asked": round(times, 1), "cost_micros": round(found.spent[name])}
            for name, times in found.asked.items()
        },
        "learned_from_calls": 0 if found is None else found.learned_from,
        "not_payable": {name: no.detail for name, no in made.barred.items()},
        "caps": [
            {"provider": one.provider, "left_micros": one.left_micros}
            for one in made.allowance.budgets
        ],
        "unlearned": [] if found is None else list(found.unlearned),
    }


def binding_cents(made: Plan) -> int:
    """Return the cap that lets a run spend what the plan foresees: its p95, in whole cents."""
    return 0 if made.forecast is None else math.ceil(made.forecast.cost.p95 / MICROS_PER_CENT)


def _band(band: Band) -> dict[str, Json]:
    return {"p5": round(band.p5, 1), "p50": round(band.p50, 1), "p95": round(band.p95, 1)}
