"""What sources call an industry, put into the words of one list; what names it, and what does not."""

import pytest

from glaze.model.industry import INDUSTRIES, industry_of, named
from glaze.model.normalise import Invalid, normalise
from glaze_sandbox.world.words import INDUSTRIES as TRADES


@pytest.mark.parametrize(
    ("stated", "industry"),
    [
        ("Computer Software", "computer software"),
        ("Software Development", "computer software"),
        ("Logistics & Supply Chain", "logistics and supply chain"),
        ("Hospitals and Health Care", "hospital & health care"),
        ("IT Services and IT Consulting", "information technology and services"),
        ("Steuerberatung", "accounting"),
        ("Unternehmenssoftware", "computer software"),
        ("業務用ソフトウェア", "computer software"),
        ("énergies renouvelables", "renewables & environment"),
        ("Technology", None),
        ("Important modern courtesy for millions", None),
        ("", None),
    ],
)
def test_a_sources_own_words_mean_one_of_the_list_or_none(stated, industry):
    assert industry_of(stated) == industry


def test_every_name_of_the_list_is_itself_and_is_accepted_with_ampersands():
    assert len(INDUSTRIES) == 147
    for name in INDUSTRIES:
        assert industry_of(name) == name
        assert normalise("company_industry_group", name.replace(" and ", " & ").title()) == name


def test_what_is_not_of_the_list_is_no_value():
    with pytest.raises(Invalid, match="147"):
        normalise("company_industry_group", "wizardry")


def test_most_trades_are_named_in_seven_languages():
    told = sum(named(industry_of(trade.name), words) for trade in TRADES for words in trade.trade)
    assert told / (7 * len(TRADES)) > 0.95


@pytest.mark.parametrize(
    ("industry", "words"),
    [
        ("gambling & casinos", "We develop accounting software."),
        ("import and export", "Important notice to all visitors"),
        ("apparel & fashion", "A modern model of work"),
        ("food production", "a million miles away"),
    ],
)
def test_words_that_only_begin_alike_name_nothing(industry, words):
    assert not named(industry, words)
