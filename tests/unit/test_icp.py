"""How well a record fits a profile: what is unknown lowers the certainty, not the score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from glaze.model.icp import NewProfile, Profile, Score, score
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


MUST, NOT = {"role": "must"}, {"role": "excludes"}
COUNTRY, STAFF = {"field": "company_country"}, {"field": "company_employee_count"}
TOOLS, TEXT = {"field": "company_technologies"}, {"field": "company_description"}
WEIGHED = {"field": "company_city", "any_of": ["Ulm"]}


@pytest.mark.parametrize(
    "criteria",
    [
        [COUNTRY | MUST | {"any_of": ["DE"]}, COUNTRY | MUST | {"any_of": ["France", "IT"]}],
        [COUNTRY | MUST | {"any_of": ["Germany"]}, COUNTRY | NOT | {"any_of": ["DE", "AT"]}],
        [STAFF | MUST | {"at_least": 50}, STAFF | MUST | {"at_most": 49}],
        [STAFF | MUST | {"at_least": 50}, STAFF | NOT | {"at_least": 10}],
        [STAFF | NOT | {"at_least": 50}, STAFF | NOT | {"at_most": 50}],
        [STAFF | MUST | {"any_of": ["7"]}, STAFF | MUST | {"at_least": 50}],
        [TOOLS | MUST | {"all_of": ["React", "PHP"]}, TOOLS | NOT | {"any_of": ["react"]}],
        [TOOLS | MUST | {"any_of": ["React"]}, TOOLS | NOT | {"any_of": ["react", "PHP"]}],
        [TOOLS | MUST | {"all_of": ["React", "PHP"]}, TOOLS | NOT | {"all_of": ["php"]}],
        [
            TEXT | MUST | {"contains": ["Machine tools"]},
            TEXT | NOT | {"contains": ["machine  TOOLS"]},
        ],
    ],
)
def test_a_profile_that_no_record_can_fit_is_refused_where_it_is_set_and_says_why(
    criteria: list[dict[str, Json]],
) -> None:
    profile = {"criteria": [WEIGHED, *criteria]}
    with pytest.raises(ValidationError, match=f"{criteria[0]['field']} must .*: nothing can"):
        NewProfile.model_validate(profile)
    Profile.model_validate(profile)  # one that was set before goes on to count


@pytest.mark.parametrize(
    "criteria",
    [
        [COUNTRY | MUST | {"any_of": ["DE", "AT"]}, COUNTRY | NOT | {"any_of": ["DE"]}],
        [STAFF | MUST | {"at_least": 50}, STAFF | MUST | {"at_most": 50}],
        [STAFF | MUST | {"at_least": 50}, STAFF | NOT | {"at_least": 60}],
        [STAFF | NOT | {"at_least": 50}, STAFF | {"at_least": 60}],
        [TOOLS | MUST | {"any_of": ["React", "Vue"]}, TOOLS | NOT | {"any_of": ["react"]}],
        [TOOLS | MUST | {"all_of": ["React"]}, TOOLS | NOT | {"all_of": ["react", "PHP"]}],
        [TEXT | MUST | {"contains": ["tools", "lathes"]}, TEXT | NOT | {"contains": ["tools"]}],
    ],
)
def test_a_narrow_profile_that_some_record_fits_is_taken(criteria: list[dict[str, Json]]) -> None:
    assert NewProfile.model_validate({"criteria": [WEIGHED, *criteria]})
