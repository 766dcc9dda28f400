"""A quote supports a value only where its words say so, not where they merely occur (E11)."""

import pytest

from glaze.model.evidence import Context, contexts, supports
from glaze.model.value import FieldName, Json


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("person_full_name", "John Smith", "John Doe met our founder Mary Smith"),
        ("person_full_name", "John Smith", "We met John. Smith was there too"),
        ("person_full_name", "John Smith", "John Smith-Jones leads the team"),
        ("person_first_name", "Smith", "our founder Mary Smith"),
        ("person_last_name", "Mary", "our founder Mary Smith"),
        ("company_city", "York", "Our couriers drive from New York to Boston"),
        ("company_city", "Kansas", "Our office is in Kansas City"),
        ("company_city", "Baden", "Unser Büro ist in Baden-Baden"),
        ("company_city", "Reading", "We are fond of reading books"),
        ("company_legal_name", "Acme GmbH", "© 2024 Acme GmbH & Co. KG"),
        ("company_name", "Acme", "© 2024 Acme Bank GmbH"),
        ("person_title", "Head of Sales", "Head of Marketing, formerly in Sales"),
        ("company_street", "2 Main Street", "12 Main Street, Austin"),
    ],
)
def test_words_put_together_or_cut_from_a_longer_name_are_no_name(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("person_full_name", "John Smith", "our founder John Smith met Mary"),
        ("person_full_name", "Hans Müller", "Geschäftsführer: Dr. Hans Müller"),
        ("person_full_name", "Jane Doe", "Jane Doe CEO"),
        ("person_full_name", "J. P. Morgan", "founded by J.P. Morgan"),
        ("person_first_name", "Mary", "our founder Mary Smith"),
        ("person_last_name", "Smith", "our founder Mary Smith"),
        ("company_city", "New York", "Our couriers drive from New York to Boston"),
        ("company_city", "Berlin", "Hauptstr. 5, 10115 Berlin Germany"),
        ("company_city", "Austin", "5 Main Street, Austin TX 78701"),
        ("company_city", "Frankfurt am Main", "mit Sitz in Frankfurt am Main."),
        ("company_city", "München", "In München zu Hause"),
        ("company_city", "東京", "当社は東京を拠点とする企業です。"),
        ("company_name", "Acme", "© 2024 Acme GmbH"),
        ("company_name", "Acme", "© 2024 Acme S.r.l."),
        ("company_legal_name", "Acme Inc", "© 2024 Acme, Inc. All rights reserved"),
        ("company_street", "Hauptstr 5", "Hauptstr. 5, 10115 Berlin"),
        ("person_title", "Head of Sales", "Jane Doe, Head of Sales"),
    ],
)
def test_a_name_that_stands_there_as_one_phrase_is_kept(
    field: str, value: Json, quote: str
) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_employee_count", 1998, "Our team has grown steadily since 1998 in Berlin"),
        ("company_employee_count", 1998, "Our team since 1998"),
        ("company_employee_count", 1998, "In 1998 people laughed at us"),
        ("company_employee_count", 1924, "Our team ships 1924 parcels a day"),
        ("company_employee_count", 120, "Our team grew by 120 % last year"),
        ("company_employee_count", 120, "More than 120k employees use it"),
        ("company_employee_count", 200, "1 200 Mitarbeiter arbeiten hier"),
        ("company_size", "1001-5000", "Our team has grown steadily since 1998 in Berlin"),
        ("company_founded_year", 1924, "Founded by two friends, we ship 1924 parcels a day"),
        ("company_founded_year", 1924, "Since then 1924 employees have joined"),
        ("company_founded_year", 2015, "Founded by former bankers, we moved to Berlin in 2015"),
        ("company_founded_year", 1998, "The best 1998 wines"),
        ("company_founded_year", 1990, "Founded in the 1990s by friends"),
    ],
)  # fmt: skip
def test_a_number_far_from_what_it_is_called_counts_for_nothing(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_employee_count", 12, "Today we are a team of 12 people."),
        ("company_employee_count", 120, "Number of employees: 120"),
        ("company_employee_count", 1200, "1 200 Mitarbeiter arbeiten hier"),
        ("company_employee_count", 1800, "Since 1998, 1800 employees have joined"),
        ("company_employee_count", 80, "We have 80 sales people"),
        ("company_employee_count", 80, "Notre équipe compte 80 salariés"),
        ("company_employee_count", 35, "従業員数35名。"),
        ("company_size", "11-50", "11-50 employees"),
        ("company_founded_year", 1998, "Est. 1998 in Berlin"),
        ("company_founded_year", 1998, "Acme wurde 1998 in München von Jane Doe gegründet"),
        ("company_founded_year", 1998, "founded by Jane Doe and John Smith in 1998"),
        ("company_founded_year", 1998, "Seit 1998 entwickeln wir Software"),
        ("company_founded_year", 1998, "Fondée en 1998, notre maison a grandi"),
        ("company_founded_year", 1998, "Opgericht in 1998, zijn wij gegroeid."),
        ("company_founded_year", 1998, "1998年設立。着実に成長してまいりました。"),
    ],
)
def test_a_number_beside_what_it_is_called_is_kept(field: str, value: Json, quote: str) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    "quote",
    [
        "HRB 99 30 12345678",
        "HRB 3012345678",
        "Amtsgericht Berlin, Handelsregister Nr. 30 12345678",
        "VAT ID: 3012345678",
        "DE3012345678",
        "+43 30 12345678",
        "1 99 30 12345678",
    ],
)
def test_digits_of_a_register_or_of_a_longer_number_are_no_phone(quote: str) -> None:
    assert not supports(FieldName("person_phone"), "+493012345678", quote)


