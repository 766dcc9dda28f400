"""How often each may ask: at most so many in any window, and who is refused takes no room."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from glaze.api.pace import Pace

WINDOW_S = 60.0


def test_nobody_is_let_in_more_often_than_allowed_in_any_window_and_each_as_often():
    now = [1000.0]
    pace = Pace(2, WINDOW_S, lambda: now[0])
    assert [pace.hit("a")[:2] for _ in range(3)] == [(True, 1), (True, 0), (False, 0)]
    assert pace.hit("b").allowed
    now[0] += 59
    refused = pace.hit("a")
    assert (refused.allowed, refused.reset_s) == (False, 1.0)
    now[0] += 1  # the first two are out, those that were refused never were in
    assert [pace.hit("a").allowed for _ in range(3)] == [True, True, False]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=80), st.integers(1, 4)
)
def test_it_lets_in_exactly_who_has_room_in_the_last_minute(asked, most):
    now = [0.0]
    pace, taken = Pace(most, WINDOW_S, lambda: now[0]), {name: deque() for name in "abc"}
    for whose, later in asked:
        now[0] += later
        recent = [at for at in taken[whose] if at > now[0] - WINDOW_S]
        told = pace.hit(whose)
        assert told.allowed == (len(recent) < most)
        if told.allowed:
            taken[whose].append(now[0])
            recent.append(now[0])
        assert (told.left, told.reset_s) == (most - len(recent), recent[0] + WINDOW_S - now[0])
