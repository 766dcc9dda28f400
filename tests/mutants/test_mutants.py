"""Each promise's test can fail: the product with one guard taken out fails the test that is named.

A mutant is a copy of the package with a few lines changed, put first on the path of a process that
runs one test. A check tries one or two for each promise, GLAZE_TEST_STORM=1 (`make storm`) all.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import glaze
from tests.storm_only import STORM

PACKAGE = Path(glaze.__file__).parent
ROOT = Path(__file__).parents[2]
GATEWAY = "tests/gateway/test_gateway.py"
LATER = "tests/gateway/test_later.py"
CRASHES = "tests/flow/test_flow_crashes.py"
KILLED = (
    f"{CRASHES}::test_a_worker_killed_at_any_point_of_its_work_loses_nothing_and_buys_nothing_twice"
)
HOOKS_OUT = "tests/flow/test_webhooks_out.py"
HOOKS_IN = "tests/flow/test_hooks_in.py"
MERGE = "tests/unit/test_merge.py"
LIMITS = (
    "tests/gateway/test_limits.py"
    "::test_four_processes_on_one_limit_never_go_over_it_by_grants_or_at_the_vendor"
)
SCHEDULES = "tests/store/test_schedule.py"
CRON = "tests/unit/test_cron.py"
RATES = "tests/unit/test_rates.py"
NAMESAKES = "tests/unit/test_same_company.py"
FITS = (
    "  and a.micros <= least(b.cap_micros, b.meant_micros) - b.spent_micros - b.reserved_micros\n"
)
DEADLINE_S = 180
HOSTILE = (
    "tests/providers/test_llm_hostile.py"
    "::test_nothing_that_a_page_orders_is_kept_and_what_it_states_is[openai]"
)


@dataclass(frozen=True)
class Change:
    """In ``file`` of the package ``before`` becomes ``after``, wherever it stands."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class Mutant:
    """What is taken out, how the failure reads (a pattern), and the test that must fail for it."""

    name: str
    failure: str
    test: str
    changes: tuple[Change, ...]


SESSIONS = "tests/api/test_sessions.py"

