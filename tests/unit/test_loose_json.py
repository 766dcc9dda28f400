"""What a model wrote is read where it is JSON at all, and never guessed at."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glaze.model.loose_json import objects_in

ROWS = [{"field": "a", "value": 'say "{}", ]'}, {"field": "b", "value": None}]
WHOLE = json.dumps({"answers": ROWS})


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"```json\n{WHOLE}\n```",
        f"Sure! Here is what I {{found}}:\n\n{WHOLE}\nLet me know if you need more.",
        json.dumps(ROWS),
        "\n".join(map(json.dumps, ROWS)),
        json.dumps({"answers": ROWS}, indent=2).replace("\n  ]", ",\n  ]"),
        WHOLE[:-2] + ",]}",
        WHOLE[:-1],
        WHOLE[:-2] + ', {"field": "c", "val',
    ],
    ids=["json", "fence", "prose", "list", "lines", "commas", "comma", "no end", "cut in a row"],
)
def test_the_rows_that_are_whole_are_read(text):
    assert objects_in(text, "answers") == ROWS


@pytest.mark.parametrize("text", ['{"answers": []}', "[]", "```\n[]\n```".strip("`\n")])
def test_no_rows_are_an_answer(text):
    assert objects_in(text, "answers") == []


@pytest.mark.parametrize(
    "text",
    ["", "I cannot help with that.", '{"answers": "none"}', '{"answers": [', "[7]", "{", "null",
     '{"field": 3}', "{'field': 'a'}", '{"value": 1}', "{" * 100_000, '{"a":' * 100_000],
)  # fmt: skip
def test_what_holds_no_rows_is_no_answer(text):
    assert objects_in(text, "answers") is None


@given(st.text(alphabet='{}[]",:a1 \\', max_size=60), st.integers(0, 60))
def test_nothing_that_a_model_writes_fails_the_reading(noise, place):
    text = WHOLE[:place] + noise + WHOLE[place:]
    for row in objects_in(text, "answers") or ():
        assert isinstance(row, dict)
