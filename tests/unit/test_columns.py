"""Which column means what: headers in many languages, values where headers fail, the user's word."""

from pathlib import Path

import pytest

from glaze.errors import InputError
from glaze.files.columns import map_columns
from glaze.files.source import inspect


def mapped(tmp_path: Path, text: str, **given: str) -> dict[str, str]:
    path = tmp_path / "rows.csv"
    path.write_text(text, "utf-8")
    return dict(map_columns(inspect(path), given).used)


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "First Name,Last Name,Email,Company,Website",
            "Jane,Roe,jane@acme.com,Acme,acme.com",
            ["first_name", "last_name", "email", "company", "website"],
        ),
        (
            "Vorname;Nachname;E-Mail-Adresse;Firma;Webseite;Telefonnummer;Land",
            "Jan;Röhl;jan@acme.de;Acme GmbH;acme.de;+49 30 1234567;DE",
            ["first_name", "last_name", "email", "company", "website", "phone", "country"],
        ),
        (
            "Prénom;Nom;Société;Courriel;Site internet;Pays",
            "Anne;Roy;Acme SARL;anne@acme.fr;acme.fr;France",
            ["first_name", "last_name", "company", "email", "website", "country"],
        ),
        (
            "Nombre,Apellidos,Correo electrónico,Empresa,País",
            "Ana,Ruiz,ana@acme.es,Acme SL,España",
            ["first_name", "last_name", "email", "company", "country"],
        ),
        (
            "Azienda,Sito web,Città",
            "Acme Srl,acme.it,Milano",
            ["company", "website", "company_city"],
        ),
        (
            "firstName,lastName,companyDomain",
            "Jane,Roe,acme.com",
            ["first_name", "last_name", "company_domain"],
        ),
        ("Name,Website", "Acme,acme.com", ["company", "website"]),
        ("Name,Company", "Jane Roe,Acme", ["name", "company"]),
        ("Nom,Site web", "Acme,acme.fr", ["company", "website"]),
        ("Nom,Prénom,Société", "Roy,Anne,Acme", ["last_name", "first_name", "company"]),
        ("company_name,company_domain", "Acme,acme.com", ["company_name", "company_domain"]),
        (
            "LinkedIn,Company LinkedIn URL",
            "https://www.linkedin.com/in/jane,linkedin.com/company/acme",
            ["person_linkedin_url", "company_linkedin_url"],
        ),
        ("LinkedIn", "https://www.linkedin.com/company/acme", ["company_linkedin_url"]),
        ("Account ID,Domain", "0017x,acme.com", ["account_id", "domain"]),
    ],
)
def test_columns_are_understood_by_their_headers(tmp_path, header, row, expected):
    assert list(mapped(tmp_path, f"{header}\n{row}\n").values()) == expected


def test_unknown_columns_are_left_alone(tmp_path):
    assert mapped(tmp_path, "Score,Website,Owner\n5,acme.com,Kim\n") == {"Website": "website"}


def test_values_decide_where_no_header_helps(tmp_path):
    assert mapped(tmp_path, "A,B\nx,jane@acme.com\ny,joe@beta.io\n") == {"B": "email"}
    assert mapped(tmp_path, "A,Logo\nacme.com,https://cdn.io/a.png\n") == {"A": "website"}


def test_an_address_in_a_strange_column_is_ignored_once_a_header_identifies(tmp_path):
    text = "Domain,Careers\nacme.com,https://jobs.example.com/acme\n"
    assert mapped(tmp_path, text) == {"Domain": "domain"}


def test_a_header_that_its_values_contradict_is_not_believed(tmp_path):
    text = "Website,Domain\nyes,acme.com\nno,beta.io\nyes,gamma.de\n"
    assert mapped(tmp_path, text) == {"Domain": "domain"}


def test_a_contradicted_header_is_the_last_resort_so_that_each_row_says_what_is_wrong(tmp_path):
    assert mapped(tmp_path, "Website,Score\nnot a site,5\n") == {"Website": "website"}


def test_the_column_with_values_wins_over_its_empty_rival(tmp_path):
    assert mapped(tmp_path, "Email,Work Email\n,jane@acme.com\n") == {"Work Email": "email"}


def test_the_users_word_outranks_every_guess(tmp_path):
    text = "Website,Alt\nacme.com,beta.io\n"
    assert mapped(tmp_path, text, Alt="website") == {"Alt": "website"}
    assert mapped(tmp_path, text, alt="domain", website="") == {"Alt": "domain"}


def test_a_file_that_identifies_nobody_is_refused_with_its_columns_and_the_way_out(tmp_path):
    with pytest.raises(InputError, match=r"'Colour', 'Size'.*--map COLUMN=FIELD"):
        mapped(tmp_path, "Colour,Size\nred,4\n")


def test_two_equal_claims_are_the_users_to_decide(tmp_path):
    with pytest.raises(InputError, match="'Email' and 'email' both look like email"):
        mapped(tmp_path, "Email,email\na@acme.com,b@acme.com\n")
    assert mapped(tmp_path, "Email,email\na@acme.com,b@acme.com\n", email="email") == {
        "email": "email"
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Webseit": "website"}, "no column 'Webseit'.*'Website'"),
        ({"Website": "webbsite"}, "'webbsite' is no input"),
        ({"Website": "domain", "Alt": "domain"}, "twice"),
    ],
)
def test_a_wrong_map_says_what_is_there(tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        mapped(tmp_path, "Website,Alt\nacme.com,beta.io\n", **given)


def test_the_input_of_a_row_is_clean_and_without_placeholders(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '{"website": " acme.com\\u0000 ", "email": "N/A", "phone": 493012345, "x": [1]}\n'
    )
    source = inspect(path)
    mapping = map_columns(source)
    assert mapping.input_of(source.sample[0]) == {"website": "acme.com", "phone": "493012345"}