@pytest.mark.parametrize(
    "quote",
    [
        "Tel. 030 12345678",
        "030/12345678, Berlin",
        "Call +49 30 1234-5678 today",
        "+49 (0)30 12345678",
        "0049 30 12345678",
        "(030) 12345678",
        "HRB 99, Tel.: 030 12345678",
    ],
)
def test_a_phone_number_is_kept_however_it_is_written(quote: str) -> None:
    assert supports(FieldName("person_phone"), "+493012345678", quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_founded_year", 1998, "Not founded in 1998 but much later"),
        ("company_employee_count", 50, "We never had more than 50 employees"),
        ("company_city", "Paris", "Wir sind nicht in Paris, sondern in Lyon"),
        ("company_country", "FR", "We do not ship to France at this time"),
        ("company_industry", "Software", "We do not make software, ever"),
        ("company_industry_group", "computer software", "We aren't a software company"),
        ("company_name", "Globex", "Acme, formerly Globex, of Austin"),
        ("person_title", "CEO", "Jane Doe, former CEO of Acme"),
    ],
)
def test_what_a_quote_denies_or_calls_past_it_does_not_state(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_city", "Paris", "Not only in Paris do we bake bread"),
        ("company_city", "Lyon", "Wir sind nicht in Paris, sondern in Lyon"),
        ("company_founded_year", 2004, "Not founded in 1998, but founded in 2004"),
        ("company_street", "No. 5 Main Street", "Visit us at No. 5 Main Street"),
        ("company_phone", "+4930123456", "Do not hesitate to call 030 123456"),
        ("company_email", "info@acme.com", "Why not write to info@acme.com?"),
        ("company_industry", "Charity", "We are a not-for-profit charity"),
        ("company_industry_group", "computer software", "We are a software company"),
    ],
)
def test_a_denial_takes_only_its_own_clause_with_it(field: str, value: Json, quote: str) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_revenue", 5_000_000, "Acme raised $5 million in seed funding"),
        ("company_revenue", 40_000_000, "We saved our customers $40 million"),
        ("company_revenue", 2010, "Revenue of $40 million since 2010"),
        ("company_revenue", 5_000_000, "Revenue of C$5 million in fiscal 2020"),
        ("company_revenue", 5_000_000, "5 million euros of revenue, not dollars"),
        ("company_funding_total", 5_000_000, "Annual revenue of $5 million"),
    ],
)
def test_money_that_is_called_something_else_or_is_no_dollars_counts_for_nothing(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_revenue", 5_000_000, "In 2023 our revenue of 2022 rose to $5 million"),
        ("company_revenue", 5_000_000, "US$5M in annual sales"),
        ("company_revenue", 5_500_000, "Annual turnover: 5.5 million dollars"),
        ("company_funding_total", 12_000_000, "Acme has raised $12M from investors"),
        ("company_funding_total", 12_000_000, "USD 12 million in venture capital"),
    ],
)
def test_money_beside_what_it_is_called_is_kept(field: str, value: Json, quote: str) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_founded_year", 1998, "Our founder was born in 1998 in Rome"),
        ("company_employee_count", 50, "Fewer than 50 employees work here"),
        ("company_employee_count", 50, "50 people attended our talk last week"),
        ("company_employee_count", 500, "We train 500 employees of our clients"),
        ("company_country", "IS", "a small island in the Pacific"),
        ("company_country", "IS", "based in Rhode Island and beyond"),
        ("company_country", "GN", "Offices in Papua New Guinea"),
        ("company_country", "MX", "Santa Fe, New Mexico 87501"),
        ("company_country", "KR", "An office in North Korea"),
        ("company_country", "JO", "Contact Jordan Smith, sales manager"),
        ("company_phone", "+4930123456", "Telefax: 030 123456, Berlin"),
        ("company_email", "info@acme.com", "write to x+info@acme.com today"),
        ("company_website", "https://acme.com", "see https://evil.com/?u=acme.com"),
        ("company_ticker", "A", "We are a company of the stock exchange"),
        ("company_ticker", "ACME", "ACME makes rockets for coyotes"),
        ("company_registration_number", "10115", "over 10115 customers trust us"),
        ("company_vat_id", "10115", "over 10115 customers trust us"),
        ("company_postal_code", "10115", "over 10115 customers trust us"),
        ("company_postal_code", "10115", "Phone 030 10115 22, Berlin"),
    ],
)
def test_characters_that_stand_there_as_something_else_count_for_nothing(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_founded_year", 1998, "Our brand was born in 1998"),
        ("company_founded_year", 1998, "Since 1998 our founders lead the team"),
        ("company_country", "DE", "Hauptstr. 5, 10115 Berlin Germany Tel. 030 1"),
        ("company_country", "PG", "Offices in Papua New Guinea"),
        ("company_country", "NZ", "Auckland, New Zealand"),
        ("company_phone", "+4930123456", "Tel/Fax: 030 123456, Berlin"),
        ("company_ticker", "ACME", "Acme (NASDAQ: ACME) makes rockets"),
        ("company_registration_number", "12345678", "Registered in England, No. 12345678"),
        ("company_registration_number", "HRB12345", "Amtsgericht Berlin, HRB 12345"),
        ("company_vat_id", "DE123456789", "USt-IdNr.: DE 123 456 789"),
        ("company_postal_code", "10115", "Hauptstr. 5, 10115 Berlin"),
        ("company_postal_code", "D-10115", "Hauptstr. 5, D-10115 Berlin"),
        ("company_postal_code", "SW1A 1AA", "London SW1A 1AA, UK"),
        ("company_postal_code", "78701", "Austin, TX 78701 info@acme.com 512 555 0100"),
        ("company_postal_code", "02284-1003", "Boston, MA 02284-1003"),
        ("company_postal_code", "78701", "5 Main Street, Austin TX 78701"),
    ],
)
def test_the_same_characters_in_their_own_place_are_kept(
    field: str, value: Json, quote: str
) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_founded_year", 1998, "Our parent Globex was founded in 1998"),
        ("company_founded_year", 1998, "Our parent Globex Inc. was founded in 1998"),
        ("company_founded_year", 1998, "Our parent, Globex, was founded in 1998"),
        ("company_founded_year", 1998, "Our parent Globex, a German giant, was founded in 1998"),
        ("company_founded_year", 1998, "The parent company was founded in 1998"),
        ("company_founded_year", 1998, "Unsere Muttergesellschaft wurde 1998 gegründet"),
        ("company_founded_year", 1998, "Notre maison mère Globex a été fondée en 1998"),
        ("company_founded_year", 1998, "Nuestra empresa matriz fue fundada en 1998"),
        ("company_founded_year", 1998, "We moved on, and our partner was founded in 1998"),
        ("company_employee_count", 5000, "our customer Initech has 5,000 employees"),
        ("company_employee_count", 5000, "One of our customers has 5,000 employees"),
        ("company_employee_count", 5000, "The 5,000 employees of our parent company"),
        ("company_employee_count", 500, "Die 500 Mitarbeiter unserer Kunden"),
        ("company_employee_count", 500, "Nuestros clientes tienen 500 empleados"),
        ("company_city", "Paris", "Our partners in Paris and Lyon help, too"),
        ("company_city", "Paris", "Nos clients sont à Paris"),
        ("company_country", "DE", "Our subsidiaries are in Germany and Spain"),
        ("company_name", "Globex GmbH", "Acme is a subsidiary of Globex GmbH"),
        ("company_legal_name", "Globex GmbH", "Acme has been acquired by Globex GmbH in 2019"),
        ("company_legal_name", "Globex GmbH", "Acme gehört zur Globex GmbH in Bonn"),
        ("company_name", "Initech", "competitors such as Globex, Initech and Hooli"),
        ("company_name", "Initech", "Our customers: Globex, Initech, Hooli"),
        ("company_name", "Initech", "Wir danken unserem Vertriebspartner Initech"),
        ("company_employee_count", 500, "Unser Partner hat 500 Mitarbeiter"),
        ("company_name", "Initech", "Notre partenaire Initech livre vite"),
        ("company_industry_group", "banking", "Our customers are banks and insurers"),
        ("company_industry", "Banking", "Our customers are in banking and insurance"),
        ("company_phone", "+4930123456", "Our partner Globex: Tel. 030 123456"),
        ("company_email", "info@globex.com", "Write to our partner Globex at info@globex.com"),
        ("person_full_name", "Jane Doe", "the CEO of our partner Initech, Jane Doe"),
        ("person_full_name", "Jane Doe", "Jane Doe, CEO of our client Initech"),
        ("person_full_name", "Jane Doe", "Great work, says our customer Jane Doe"),
        ("person_full_name", "Jane Doe", "Jane Doe, Leiterin bei unserem Kunden Initech"),
    ],
)  # fmt: skip
def test_what_a_sentence_tells_of_somebody_else_is_not_the_subjects(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_founded_year", 1998, "Acme, a Globex company, was founded in 1998"),
        ("company_founded_year", 1998, "Acme, a subsidiary of Globex GmbH, was founded in 1998"),
        ("company_founded_year", 1998, "Founded in 1998 by Jane Doe"),
        ("company_founded_year", 1998, "Founded in 1998, our partners trust us"),
        ("company_founded_year", 1998, "Our customers trust us. We were founded in 1998"),
        ("company_founded_year", 1998, "Am 1. Mai 1998 gegründet"),
        ("company_employee_count", 50, "Our clients are served by a team of 50 people"),
        ("company_city", "Berlin", "Our customer service team in Berlin"),
        ("company_employee_count", 50, "We offer our customers 50 engineers"),
        ("company_employee_count", 50, "50 employees take care of our customers"),
        ("company_employee_count", 200, "Together with our partner Globex we employ 200 people"),
        ("company_employee_count", 50, "Für unsere Kunden arbeiten wir mit 50 Mitarbeitern"),
        ("company_employee_count", 50, "Nos 50 salariés accompagnent nos clients"),
        ("company_city", "Berlin", "Ihr Partner für Software in Berlin"),
        ("company_city", "Berlin", "Your partner in Berlin since 1998"),
        ("company_city", "Berlin", "Wir beraten unsere Kunden von Berlin aus"),
        ("company_city", "Berlin", "Unsere Kunden betreuen wir von Berlin aus"),
        ("company_city", "Lyon", "Nos bureaux sont à Lyon, nos clients partout"),
        ("company_city", "Madrid", "Atendemos a nuestros clientes desde Madrid"),
        ("company_name", "Acme", "Acme is a subsidiary of Globex GmbH"),
        ("company_city", "Leeds", "We help businesses of every size from our home in Leeds"),
        ("company_city", "Leeds", "Acme sells to businesses of every size from its home in Leeds"),
        ("company_industry", "marketing", "Acme accompagne ses clients : marketing et publicité"),
        ("company_parent", "Globex GmbH", "Acme is a subsidiary of Globex GmbH"),
        ("company_industry_group", "computer software", "We build software for our customers"),
        ("company_industry_group", "banking", "We are a bank and our customers trust us"),
        ("company_phone", "+4930123456", "Our customers can call 030 123456"),
        ("company_phone", "+4930123456", "Talk to our Customer Service Centre on 030 123456"),
        ("company_name", "Acme", "Join the Acme Partner Network"),
        ("person_full_name", "Jane Doe", "Our partner Jane Doe joined the firm"),
        ("person_full_name", "Jane Doe", "Jane Doe takes care of our customers"),
        ("person_full_name", "Jane Doe", "Jane Doe advises our customer Initech"),
        ("person_full_name", "Mai Nguyen", "our founder Mai Nguyen leads us"),
        ("person_company_name", "Initech", "Jane Doe is CEO of our partner Initech"),
        ("person_title", "CEO", "the CEO of our partner Initech, Jane Doe"),
    ],
)
def test_what_a_sentence_tells_of_the_subject_beside_somebody_else_is_kept(
    field: str, value: Json, quote: str
) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_city", "Paris", "We left Paris for good in 2010"),
        ("company_city", "Paris", "We moved from Paris to Lyon in 2010"),
        ("company_city", "Paris", "Wir sind von Paris nach Lyon umgezogen"),
        ("company_city", "Paris", "Wir haben Paris verlassen und sind nun in Lyon"),
        ("company_city", "Paris", "Nous avons quitté Paris pour Lyon"),
        ("company_city", "Paris", "Dejamos Paris para siempre"),
        ("company_city", "Paris", "We used to be in Paris for years"),
        ("person_company_name", "Globex", "Jane Doe left Globex in 2010"),
        ("company_employee_count", 200, "We never had 1,200 employees"),
        ("company_country", "TD", "Talk to Chad about sales"),
        ("company_country", "JO", "a word with Jordan on prices"),
        ("company_country", "GE", "5 Main Street, Atlanta, Georgia 30303"),
    ],
)
def test_what_was_left_and_who_is_called_like_a_country_is_no_place(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_city", "Paris", "Headquartered in Paris since we left Lyon"),
        ("company_city", "Lyon", "We left Paris for Lyon in 2010"),
        ("company_city", "Lyon", "We moved from Paris to Lyon in 2010"),
        ("company_city", "Lyon", "Wir sind von Paris nach Lyon umgezogen"),
        ("company_city", "Lyon", "Nous avons quitté Paris pour Lyon"),
        ("company_city", "Paris", "on the left bank in Paris"),
        ("company_founded_year", 1998, "Jane Doe left Globex and founded Acme in 1998"),
        ("company_country", "TD", "Our office in Chad is open"),
        ("company_country", "JO", "King Street 5, Amman, Jordan"),
        ("company_country", "KE", "Nairobi (Kenya), Africa"),
        ("company_country", "GE", "Rustaveli 5, Tbilisi, Georgia"),
    ],
)
def test_where_the_subject_went_is_kept(field: str, value: Json, quote: str) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("page", "quote"),
    [
        ("Our parent Globex was founded in 1998 by Jane.", "was founded in 1998"),
        ("Our parent Globex Inc. was founded in 1998.", "was founded in 1998"),
        ("Was Acme founded in 1998 or later?", "Acme founded in 1998"),
        ("We were not\n founded in 1998 at all.\nNever founded in 1998.", "founded in 1998"),
    ],
)
def test_a_quote_is_read_with_the_rest_of_its_sentence(page: str, quote: str) -> None:
    field = FieldName("company_founded_year")
    assert supports(field, 1998, quote)
    found = [supports(field, 1998, quote, around) for around in contexts(quote, page)]
    assert found
    assert not found[-1]


