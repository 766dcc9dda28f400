"""Recurring times in every time zone, against an oracle that looks at each minute of the clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from glaze.errors import InputError
from glaze.model.cron import Recurrence
from glaze.model.schedule import MOST_MISSED, Dropped, Missed, NewSchedule, Overlap, firing

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIRST, LAST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
ZONES = sorted(available_timezones() - {"localtime"})


def runs(cron: str, zone: str, after: str, n: int) -> list[str]:
    """The next ``n`` runs as the clock of ``zone`` shows them."""
    recurrence = Recurrence.parse(cron, zone)
    start = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(zone))
    found = islice(recurrence.upcoming(start), n)
    return [f"{one.astimezone(ZoneInfo(zone)):%m-%d %H:%M%z}" for one in found]


# -- the rule, by examples ---------------------------------------------------------------------------


def test_what_falls_into_the_skipped_hour_runs_right_after_it():
    told = ["03-30 02:30+0100", "03-31 03:00+0200", "04-01 02:30+0200"]
    assert runs("30 2 * * *", "Europe/Berlin", "2024-03-30", 3) == told


def test_what_falls_into_the_repeated_hour_runs_once_whenever_one_asks():
    told = ["10-27 02:30+0200", "10-28 02:30+0100"]
    assert runs("30 2 * * *", "Europe/Berlin", "2024-10-27", 2) == told
    recurrence = Recurrence.parse("30 2 * * *", "Europe/Berlin")
    second_pass = datetime(2024, 10, 27, 1, 15, tzinfo=UTC)  # 02:15 for the second time
    assert recurrence.next_after(second_pass) == datetime(2024, 10, 28, 1, 30, tzinfo=UTC)


def test_what_runs_every_hour_runs_in_both_and_not_in_the_skipped_one():
    told = ["10-27 01:30+0200", "10-27 02:30+0200", "10-27 02:30+0100", "10-27 03:30+0100"]
    assert runs("30 * * * *", "Europe/Berlin", "2024-10-27 01:00", 4) == told
    told = ["03-31 01:30+0100", "03-31 03:30+0200"]
    assert runs("30 * * * *", "Europe/Berlin", "2024-03-31 01:00", 2) == told


def test_every_sixth_hour_means_local_times_even_where_midnight_is_skipped():
    told = ["04-25 18:00+0200", "04-26 01:00+0300", "04-26 06:00+0300"]
    assert runs("0 */6 * * *", "Africa/Cairo", "2024-04-25 17:00", 3) == told


def test_half_an_hour_of_change_is_no_matter():
    told = ["04-07 01:45+1100", "04-07 01:45+1030", "04-07 02:45+1030"]
    assert runs("45 * * * *", "Australia/Lord_Howe", "2024-04-07 01:00", 3) == told
    told = ["04-07 02:00+1030", "04-07 02:20+1030", "04-07 02:40+1030", "04-08 02:00+1030"]
    assert runs("*/20 2 * * *", "Australia/Lord_Howe", "2024-04-07", 4) == told


def test_a_run_that_the_clocks_skip_before_midnight_comes_at_midnight():
    told = ["03-29 23:30-0200", "03-31 00:00-0100", "03-31 23:30-0100"]
    assert runs("30 23 * * *", "America/Nuuk", "2024-03-29 12:00", 3) == told


def test_a_day_that_a_country_left_out_is_made_up_for_when_it_is_over():
    told = ["12-29 12:30-1000", "12-31 00:00+1400", "12-31 12:30+1400"]
    assert runs("30 12 * * *", "Pacific/Apia", "2011-12-29", 3) == told


# -- the rule, in every zone over ten years ----------------------------------------------------------


@cache
def changes(zone: str) -> list[datetime]:
    """The minutes from which another offset holds."""
    tz = ZoneInfo(zone)
    days = [FIRST + n * DAY for n in range((LAST - FIRST) // DAY)]
    offsets = [day.astimezone(tz).utcoffset() for day in days]
    found = []
    for day, (early, late) in zip(days, pairwise(offsets), strict=False):
        if early != late:
            minutes = (day + n * MINUTE for n in range(1, 24 * 60 + 1))
            found.append(next(m for m in minutes if m.astimezone(tz).utcoffset() != early))
    return found


@cache
def changing() -> list[str]:
    """The zones whose clocks change within the ten years."""
    weeks = [FIRST + n * 7 * DAY for n in range((LAST - FIRST) // (7 * DAY))]
    return [
        zone
        for zone in ZONES
        if len({week.astimezone(ZoneInfo(zone)).utcoffset() for week in weeks}) > 1
    ]


@dataclass(frozen=True)
class Spec:
    """One field of an expression: its text, and the numbers it stands for."""

    text: str
    numbers: frozenset[int]


def spec(low: int, high: int) -> st.SearchStrategy[Spec]:
    """A field as people write it: any, a step, a range, a list."""
    one = st.integers(low, high)
    whole = range(low, high + 1)
    return st.one_of(
        st.just(Spec("*", frozenset(whole))),
        st.integers(2, 30).map(lambda n: Spec(f"*/{n}", frozenset(whole[::n]))),
        st.tuples(one, one).map(sorted).map(
            lambda r: Spec(f"{r[0]}-{r[1]}", frozenset(range(r[0], r[1] + 1)))
        ),
        st.sets(one, min_size=1, max_size=4).map(
            lambda s: Spec(",".join(map(str, sorted(s))), frozenset(s))
        ),
    )  # fmt: skip


def around(change: datetime, zone: ZoneInfo) -> st.SearchStrategy[Spec]:
    """The hours that a change of the clocks skips, repeats or borders on."""
    before, after = shown(change - MINUTE, zone), shown(change, zone)
    hours = sorted({before.hour, after.hour, (after - MINUTE).hour})
    return st.sets(st.sampled_from(hours), min_size=1, max_size=2).map(
        lambda s: Spec(",".join(map(str, sorted(s))), frozenset(s))
    )


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    """A moment near a change of the clocks, where the zone has one."""
    found = changes(zone)
    if not found:
        return FIRST + draw(st.integers(0, (LAST - FIRST) // MINUTE)) * MINUTE
    return draw(st.sampled_from(found))


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def oracle(
    minute: Spec, hour: Spec, weekday: Spec, zone: ZoneInfo, minutes: list[datetime]
) -> set[datetime]:
    """Which of ``minutes`` are runs, by the rule and nothing but the clock's face at each of them."""
    faces = [shown(moment, zone) for moment in minutes]

    def matches(face: datetime) -> bool:
        day = (face.weekday() + 1) % 7
        return (
            face.minute in minute.numbers and face.hour in hour.numbers and day in weekday.numbers
        )

    if len(hour.numbers) == 24:
        return {m for m, face in zip(minutes, faces, strict=True) if matches(face)}
    found, face = set(), faces[0]
    while face <= faces[-1]:
        if matches(face):
            found.add(next(m for m, seen in zip(minutes, faces, strict=True) if seen >= face))
        face += MINUTE
    return found


