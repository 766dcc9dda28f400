"""The token that names a call to its vendor: the same whenever it is sent, and nobody else's."""

import random

from glaze.model.value import CallId, WorkspaceId
from glaze.pipeline.naming import Named, callback_url, named_by, token_of

KEY = bytes(range(32))
TOKEN = token_of(KEY, WorkspaceId(3), CallId(41))


def test_a_call_has_one_token_and_the_token_one_call():
    assert token_of(KEY, WorkspaceId(3), CallId(41)) == TOKEN
    assert named_by(TOKEN) == Named(WorkspaceId(3), CallId(41))
    others = {
        token_of(KEY, WorkspaceId(workspace), CallId(call))
        for workspace in (3, 34)
        for call in (1, 4, 41, 141)
    }
    assert len({other.rpartition("-")[2] for other in others}) == 8
    assert token_of(bytes(32), WorkspaceId(3), CallId(41)) != TOKEN


def test_of_10000_forgeries_none_is_genuine():
    rng = random.Random(7)
    for _ in range(10_000):
        place = rng.randrange(len(TOKEN))
        forged = TOKEN[:place] + rng.choice("0123456789abcdefg-G. \n") + TOKEN[place + 1 :]
        named = named_by(forged)
        if forged != TOKEN and named is not None:
            assert token_of(KEY, named.workspace_id, named.call_id) != forged


def test_an_address_is_given_where_there_is_one():
    assert callback_url("", "apollo", TOKEN) == ""
    told = f"https://glaze.example/v1/hooks/apollo/{TOKEN}"
    assert callback_url("https://glaze.example/", "apollo", TOKEN) == told