MUTANTS = (
    Mutant(
        "a change with a session's cookie needs no token of its page",
        r"assert \(201, .* == \(403, 'csrf_refused'\)|KeyError: 'code'",
        f"{SESSIONS}::test_a_change_that_no_page_of_ours_asks_for_is_refused",
        (
            Change(
                "api/auth.py",
                "    if session is not None and not hmac.compare_digest(\n"
                "        shown.encode(), csrf_token(session).encode()\n"
                "    ):\n",
                "    if session is not None and shown == csrf_token(''):\n",
            ),
        ),
    ),
    Mutant(
        "tries to sign in are counted and nobody is stopped",
        "At index 50 diff",
        f"{SESSIONS}::test_an_address_that_tries_many_accounts_is_stopped_in_every_process",
        (Change("api/signing_in.py", "if tries > most:", "if tries > 10 * most:"),),
    ),
    Mutant(
        "a script that stands in a page of the dashboard runs",
        "unsafe",
        "tests/api/test_dashboard.py"
        "::test_a_file_of_the_build_is_kept_for_ever_and_the_index_never",
        (Change("api/dashboard.py", "script-src 'self'", "script-src 'self' 'unsafe-inline'"),),
    ),
    Mutant(
        "a vendor's key opens wherever it is moved to",
        "DID NOT RAISE",
        "tests/gateway/test_vendor_keys.py"
        "::test_what_is_kept_opens_where_it_was_sealed_and_nowhere_it_was_moved_to",
        (Change("secrets/envelope.py", "_told(context))", "None)"),),
    ),
    Mutant(
        "a key that its vendor repeats is kept with the answer",
        "AssertionError",
        "tests/api/test_vendor_keys.py"
        "::test_a_key_stands_in_no_log_trace_answer_event_or_dump_whatever_its_vendor_does[hunter]",
        (Change("net/vendor.py", "        answer = self._without_echo(answer)\n", ""),),
    ),
    Mutant(
        "the policy of one table is not asked",
        "vendor_key",
        "tests/flow/test_flow_isolation.py"
        "::test_a_workspace_sees_and_changes_no_row_of_another_in_any_table",
        (
            Change(
                "store/migrations/0034_pre_vendor_keys.sql",
                "alter table vendor_key enable row level security;\n",
                "",
            ),
        ),
    ),
    Mutant(
        "a token for one job is not held to it where nobody looks",
        r"assert 200 in \{",
        "tests/api/test_tokens.py::test_a_token_for_one_job_sees_that_job_and_no_other_and_no_list",
        (
            Change(
                "api/auth.py",
                "if found.narrowed is not None and not self._narrowed:",
                "if False:",
            ),
        ),
    ),
    Mutant(
        "an endpoint is dialled wherever its name leads",
        r"AssertionError|TimeoutError",
        f"{HOOKS_OUT}::test_a_name_that_leads_inside_is_never_dialled",
        (
            Change(
                "tasks/courier.py",
                "http.send(request, trusted=False, facts=facts)",
                "http.send(request, trusted=True, facts=facts)",
            ),
            Change(
                "net/client.py",
                "if trusted and (not self._sandboxed or _on_this_machine(request.url)):",
                "if trusted:",
            ),
        ),
    ),
    Mutant(
        "an event that is looked through twice is told twice",
        r"assert 2 == 1",
        f"{HOOKS_OUT}::test_what_is_looked_through_twice_is_told_once",
        (
            Change(
                "store/migrations/0027_pre_webhooks.sql",
                "create unique index webhook_delivery_once",
                "create index webhook_delivery_once",
            ),
            Change(
                "store/sql/webhook.sql",
                "\non conflict (workspace_id, webhook_id, event_id) do nothing",
                "",
            ),
        ),
    ),
    Mutant(
        "a callback's signature is not looked at",
        r"assert \{204, 404|assert \{404, 204|assert \{4.*== \{404\}",
        f"{HOOKS_IN}::test_of_a_thousand_forgeries_none_is_taken_and_each_is_logged",
        (
            Change(
                "providers/clearbit.py",
                "if not secret or not hmac.compare_digest(given.encode(), signed.encode()):",
                "if not secret:",
            ),
        ),
    ),
    Mutant(
        "a callback's body counts whenever it comes",
        r"assert \d+ == 409",
        f"{HOOKS_IN}::test_of_a_thousand_forgeries_none_is_taken_and_each_is_logged",
        (Change("store/due.py", "if await kept.fetchone() is None:", "if False:"),),
    ),
    Mutant(
        "two resellers of one feed are two witnesses",
        r"assert 9\d == \d\d|AssertionError",
        f"{MERGE}::test_two_that_share_an_origin_are_as_sure_as_the_surer_one",
        (
            Change(
                "pipeline/merge.py",
                "else belief.family(seen.provider)",
                "else seen.provider",
            ),
        ),
    ),
    Mutant(
        "two that read one page are two witnesses",
        "AssertionError",
        f"{MERGE}::test_two_that_share_an_origin_are_as_sure_as_the_surer_one",
        (
            Change(
                "pipeline/merge.py",
                "return min(_together(by_family.values()), _together(by_page.values()))",
                "return _together(by_family.values())",
            ),
        ),
    ),
    Mutant(
        "a contradiction counts by half",
        r"assert 0\.\d+ < 0\.05",
        f"{MERGE}::test_where_two_independent_sources_disagree_the_winner_is_right_as_often_as_it_says",
        (
            Change(
                "pipeline/merge.py",
                "(1.0 + support + against)",
                "(1.0 + support + against / 2)",
            ),
        ),
    ),
    Mutant(
        "a source outranks what a person decided",
        "AssertionError",
        f"{MERGE}::test_what_a_person_decided_wins_over_every_source_whatever_its_age",
        (Change("pipeline/merge.py", "    if decided:\n", "    if decided and not scored:\n"),),
    ),
    Mutant(
        "a page's orders to a model are sent along",
        r"assert \[\(.* == \[\]",
        HOSTILE,
        (
            Change(
                "model/inference.py",
                "        text, cut = without_instructions(page.text)",
                "        text, cut = page.text, 0",
            ),
        ),
    ),
    Mutant(
        "a quote need not support its value",
        r"assert \(Reading\(",
        "tests/providers/test_llm.py"
        "::test_a_value_that_its_quote_does_not_state_is_dropped_with_a_note",
        (Change("model/inference.py", "if supports(name, value, own, context):", "if own:"),),
    ),
    Mutant(
        "the request leaves before its intent is committed",
        r"ledger_facts\.py:\d+: AssertionError",
        f"{KILLED}[answered]",
        (
            Change(
                "pipeline/gateway.py",
                "        granted = await bulk[0].books.reserve(sealed)\n",
                """        channel = self._channel(bulk[0])
        early = BoundHttp(
            self._http,
            base_url=channel.base_url,
            key=key,
            deadline=time.monotonic() + question.operation.timeout_s,
            max_requests=1,
        )
        replies = await self._look_up([pending.question for pending in bulk], early)
        self._at("answered")
        granted = await bulk[0].books.reserve(sealed)
""",
            ),
            Change(
                "pipeline/gateway.py",
                "await self._send(going, leave) if going",
                "await self._settle_replies(going, replies, early) if going",
            ),
        ),
    ),
    Mutant(
        "an outcome is written without looking at the token",
        r"assert frozenset\(\{1\}\) == set\(\)",
        "tests/store/test_job.py::test_a_stale_token_changes_nothing",
        (
            Change(
                "store/sql/job.sql",
                "and j.worker_id = e.worker_id and j.claim_no = e.claim_no",
                "",
            ),
        ),
    ),
    Mutant(
        "a batch that has ended counts as written",
        r"assert None == 1",
        "tests/store/test_batch.py"
        "::test_the_same_source_finds_its_batch_until_the_output_of_its_end_was_written",
        (
            Change(
                "store/sql/batch.sql",
                "(state <> 'finished' or written_at is null or written_at < finished_at)",
                "state <> 'finished'",
            ),
        ),
    ),
    Mutant(
        "the credit of a site's maker is the company's to a language model",
        r"assert .* == \(\)",
        "tests/providers/test_llm.py"
        "::test_what_stands_in_the_credit_of_the_sites_maker_is_not_the_companys",
        (
            Change(
                "model/inference.py",
                "    if name in _WHO_AND_WHERE:",
                "    if not name:",
            ),
        ),
    ),
    Mutant(
        "a model's choice is evidence of its own",
        r"assert .* == ",
        "tests/unit/test_merge.py::test_a_choice_that_no_source_states_any_more_is_no_value",
        (
            Change(
                "pipeline/merge.py",
                "if one.family != _CHOICE or one.form in stated_by",
                "if one.family",
            ),
        ),
    ),
    Mutant(
        "a choice may rest on the words of another value's source",
        r"assert .* == ",
        "tests/providers/test_llm.py"
        "::test_a_choice_is_one_of_the_values_and_rests_on_its_sources_words",
        (
            Change(
                "model/conflict.py",
                "if comparable(name, one.value) == meant and find_quote(quote, words) is not None:",
                "if comparable(name, one.value) == meant:",
            ),
        ),
    ),
    Mutant(
        "a command's lock is none",
        r"assert not True",
        "tests/store/test_lock.py::test_one_holds_a_lock_until_it_lets_go",
        (Change("store/sql/lock.sql", "select pg_advisory_lock(%(key)s)", "select %(key)s"),),
    ),
    Mutant(
        "an attempt is not counted at its claim",
        r"assert .* == ",
        "tests/store/test_job.py::test_a_snooze_gives_the_attempt_back_and_a_retry_does_not",
        (Change("store/sql/job.sql", "claim_no + 1, attempt = attempt + 1,", "claim_no + 1,"),),
    ),
    Mutant(
        "an intent is recorded under another worker's token",
        r"isinstance\(Answer",
        f"{GATEWAY}::test_an_asker_whose_token_is_stale_sends_nothing",
        (
            Change(
                "store/ledger.py",
                'if job is None or (job["worker_id"], job["claim_no"])'
                " != (token.worker_id, token.claim_no):",
                "if job is None or not token:",
            ),
        ),
    ),
    Mutant(
        "an intent is recorded after the lease has passed",
        r"isinstance\(Answer",
        f"{GATEWAY}::test_an_asker_whose_worker_lost_its_lease_sends_nothing",
        (Change("store/ledger.py", 'if not job["lease_holds"]:', "if not job:"),),
    ),
    Mutant(
        "a question may be asked while it is under way",
        r"== \['same@x\.com'\]",
        f"{GATEWAY}::test_500_equal_questions_at_once_are_one_bill",
        (
            Change(
                "store/migrations/0006_pre_selective_indexes.sql",
                "alter table call add constraint generation_once unique (question_id, generation);",
                "",
            ),
            Change(
                "store/ledger.py",
                'return InFlight(row["deadline"])',
                "return Unasked()",
            ),
            Change("pipeline/gateway.py", "if flight in self._flying:", "if not flight:"),
        ),
    ),
    Mutant(
        "the question is not locked while it is judged",
        r"UniqueViolation",
        "tests/gateway/test_ledger.py"
        "::test_two_processes_that_reserve_a_question_at_once_get_one_grant",
        (Change("store/sql/ledger.sql", "order by q.id\nfor update of q", "order by q.id"),),
    ),
    Mutant(
        "a budget may pass its cap",
        r"assert \d+ == 7",
        f"{GATEWAY}::test_a_call_that_does_not_fit_its_budget_is_not_made",
        (
            Change(
                "store/migrations/0003_pre_ledger.sql",
                "constraint never_over_cap check"
                " (reserved_micros + spent_micros - overrun_micros <= cap_micros)",
                "constraint never_over_cap check (cap_micros >= 0)",
            ),
            Change("store/sql/ledger.sql", FITS, ""),
        ),
    ),
    Mutant(
        "eight processes may pass a budget's cap together",
        r"assert \(\d+,\) == \(0,\)",
        "tests/gateway/test_budget_race.py"
        "::test_eight_processes_at_one_budget_never_reserve_and_spend_more_than_its_cap",
        (
            Change(
                "store/migrations/0003_pre_ledger.sql",
                "constraint never_over_cap check"
                " (reserved_micros + spent_micros - overrun_micros <= cap_micros)",
                "constraint never_over_cap check (cap_micros >= 0)",
            ),
            # Looked at before the row is locked, as it was when the statement began.
            Change(
                "store/sql/ledger.sql",
                FITS,
                "  and a.micros <= (select o.cap_micros - o.spent_micros - o.reserved_micros from budget o\n"
                "    where o.workspace_id = b.workspace_id and o.id = b.id)\n",
            ),
            Change("store/ledger.py", 'await conn.execute(_sql["lock_budgets"]', "_ = (None"),
        ),
    ),
    Mutant(
        "what was overrun may be spent once more",
        r"assert \[None, None, None\] == ",
        f"{GATEWAY}::test_a_cap_that_was_overrun_grants_nothing_more",
        (Change("store/sql/ledger.sql", FITS, ""),),
    ),
    Mutant(
        "a price above the reservation is refused",
        r"isinstance\(Declined",
        f"{GATEWAY}::test_a_price_above_the_reservation_is_recorded_while_the_cap_is_full",
        (
            Change(
                "store/sql/ledger.sql",
                "overrun_micros = b.overrun_micros + a.overrun",
                "overrun_micros = b.overrun_micros + a.overrun * 0",
            ),
            Change("pipeline/books.py", "SETTLE_FOR_S = 300.0", "SETTLE_FOR_S = 3.0"),
        ),
    ),
    Mutant(
        "an old intent is still sent",
        r"assert \{'apollo': 1\} == \{\}",
        f"{CRASHES}::test_an_intent_whose_process_froze_before_sending_is_not_sent_when_it_thaws",
        (Change("pipeline/departure.py", "SEND_WITHIN_S = 2.0", "SEND_WITHIN_S = 1e9"),),
    ),
    Mutant(
        "skip_cache ignores what the same job has bought",
        r"assert 3 == \(1 \* 2\)",
        f"{CRASHES}::test_a_job_that_skips_the_cache_and_is_killed_buys_nothing_a_second_time",
        (
            Change(
                "pipeline/run.py",
                "asked_at if args.skip_cache else None",
                "now if args.skip_cache else None",
            ),
            Change("pipeline/inquiry.py", "task.job.created_at if skip", "now if skip"),
        ),
    ),
    Mutant(
        "the feed shows what lies above a running transaction",
        r"one more item: 'slow'",
        "tests/store/test_event.py::test_an_event_committed_out_of_order_reaches_a_resuming_reader",
        (
            Change(
                "store/sql/event.sql",
                "  and e.xid < pg_snapshot_xmin(pg_current_snapshot())\n",
                "",
            ),
        ),
    ),
    Mutant(
        "a slot is free again after its window, without the guard band",
        r"assert \[.* == \[\]",
        f"{LIMITS}[a second]",
        (
            Change(
                "store/sql/limit.sql",
                "secs => f.window_s + f.guard_s)\n  from free",
                "secs => f.window_s)\n  from free",
            ),
        ),
    ),
    Mutant(
        "each process keeps the limit by itself",
        r"assert .* == \[\]",
        f"{LIMITS}[a second]",
        (
            Change(
                "store/limit.py",
                '            "provider": self.name,',
                '            "provider": f"{self.name}{id(self)}",',
            ),
            Change(
                "store/limit.py",
                '            "provider": slots.name,',
                '            "provider": f"{slots.name}{id(slots)}",',
            ),
        ),
    ),
    Mutant(
        "all who ask when an open circuit may be tried are probes",
        r"assert \[.*True, True.*\] == \[True\]",
        "tests/gateway/test_outage.py"
        "::test_of_all_who_ask_when_an_open_circuit_may_be_tried_one_is_the_probe",
        (
            Change(
                "store/sql/limit.sql",
                "    and (probe_until is null or probe_until <= clock_timestamp())\n",
                "",
            ),
        ),
    ),
    Mutant(
        "each process keeps the cap of calls under way by itself",
        r"assert 5 == 0",
        "tests/gateway/test_seats.py"
        "::test_alone_a_process_has_all_seats_and_with_others_an_even_share",
        (
            Change(
                "store/sql/seat.sql",
                "and v.seat <= %(most)s and v.until <= m.at\n",
                "and v.seat <= %(most)s\n",
            ),
        ),
    ),
    Mutant(
        "a process that stood still believes that its seats are its own",
        r"assert not True",
        "tests/gateway/test_seats.py"
        "::test_a_process_that_stood_still_past_its_lease_begins_no_call_and_tells_what_it_has",
        (
            Change(
                "pipeline/seats.py",
                "return time.monotonic() < self._good_until\n",
                "return True\n",
            ),
        ),
    ),
    Mutant(
        "inference is asked anew whenever something else is missing",
        r"\(False, False, False\) ==",
        "tests/gateway/test_inference.py"
        "::test_a_field_that_the_same_pages_did_not_give_is_not_asked_about_again",
        (
            Change(
                "store/ledger.py",
                'set(intent.wanted) <= set(row["covered"])',
                'set(intent.wanted) == set(row["covered"])',
            ),
        ),
    ),
    Mutant(
        "a call of unknown outcome is sent again",
        r"isinstance\(Answer",
        "tests/gateway/test_inference.py::test_a_lost_answer_blocks_the_pages_for_every_field",
        (Change("store/ledger.py", 'return Blocked(CallId(row["call_id"]))', "return Unasked()"),),
    ),
    Mutant(
        "a callback is believed whatever its token",
        r"AssertionError: assert .*Delivery",
        f"{LATER}::test_no_forged_callback_is_taken",
        (
            Change(
                "pipeline/collecting.py",
                "if not hmac.compare_digest(token.encode(), genuine.encode()):",
                "if not hmac or not genuine:",
            ),
        ),
    ),
    Mutant(
        "an answer that somebody is asking for is asked for by the next as well",
        r"assert 1 == 0",
        f"{LATER}::test_a_process_that_dies_while_it_collects_leaves_the_answer_to_the_next"
        "[claimed_due]",
        (Change("store/sql/due.sql", "secs => %(lease_s)s)", "secs => %(lease_s)s * 0)"),),
    ),
    Mutant(
        "what a dead sender left is left until somebody asks",
        r"'sending' == 'unknown'",
        f"{LATER}::test_a_call_of_class_c_stays_unknown_and_blocks",
        (Change("store/due.py", "            if late:\n", "            if late and not late:\n"),),
    ),
    Mutant(
        "a call of class C is asked for again",
        r"== 'unknown'",
        f"{LATER}::test_a_call_of_class_c_stays_unknown_and_blocks",
        (
            Change(
                "store/sql/ledger.sql",
                "resend in ('idempotent', 'collect')",
                "resend in ('idempotent', 'collect', 'never')",
            ),
        ),
    ),
    Mutant(
        "an error at having an answer again frees a call that may have been billed",
        r"assert 'not_billed' == 'pending_vendor'",
        f"{LATER}"
        "::test_an_error_at_having_an_answer_again_does_not_say_that_the_first_was_not_billed",
        (Change("pipeline/collecting.py", " or claimed.handle is None or failing", ""),),
    ),
    Mutant(
        "two settle a call in one statement",
        r"assert \[.* == \[",
        f"{GATEWAY}::test_a_call_that_two_settle_in_one_group_is_settled_once_with_its_values_once",
        (Change("pipeline/books.py", "{one.facts.request_id: place for", "{place: place for"),),
    ),
    Mutant(
        "a reservation does not hold its batch against a stop",
        r"assert 5 == 0",
        "tests/gateway/test_batch_spend.py"
        "::test_a_call_that_is_being_recorded_when_its_batch_is_stopped_is_none_that_came_after",
        (Change("store/sql/ledger.sql", "  for key share of b\n", ""),),
    ),
    Mutant(
        "a price that a vendor has passed is asked at again",
        r"isinstance\(Answer",
        f"{GATEWAY}"
        "::test_a_price_that_was_passed_is_told_and_not_asked_at_until_it_is_raised_or_resumed",
        (Change("store/ledger.py", "intent.price_micros < most", "most < 0"),),
    ),
    Mutant(
        "a call has another key whenever it is sent",
        r"assert 2 == 1",
        f"{LATER}::test_a_call_of_class_a_is_sent_again_under_the_same_key",
        (
            Change("pipeline/naming.py", "import hmac\n", "import hmac\nimport os\n"),
            Change("pipeline/naming.py", "hmac.digest(hash_key,", "hmac.digest(os.urandom(32),"),
        ),
    ),
    Mutant(
        "a callback that is quicker than the promise is forgotten",
        r"'pending_vendor' == 'settled'",
        f"{LATER}::test_a_callback_that_comes_before_the_promise_was_recorded_is_not_lost",
        (
            Change(
                "store/sql/ledger.sql",
                "case when c.poll_at is null then a.wait_s else 0 end",
                "a.wait_s",
            ),
        ),
    ),
    Mutant(
        "a reservation whose COMMIT got no answer is left to expire",
        r"\['sending'\] == \['not_billed'\]",
        "tests/gateway/test_commit_lost.py"
        "::test_an_unsent_call_whose_commit_got_no_answer_does_not_stay_reserved[committed]",
        (
            Change(
                "pipeline/gateway.py",
                "            self.tasks.create_task(bulk[0].books.disown(granted))\n",
                "",
            ),
        ),
    ),
    Mutant(
        "an answer is kept for an entity that was merged away",
        r"E +assert 2 == 1",
        "tests/gateway/test_entities_merged.py::test_an_answer_for_an_entity_that_was_merged"
        "_meanwhile_is_settled_and_kept_for_the_other",
        (
            Change(
                "store/sql/ledger.sql",
                "select e.id, coalesce(e.merged_into, e.id) as entity_id",
                "select e.id, e.id as entity_id",
            ),
        ),
    ),
    Mutant(
        "a pause cancels what runs",
        r"is not paused",
        "tests/flow/test_flow_batches.py"
        "::test_rows_that_run_while_their_batch_is_paused_go_on_after_it_is_resumed",
        (Change("store/ledger.py", "return Refusal.PAUSED if", "return Refusal.CANCELLED if"),),
    ),
    Mutant(
        "a job comes after others without holding them",
        r"\['waiting'\] == \['pending'\]",
        "tests/store/test_dependencies.py"
        "::test_a_child_inserted_while_its_parent_finishes_is_not_stranded",
        (
            Change(
                "store/sql/dependency.sql",
                "order by id for share\n\n-- name: hold_batches",
                "order by id\n\n-- name: hold_batches",
            ),
        ),
    ),
    Mutant(
        "who waits is looked for in the statement that ends the parent",
        r"\['waiting'\] == \['pending'\]",
        "tests/store/test_dependencies.py"
        "::test_a_child_inserted_while_its_parent_finishes_is_not_stranded",
        (
            Change(
                "store/job.py",
                """        closed = await conn.execute(self._sql["finish"], ended)
        # A statement of its own: it sees who came in while the first waited for a parent's lock.
        after = await dependency.successors(conn, ids)
""",
                """        after = await dependency.successors(conn, ids)
        closed = await conn.execute(self._sql["finish"], ended)
""",
            ),
        ),
    ),
    Mutant(
        "a schedule that is due is read without its lock",
        r"assert \[0, .*\] == \[0, 0, ",
        f"{SCHEDULES}::test_two_workers_that_fire_at_once_make_one_job",
        (Change("store/sql/schedule.sql", "for update skip locked", ""),),
    ),
    Mutant(
        "a schedule's jobs are committed before its next time",
        r"assert \(1, 1, 2\) == \(0, 1, 1\)",
        f"{SCHEDULES}::test_a_worker_killed_while_it_fires_has_made_a_job_or_not"
        "_and_the_next_makes_it_one[schedule_fired-0]",
        (
            Change(
                "store/schedule.py",
                "                enqueued = await self._jobs.enqueue_within(conn, new)\n",
                """                enqueued = await self._jobs.enqueue_within(conn, new)
                await conn.execute("commit")
                await conn.execute("begin")
                await conn.execute("select set_config('glaze.workspace', '1', true)")
""",
            ),
        ),
    ),
    Mutant(
        "the second pass of a repeated hour counts like the first",
        r"AssertionError",
        f"{CRON}::test_what_falls_into_the_repeated_hour_runs_once_whenever_one_asks",
        (
            Change(
                "model/cron.py",
                "if (moment := self._first_moment(local)) > start:",
                "if moment := self._first_moment(local):",
            ),
        ),
    ),
    Mutant(
        "what the clocks skip runs as late as it was skipped",
        r"AssertionError",
        f"{CRON}::test_what_falls_into_the_skipped_hour_runs_right_after_it",
        (Change("model/cron.py", "return self._change(before, moment)", "return moment"),),
    ),
    Mutant(
        "a table's policy is left to its owner's goodwill",
        r"E +assert False",
        "tests/flow/test_flow_isolation.py"
        "::test_every_table_has_forced_policies_but_for_the_fleets_own",
        (
            Change(
                "store/migrations/0004_pre_entities.sql",
                "    execute format('alter table %I force row level security', t);\n",
                "",
            ),
        ),
    ),
    Mutant(
        "a workspace's policy lets all rows through",
        r"assert \(1,\) == \(0,\)",
        "tests/flow/test_flow_isolation.py"
        "::test_a_workspace_sees_and_changes_no_row_of_another_in_any_table",
        (
            Change(
                "store/migrations/0004_pre_entities.sql",
                "using (workspace_id = current_workspace())",
                "using (true)",
            ),
        ),
    ),
    Mutant(
        "a bulk row is taken for the question at its place",
        r"assert \[.*\] == \[",
        "tests/providers/test_people_data_labs.py"
        "::test_rows_in_another_order_go_to_their_own_questions",
        (
            Change(
                "providers/people_data_labs.py",
                'named = int_at(item, "metadata", "row")',
                "named = place",
            ),
        ),
    ),
    Mutant(
        "records are believed though they came in another order",
        r"assert False",
        "tests/gateway/test_coalescing.py"
        "::test_rows_that_come_in_another_order_go_to_nobody_elses_question[apollo]",
        (Change("providers/apollo.py", "        or _is_out_of_order(questions, matches)\n", ""),),
    ),
    Mutant(
        "the status of one address is taken for another's",
        r"At index \d diff: '(un)?deliverable'",
        "tests/pipeline/test_mailboxes.py"
        "::test_the_status_of_one_address_is_never_taken_for_anothers",
        (
            Change(
                "pipeline/merge.py",
                "wanted is None or subject_of(seen.source_url) in (None, wanted)",
                "True",
            ),
        ),
    ),
    Mutant(
        "a person's objection ages as a miss does",
        r"Verdict\.MATCH",
        "tests/gateway/test_endpoints.py"
        "::test_a_person_who_objected_is_not_asked_about_again_even_past_the_cache",
        (Change("store/ledger.py", 'if row["verdict"] == Verdict.SUPPRESSED:', "if not row:"),),
    ),
    Mutant(
        "one table is left out when a person is erased",
        r"assert left == \{\}",
        "tests/flow/test_people.py"
        "::test_a_person_is_erased_from_every_table_and_stays_away_while_a_neighbour_keeps_all",
        (Change("store/personal.py", '    "record": _document,\n', ""),),
    ),
    Mutant(
        "of two companies that fit equally well the first is taken",
        r"test_same_company\.py:\d+: AssertionError",
        f"{NAMESAKES}::test_two_that_fit_equally_well_are_none",
        (Change("model/same_company.py", "if len(rivals) > 1:", "if not rivals:"),),
    ),
    Mutant(
        "a company of the same name abroad is taken for the company",
        r"test_same_company\.py:\d+: AssertionError",
        f"{NAMESAKES}::test_without_a_domain_name_and_country_must_both_be_equal",
        (Change("model/same_company.py", " or sought.country != entry.country", ""),),
    ),
    Mutant(
        "another domain does not tell another company",
        r"test_same_company\.py:\d+: AssertionError",
        f"{NAMESAKES}::test_the_domain_decides_whatever_the_name",
        (
            Change(
                "model/same_company.py",
                "Basis.DOMAIN if sought.domain in domains else None",
                "Basis.DOMAIN",
            ),
        ),
    ),
    Mutant(
        "a handle that exists is a profile",
        r"assert 85 == None",
        "tests/providers/test_social.py::test_a_page_must_name_the_company_and_show_its_domain",
        (
            Change("providers/social/evidence.py", "if mark is None:", "if mark == 0:"),
            Change("providers/social/evidence.py", "words if mark in words", "words if not mark"),
        ),
    ),
    Mutant(
        "profiles are fetched whatever robots.txt says",
        r"test_social\.py:\d+: AssertionError",
        "tests/providers/test_social.py::test_robots_txt_is_asked_first_obeyed_and_remembered",
        (
            Change(
                "providers/social/provider.py",
                "rules is None or rules.can_fetch(url, _AGENT)",
                "True",
            ),
        ),
    ),
    Mutant(
        "a privacy service is taken for the owner of a domain",
        r"test_rdap\.py:\d+: AssertionError",
        "tests/providers/test_rdap.py::test_a_cover_is_no_owner_and_its_country_not_the_companys",
        (
            Change(
                "providers/rdap.py",
                "organisation and not _HIDDEN.search(organisation)",
                "organisation",
            ),
        ),
    ),
    Mutant(
        "a guessed account is believed",
        r"test_github\.py:\d+: AssertionError",
        "tests/providers/test_github.py"
        "::test_a_guessed_account_that_does_not_name_the_domain_is_nobody",
        (Change("providers/github.py", "Basis.NAME if known else None", "Basis.NAME"),),
    ),
    Mutant(
        "a job waits for a register's limit, however long",
        r"isinstance\(result, EnrichResult \| Unavailable\)",
        "tests/pipeline/test_run.py"
        "::test_a_job_goes_on_without_a_source_whose_limit_it_is_not_to_wait_for",
        (
            Change(
                "pipeline/gateway.py",
                "Decline.WAIT if question.spec.patient else Decline.BUSY",
                "Decline.WAIT",
            ),
        ),
    ),
    Mutant(
        "a rate on what others had missed counts for all",
        r"assert 0\.0\d* == 0\.5",
        f"{RATES}::test_a_source_that_saw_only_the_hard_ones_is_not_taken_for_a_poor_one",
        (
            Change(
                "pipeline/rates.py",
                "missed = tally.missed & self._paid_givers[tally.field]",
                "missed = frozenset[str]()",
            ),
        ),
    ),
    Mutant(
        "a few calls are taken for a rate",
        r"assert 'b' == 'a'",
        f"{RATES}::test_below_thirty_calls_nothing_is_learned",
        (Change("pipeline/rates.py", "return self.asked >= LEAST", "return self.calls > 0"),),
    ),
    Mutant(
        "nobody is tried who was not asked before",
        r"assert 'a' == 'b'",
        f"{RATES}::test_every_fourth_question_or_so_goes_to_who_may_be_better",
        (Change("pipeline/learned.py", "if experience.is_trial:", "if not known:"),),
    ),
    Mutant(
        "what was learned outranks a fixed order",
        r"test_rates\.py:\d+: AssertionError",
        f"{RATES}::test_what_fills_more_for_a_dollar_waits_for_who_is_named_before_it",
        (
            Change(
                "pipeline/order.py", " and not fixed and self.rules.learned:", " and self.rules:"
            ),
        ),
    ),
    Mutant(
        "a run that is repeated forgets whom it has paid",
        r"test_learned_order\.py:\d+: AssertionError",
        "tests/pipeline/test_learned_order.py"
        "::test_a_run_that_is_repeated_asks_first_whom_it_has_paid_though_the_order_changed",
        (Change("pipeline/run.py", "if task.job.claim_no > 1:", "if task.job.claim_no < 0:"),),
    ),
    Mutant(
        "the cache answers about people whom nobody may be told of",
        r"assert \[200, 200, 200, 200, 200, 200\] == \[422, 200, 422, 200, 422, 200\]",
        "tests/api/test_answering.py::test_of_a_suppressed_person_nothing_is_answered_and_others_are",
        (
            Change(
                "store/job.py",
                "        await _refuse_suppressed(conn, new)\n        ids = await self._keyed_ids(conn, new)\n",
                "        ids = await self._keyed_ids(conn, new)\n",
            ),
        ),
    ),
    Mutant(
        "an answer from the cache takes no heed of the key",
        r"test_answering\.py:\d+: AssertionError",
        "tests/api/test_answering.py::test_one_key_is_one_job_also_for_twenty_who_ask_at_once",
        (
            Change(
                "store/job.py",
                "        ids = await self._keyed_ids(conn, new)\n",
                "        ids = _Keyed({}, {}, {})\n",
            ),
        ),
    ),
    Mutant(
        "a job that was answered from the cache tells its own URL nothing",
        r"test_webhooks_out\.py:\d+: (AssertionError|TimeoutError)|TimeoutError",
        f"{HOOKS_OUT}::test_a_job_that_the_cache_answered_is_told_by_endpoint_and_by_its_own_url",
        (
            Change(
                "store/migrations/0045_pre_ended_from_the_beginning.sql",
                "new.finished_at is not null",
                "new.finished_at is null",
            ),
        ),
    ),
    Mutant(
        "what the product makes for itself is had for the asking",
        r"test_jobs\.py:\d+: AssertionError|KeyError: 'code'",
        "tests/api/test_jobs.py"
        "::test_what_the_product_makes_for_itself_nobody_asks_for_in_any_way[enrich_search]",
        (Change("jobs/enqueue.py", "    if kind.internal:\n", "    if False:\n"),),
    ),
    Mutant(
        "a payment counts as often as it is told of",
        r"'credited'.* == .*'duplicate'",
        "tests/flow/test_searches.py"
        "::test_a_payment_counts_once_if_it_is_signed_fresh_enough_and_for_this_search",
        (
            Change(
                "store/migrations/0048_pre_searches_paid_for.sql",
                "create unique index payment_of_checkout",
                "create index payment_of_checkout",
            ),
        ),
    ),
    Mutant(
        "of two who read the same the second takes back what the first changed",
        r"assert \[200, 200\] == \[200, 412\]",
        "tests/api/test_editing.py"
        "::test_of_two_changes_at_once_that_were_meant_for_the_same_one_is_made[budget]",
        (Change("api/etag.py", "        if self.if_match is None or (", "        if True or ("),),
    ),
    Mutant(
        "two who change what is not there yet do not wait for one another",
        r"assert \(200, None\) == \(412, 'edit_conflict'\)",
        "tests/api/test_editing.py"
        "::test_who_changes_what_is_not_there_yet_waits_for_who_makes_it_at_this_moment",
        (
            Change(
                "store/sql/turns.sql",
                "select pg_advisory_xact_lock(hashtextextended(%(what)s, current_workspace()))",
                "select %(what)s::text",
            ),
        ),
    ),
    Mutant(
        "a suppressed person who comes in by a search is kept and charged for",
        r"test_searches\.py:\d+: (AssertionError|ValueError)",
        "tests/flow/test_searches.py"
        "::test_a_suppressed_person_is_not_shown_and_whom_nobody_could_know_is_not_charged_for_or_kept",
        (
            Change(
                "pipeline/barring.py", "    if not keys or not await", "    if keys or not await"
            ),
        ),
    ),
)