@pytest.mark.parametrize(
    ("page", "quote"),
    [
        ("Our parent is Globex.\nFounded in 1998", "Founded in 1998"),
        ("We are no bank. Founded in 1998.", "Founded in 1998"),
        ("We were not bought in 1997; we were founded in 1998.", "founded in 1998"),
        ("Not founded in 1998, so they say.\nWe were founded in 1998.", "founded in 1998"),
    ],
)
def test_another_sentence_or_line_takes_nothing_from_a_quote(page: str, quote: str) -> None:
    field = FieldName("company_founded_year")
    assert any(supports(field, 1998, quote, around) for around in contexts(quote, page))


ACMES = Context(ours=frozenset({"Acme Robotics", "acme-robotics.com"}))


@pytest.mark.parametrize(
    "quote",
    [
        "Jane Doe, CEO of Initech",
        "Jane Doe, Head of Sales at Initech Inc.",
        "Jane Doe, Geschäftsführerin der Initech GmbH",
        "Jane Doe, directrice marketing chez Initech",
        "Jane Doe, gerente de Initech",
    ],
)
def test_who_works_elsewhere_is_nobody_of_ours(quote: str) -> None:
    field = FieldName("person_full_name")
    assert not supports(field, "Jane Doe", quote, ACMES)
    assert supports(field, "Jane Doe", quote, Context(ours=frozenset({"Initech", "init.com"})))
    assert supports(field, "Jane Doe", quote)  # by no name known, nobody can tell