@settings(max_examples=200, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(data=st.data(), minute=spec(0, 59))
def test_in_every_zone_each_local_time_runs_once_and_elapsed_time_runs_by_the_clock(data, minute):
    zone = data.draw(st.sampled_from(changing()) | st.sampled_from(ZONES))
    middle = data.draw(moments(zone))
    near = around(middle, ZoneInfo(zone))
    hour = data.draw(near | near | spec(0, 23))
    weekday = data.draw(st.just(Spec("*", frozenset(range(7)))) | spec(0, 6))
    minutes = [middle + n * MINUTE for n in range(-14 * 60, 14 * 60)]
    wanted = oracle(minute, hour, weekday, ZoneInfo(zone), minutes)
    # What the oracle says of its first and last hours may have happened outside its window.
    first, last = middle - 10 * HOUR, middle + 10 * HOUR
    wanted = {moment for moment in wanted if first < moment <= last}
    recurrence = Recurrence.parse(f"{minute.text} {hour.text} * * {weekday.text}", zone)
    got = [*takewhile(lambda m: m <= last, recurrence.upcoming(first))]
    assert got == sorted(wanted)
    # Asked from anywhere, in either pass of a repeated hour, the answer is the same.
    start = middle + timedelta(seconds=data.draw(st.integers(-2 * 3600, 2 * 3600)))
    later = [moment for moment in got if moment > start]
    if later:
        assert recurrence.next_after(start) == later[0]


@settings(max_examples=40, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    year=st.integers(2020, 2029),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
)
def test_a_daily_run_comes_once_for_every_day_of_a_year_in_every_zone(zone, year, hour, minute):
    recurrence = Recurrence.parse(f"{minute} {hour} * * *", zone)
    new_year = datetime(year, 1, 1, tzinfo=ZoneInfo(zone))
    found = takewhile(
        lambda m: m.astimezone(ZoneInfo(zone)).year == year,
        recurrence.upcoming(new_year - timedelta(seconds=1)),
    )
    days = [datetime.combine(day, time(hour, minute)) for day in _days_of(year)]
    late = [shown(one, ZoneInfo(zone)) - day for one, day in zip(found, days, strict=True)]
    assert all(timedelta() <= one <= HOUR for one in late)
    assert sum(one > timedelta() for one in late) <= 2


def _days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += DAY


@settings(max_examples=60, deadline=None)
@given(minute=spec(0, 59), hour=spec(0, 23), span=st.integers(0, 5000), most=st.integers(1, 150))
def test_the_latest_times_of_a_span_are_the_end_of_all_of_them(minute, hour, span, most):
    recurrence = Recurrence.parse(f"{minute.text} {hour.text} * * *", "Europe/Berlin")
    first = datetime(2024, 3, 30, tzinfo=UTC)
    last = first + span * MINUTE
    before = recurrence.upcoming(first - timedelta(microseconds=1))
    assert recurrence.latest(first, last, most) == [*takewhile(lambda m: m <= last, before)][-most:]


# -- what cannot be read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cron", "named"),
    [
        ("123 * * * *", "'123' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 1,32 * *", "'32' is no day of month"),
        ("0 0 * JANUARY *", "'JANUARY' is no month"),
        ("0 0 * * MON-FRY", "'MON-FRY' is no day of week"),
        ("*/0 * * * *", "'*/0' is no minute"),
        ("5,,6 * * * *", "'' is no minute"),
        ("0 0 30 2 *", "day of month"),
        ("* * */20 * 1L", "no day in 50 years"),
        ("* * * *", "has 4 fields"),
        ("0 0 0 * * *", "has 6 fields"),
        ("", "has 0 fields"),
        ("9" * 5000 + " * * * *", "at most 200 characters"),
        ("@reboot", "@hourly"),
    ],
)
def test_a_bad_expression_is_refused_and_its_faulty_part_named(cron, named):
    with pytest.raises(InputError) as refused:
        Recurrence.parse(cron, "UTC")
    assert named in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("zone", ["Europe/Berln", "../etc/passwd", "Europe", "", "+02:00", "a\0b"])
