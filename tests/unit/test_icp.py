"""How well a record fits a profile: what is unknown lowers the certainty, not the score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from glaze.model.icp import Profile, Score, score
from glaze.model.value import FieldName, Json

GIVEN = {
    "criteria": [
        {"field": "company_country", "any_of": ["Germany", "AT"], "weight": 2, "role": "must"},
        {"field": "company_employee_count", "at_least": 50, "at_most": 500, "weight": 3},
        {"field": "company_technologies", "all_of": ["React", "Nginx"]},
        {"field": "company_description", "contains": ["machine tools"]},
        {"field": "company_industry", "any_of": ["Gambling"], "role": "excludes"},
    ]
}
PROFILE = Profile.model_validate(GIVEN)
BEST: dict[str, Json] = {
    "company_country": "DE",
    "company_employee_count": 120,
    "company_technologies": ["nginx", "React", "PHP"],
    "company_description": "We build Machine Tools, in Ulm.",
    "company_industry": "Machinery",
}


def scored(values: dict[str, Json], confidence: int = 80) -> Score:
    known = {FieldName(name): (value, confidence) for name, value in values.items()}
    return score(PROFILE.criteria, known)


def test_who_meets_everything_scores_100_as_certain_as_its_values_are() -> None:
    found = scored(BEST)
    assert (found.score, found.certainty) == (100, 80)
    assert [one.met for one in found.reasons] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"company_employee_count": 20}, 57),
        ({"company_technologies": ["React"]}, 86),
        ({"company_country": "FR"}, 0),
        ({"company_industry": "gambling"}, 0),
        ({"company_description": "We sell machines and tools"}, 86),
    ],
)
def test_what_is_not_met_lowers_by_its_weight_and_musts_and_exclusions_decide(
    change: dict[str, Json], wanted: int
) -> None:
    assert scored(BEST | change).score == wanted


@given(st.sets(st.sampled_from(sorted(BEST))))
def test_what_is_unknown_lowers_the_certainty_and_not_the_score(gone: set[str]) -> None:
    left = {name: value for name, value in BEST.items() if name not in gone}
    found, whole = scored(left), scored(BEST)
    assert found.certainty <= whole.certainty
    assert found.score in (100, None)
    assert (found.score is None) == (not left.keys() - {"company_industry"})


def test_a_doubtful_value_counts_less_than_a_sure_one() -> None:
    known = {FieldName(name): (value, 90) for name, value in BEST.items()}
    name = FieldName("company_employee_count")
    sure = score(PROFILE.criteria, known | {name: (20, 90)}).score
    doubtful = score(PROFILE.criteria, known | {name: (20, 30)}).score
    assert sure is not None
    assert doubtful is not None
    assert sure < doubtful < 100


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ({"field": "company_colour", "any_of": ["red"]}, "unknown field"),
        ({"field": "company_country"}, "give one of any_of"),
        ({"field": "company_description", "contains": ["tools", "***"]}, "is never met"),
        ({"field": "company_country", "any_of": ["Atlantis"]}, "company_country"),
        ({"field": "company_city", "at_least": 3}, "is no number"),
        ({"field": "company_city", "all_of": ["Ulm"]}, "has one value"),
        ({"field": "company_revenue", "at_least": 3, "at_most": 2}, "nothing can be both"),
        ({"field": "company_city", "any_of": ["Ulm"], "weight": 0}, "greater than or equal to 1"),
        ({"field": "company_city", "any_of": ["Ulm"], "role": "excludes"}, "criterion excludes"),
    ],
)
def test_a_profile_that_means_nothing_is_refused_with_the_reason(
    criterion: dict[str, object], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        Profile.model_validate({"criteria": [criterion]})