@pytest.mark.parametrize(
    "quote",
    [
        "Jane Doe, CEO of Acme",
        "Jane Doe, CEO of ACME ROBOTICS GmbH",
        "Jane Doe, founder of AR",
        "Jane Doe, CTO at AcmeRobotics",
        "Jane Doe, Head of Sales",
        "Jane Doe, Director of Engineering",
        "Jane Doe, President of North America",
        "Jane Doe, formerly CEO of Initech",
        "Jane Doe joined from Initech. Bob Roe is CEO at Initech",
    ],
)
def test_who_works_here_is_ours_however_the_company_is_spelt(quote: str) -> None:
    assert supports(FieldName("person_full_name"), "Jane Doe", quote, ACMES)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_employee_count", 500, "We plan to grow to 500 employees by 2030"),
        ("company_employee_count", 500, "Our goal: a team of 500 people"),
        ("company_employee_count", 500, "Imagine a company with 500 employees"),
        ("company_employee_count", 500, "Does your company have 500 employees?"),
        ("company_employee_count", 500, "If a team has 500 people, it needs rules"),
        ("company_employee_count", 500, "Wenn Sie 500 Mitarbeiter haben, hilft das"),
        ("company_employee_count", 500, "Notre objectif est une équipe de 500 salariés"),
        ("company_city", "Paris", "Are you based in Paris?"),
        ("company_city", "Paris", "We will open in Paris next year"),
    ],
)
def test_what_is_asked_supposed_or_planned_is_not_stated(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_city", "Paris", "Where are we? In Paris."),
        ("company_city", "Paris", "If you have questions, visit us in Paris"),
        ("company_city", "Paris", "We want to see you in spring and are in Paris"),
        ("company_employee_count", 50, "We plan to have 500 people and are a team of 50 people"),
        ("company_industry_group", "computer software", "We aim to write software that helps"),
        ("company_city", "Paris", "Siège social: Paris"),
    ],
)
def test_what_stands_beside_a_question_or_a_plan_is_stated(
    field: str, value: Json, quote: str
) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_employee_count", 500, "Ideal for companies with 500 employees"),
        ("company_employee_count", 500, "Wir beraten Unternehmen mit 500 Mitarbeitern"),
        ("company_employee_count", 500, "Pour les entreprises de 500 salariés"),
        ("company_employee_count", 500, "Para empresas con 500 empleados"),
        ("company_employee_count", 500, "Your company has 500 employees, and so"),
        ("company_employee_count", 500, "You will lead a team of 500 people"),
        ("company_employee_count", 500, "We hired 500 people this year"),
        ("company_employee_count", 500, "We laid off 500 employees in 2020"),
        ("company_employee_count", 500, "Wir suchen 500 Mitarbeiter"),
        ("company_employee_count", 500, "Our sales team has 500 people"),
        ("company_employee_count", 500, "a network of 500 experts"),
        ("company_employee_count", 500, "A venue for 500 people"),
        ("company_employee_count", 24, "Support people with 24/7 availability"),
        ("company_employee_count", 2009, "Web Engineering (Globex, 2009) is our book"),
        ("company_employee_count", 5000, "5,000+ people trust our team"),
        ("company_founded_year", 1998, "What our team found out in 1998"),
        ("company_founded_year", 1998, "Acme launched a new line in 1998"),
        ("company_revenue", 5_000_000, "Our revenue is expected to pass $5 million"),
        ("company_founded_year", 1998, "ISO 9001 certified since 1998"),
        ("company_founded_year", 1998, "Jane Doe has been our CEO since 1998"),
        ("company_founded_year", 1998, "Seit 1998 sind wir Mitglied der IHK"),
        ("company_founded_year", 1998, "We launched our new product in 1998"),
        ("company_founded_year", 1998, "We started offering yoga in 1998"),
        ("company_founded_year", 1998, "Unsere Niederlassung wurde 1998 gegründet"),
        ("company_country", "ES", "We ship to France, Spain and Italy"),
        ("company_country", "FR", "Our founder was born in France"),
        ("company_city", "Paris", "Wir liefern nach Paris und Lyon"),
        ("company_city", "Paris", "Meet us at the fair in Paris"),
        ("company_revenue", 5_000_000, "The market has revenue of $5 million"),
        ("company_revenue", 5_000_000, "We helped a client grow to $5 million in revenue"),
        ("company_revenue", 5_000_000, "We increased sales by $5 million"),
        ("company_funding_total", 5_000_000, "We invested $5 million in a new plant"),
        ("person_title", "President", "Jane Doe, Vice President"),
        ("person_title", "Head of Sales", "Jane Doe, Deputy Head of Sales"),
        ("person_title", "CEO", "Jane Doe, Assistant to the CEO"),
        ("person_title", "CEO", "Jane Doe reports to the CEO"),
    ],
)
def test_what_is_like_the_fact_and_not_the_fact_counts_for_nothing(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_employee_count", 500, "We are a group of companies with 500 employees"),
        ("company_employee_count", 500, "Wir sind ein Unternehmen mit 500 Mitarbeitern"),
        ("company_employee_count", 500, "Your team of 500 experts from Berlin: we are Acme"),
        ("company_employee_count", 500, "500 specialists work at Acme"),
        ("company_employee_count", 500, "Acme is 500 people strong"),
        ("company_employee_count", 500, "Acme employs 500 people"),
        ("company_founded_year", 1998, "has served the whole community since 1998"),
        ("company_founded_year", 1998, "We have offered certified yoga classes since 1998"),
        ("company_founded_year", 1998, "We launched in 1998 with two vans"),
        ("company_founded_year", 1998, "Foundation: 1998"),
        ("company_employee_count", 2000, "Employees: 2000"),
        ("company_employee_count", 5000, "5,000+ employees work at Acme"),
        ("company_founded_year", 1998, "Your reliable partner since 1998"),
        ("company_founded_year", 1998, "Serving our customers since 1998"),
        ("company_founded_year", 1998, "Seit 1998 beraten wir unsere Kunden"),
        ("company_founded_year", 1998, "Family owned since 1998"),
        ("company_founded_year", 1998, "We started building boats in 1998"),
        ("company_founded_year", 1998, "Notre agence a été créée en 1998"),
        ("company_founded_year", 1998, "The Acme Foundation was established in 1998"),
        ("company_country", "FR", "We ship from France to Spain"),
        ("company_city", "Paris", "We deliver all over the world from Paris"),
        ("company_city", "Leeds", "Acme Travel is a hotel company based in Leeds"),
        ("company_city", "Paris", "Travel to us: 5 rue Cler, 75007 Paris"),
        ("company_revenue", 5_000_000, "As market leader we have revenue of $5 million"),
        ("company_funding_total", 5_000_000, "Investors gave Acme $5 million"),
        ("person_title", "Vice President", "Jane Doe, Vice President"),
        ("person_title", "Assistant to the CEO", "Jane Doe, Assistant to the CEO"),
    ],
)
def test_the_fact_is_kept_where_its_words_look_like_something_else(
    field: str, value: Json, quote: str
) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize("text", ["x", "our a ", "? ", "a of our ", "ship to "])
def test_the_longest_sentences_are_judged(text: str) -> None:
    """Each pattern begins where a sentence or a word does: else this takes minutes."""
    long = text * (600 // len(text))
    for field, value in (("company_city", "Paris"), ("person_full_name", "Jane Doe")):
        assert not supports(FieldName(field), value, long, Context(long, long))


def test_of_a_quote_that_a_page_repeats_each_sentence_is_judged_once_and_not_all() -> None:
    assert len(contexts("founded in 1998", "We were founded in 1998.\n" * 50)) == 1
    page = "\n".join(f"Unit {number} was founded in 1998." for number in range(50))
    assert len(contexts("founded in 1998", page)) == 8


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_founded_year", 1998, "Globex was founded in 1998"),
        ("company_founded_year", 1998, "The Globex Corporation was established in 1998 in Bonn"),
        ("company_founded_year", 1998, "We work with many. Globex Inc. was founded in 1998"),
        ("company_founded_year", 1998, "Die Globex GmbH wurde im Mai 1998 gegründet"),
        ("company_founded_year", 1998, "Globex a été fondée en 1998"),
        ("company_founded_year", 1998, "Globex fue fundada en 1998"),
        ("company_employee_count", 500, "Globex employs more than 500 people"),
        ("company_employee_count", 500, "Globex hat 500 Mitarbeiter"),
        ("company_revenue", 5_000_000, "Globex reported $5 million in revenue"),
    ],
)
def test_what_is_said_of_a_company_by_its_name_is_no_fact_of_another(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote, ACMES)
    theirs = Context(ours=frozenset({"Globex", "globex.com"}))
    assert supports(FieldName(field), value, quote, theirs)
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_founded_year", 1998, "Acme was founded in 1998"),
        ("company_founded_year", 1998, "The Acme Group was founded in 1998"),
        ("company_founded_year", 1998, "AR was founded in 1998"),
        ("company_founded_year", 1998, "The company was founded in 1998"),
        ("company_founded_year", 1998, "Our studio was founded in 1998"),
        ("company_founded_year", 1998, "Das Unternehmen wurde 1998 gegründet"),
        ("company_founded_year", 1998, "L'entreprise a été fondée en 1998"),
        ("company_founded_year", 1998, "In 1998 it was founded"),
        ("company_employee_count", 500, "Today Acme employs 500 people"),
        ("company_employee_count", 500, "Our team has 500 people"),
        ("company_city", "Berlin", "Globex is located in Berlin"),
    ],
)
def test_what_is_said_of_the_subject_however_it_is_called_is_kept(
    field: str, value: Json, quote: str
) -> None:
    assert supports(FieldName(field), value, quote, ACMES)