def mutated(folder: Path, mutant: Mutant) -> None:
    """Copy the package to ``folder`` and make the mutant's changes."""
    shutil.copytree(PACKAGE, folder / "glaze", ignore=shutil.ignore_patterns("__pycache__"))
    for change in mutant.changes:
        file = folder / "glaze" / change.file
        text = file.read_text()
        assert change.before in text, f"{change.file} has changed: mend this mutant"
        file.write_text(text.replace(change.before, change.after))


CHECKED = {
    "an outcome is written without looking at the token",
    "a call of unknown outcome is sent again",
    "a budget may pass its cap",
    "a quote need not support its value",
    "a workspace's policy lets all rows through",
}
"""One or two for each promise: a process each takes a check's time, the others are the storm's."""
TRIED = [one for one in MUTANTS if one.name in CHECKED or STORM]


def test_every_mutant_changes_what_is_there_and_names_a_test_that_is():
    """Most are tried by the storm alone: one that has nothing to change would go unnoticed."""
    stale = [one.name for one in MUTANTS if not (changes_something(one) and names_a_test(one))]
    assert stale == []


def changes_something(mutant: Mutant) -> bool:
    """Tell whether each change has its place, and leaves what Python can read."""
    for change in mutant.changes:
        text = (PACKAGE / change.file).read_text()
        changed = text.replace(change.before, change.after)
        if changed == text:
            return False
        if change.file.endswith(".py"):
            compile(changed, change.file, "exec")
    return True


def names_a_test(mutant: Mutant) -> bool:
    file, _, name = mutant.test.partition("::")
    return f"def {name.partition('[')[0]}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("mutant", TRIED, ids=lambda mutant: mutant.name)
def test_a_product_without_the_guard_fails_the_guards_test(
    tmp_path: Path, server_dsn: str, mutant: Mutant
):
    assert_fails(tmp_path, server_dsn, mutant)


def assert_fails(folder: Path, server_dsn: str, mutant: Mutant) -> None:
    """Run a mutant's test on the mutant, in a process of its own: it has to fail, and for that."""
    mutated(folder, mutant)
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "GLAZE_TEST_DATABASE_URL": server_dsn,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", mutant.test],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert re.search(mutant.failure, ran.stdout), ran.stdout