def test_a_zone_that_is_none_is_refused_with_names_that_are_like_it(zone):
    with pytest.raises(InputError, match="is no IANA time zone"):
        Recurrence.parse("0 0 * * *", zone)
    with pytest.raises(InputError, match="Europe/Berlin"):
        Recurrence.parse("0 0 * * *", "Europe/Berln")


def test_an_alias_is_the_expression_it_stands_for():
    assert runs("@daily", "Europe/Berlin", "2024-01-01 12:00", 1) == ["01-02 00:00+0100"]
    assert runs("@Weekly", "Europe/Berlin", "2024-01-01 12:00", 1) == ["01-07 00:00+0100"]
    assert runs("@yearly", "Europe/Berlin", "2024-01-01 12:00", 1) == ["01-01 00:00+0100"]
    assert Recurrence.parse("@monthly", "UTC").cron == "@monthly"


# -- what is done for times that are over ------------------------------------------------------------

QUARTERS = Recurrence.parse("*/15 * * * *", "UTC")
SINCE = datetime(2024, 1, 1, 10, 15, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-01-01T{text}+00:00")


def test_on_time_every_policy_makes_one_job_for_the_time():
    for missed in Missed:
        plan = firing(QUARTERS, missed, SINCE, at("10:15:01"))
        assert plan == ([SINCE], None, at("10:30:00")), missed


def test_after_an_absence_each_policy_does_what_its_name_says():
    now = at("11:02:00")
    times = [at("10:15:00"), at("10:30:00"), at("10:45:00"), at("11:00:00")]
    assert firing(QUARTERS, Missed.ALL, SINCE, now) == (times, None, at("11:15:00"))
    assert firing(QUARTERS, Missed.ONCE, SINCE, now) == (times[3:], None, at("11:15:00"))
    none = firing(QUARTERS, Missed.SKIP, SINCE, now)
    assert none == ([], Dropped(SINCE, now), at("11:15:00"))
    on_time = firing(QUARTERS, Missed.SKIP, SINCE, at("11:01:00"))
    assert on_time == (times[3:], Dropped(SINCE, times[3]), at("11:15:00"))


def test_an_absence_of_years_makes_a_bounded_number_of_jobs_the_latest_ones():
    now = datetime(2034, 1, 1, tzinfo=UTC)
    plan = firing(Recurrence.parse("* * * * *", "Europe/Berlin"), Missed.ALL, SINCE, now)
    assert plan.times == [now - n * MINUTE for n in reversed(range(MOST_MISSED))]
    assert plan.dropped == Dropped(SINCE, plan.times[0])


def test_a_time_that_new_rules_of_its_zone_have_moved_is_neither_lost_nor_doubled():
    daily = Recurrence.parse("0 10 * * *", "UTC")
    now_earlier = firing(daily, Missed.ONCE, at("11:00:00"), at("11:00:00"))
    assert now_earlier == ([at("10:00:00")], None, at("10:00:00") + DAY)
    now_later = firing(daily, Missed.ONCE, at("09:00:00"), at("09:00:00"))
    assert now_later == ([], None, at("10:00:00"))


def test_a_schedule_that_contradicts_itself_is_refused():
    with pytest.raises(InputError, match="overlap to allow"):
        NewSchedule("n", QUARTERS, "enrich", {}, overlap=Overlap.SKIP, missed=Missed.ALL)
    for name in ("", " n", "a\nb", "x" * 101):
        with pytest.raises(InputError, match="schedule's name"):
            NewSchedule(name, QUARTERS, "enrich", {})
