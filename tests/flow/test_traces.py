"""One trace leads from the request over the worker to the vendors, and names nobody."""

import asyncio

import pytest
from cli_process import environment, running_sandbox
from tests.otlp import collecting
from whole_path import Api, free_port, glaze_process, watch, websites

from glaze import traces
from glaze.errors import SettingsError


def test_one_trace_leads_from_the_request_to_the_vendors_and_names_nobody(dsn: str) -> None:
    port = free_port()
    with running_sandbox(companies=20) as sandbox, collecting() as collector:
        settings = {
            **environment(dsn, sandbox),
            "GLAZE_API_PORT": str(port),
            "GLAZE_HEALTH_PORT": "0",
            "GLAZE_TRACES_URL": f"http://127.0.0.1:{collector.server_port}",
        }
        trace, caller = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
        with glaze_process(settings, "up") as process:
            api = Api(port, dsn)
            watch(lambda: api.get("/healthz"))
            api.headers["traceparent"] = f"00-{trace}-{caller}-01"
            site = websites(sandbox, 1)[0]
            told = api.enrich(
                url=site, required_fields=["company_name"], providers=["apollo"], wait_s=30
            )
            assert told["state"] in {"completed", "partial"}
            process.terminate()
            process.wait(60)
        spans = {
            span.span_id.hex(): span for span in collector.spans if span.trace_id.hex() == trace
        }
    by_name = {span.name: span for span in spans.values()}
    request, job = by_name["POST /enrich"], by_name["job enrich"]
    assert request.parent_span_id.hex() == caller
    assert job.parent_span_id == request.span_id
    asked = [span for span in spans.values() if span.kind == span.SPAN_KIND_CLIENT]
    assert {span.name for span in asked} == {"apollo organization_enrich"}
    assert {span.parent_span_id for span in asked} == {job.span_id}
    everything = b"".join(collector.bodies)
    assert site.removeprefix("https://").encode() not in everything
    assert b"sandbox-test" not in everything


def test_nothing_is_traced_unless_it_is_asked_for() -> None:
    with traces.span("x") as opened:
        assert opened is None
    assert traces.traceparent() is None


async def test_a_collector_that_is_not_there_holds_nothing_up() -> None:
    traces.configure_traces(f"http://127.0.0.1:{free_port()}", "glaze", "0")
    try:
        with traces.span("x") as opened:
            assert opened is not None
            assert traces.traceparent() is not None
    finally:
        async with asyncio.timeout(30):
            await asyncio.to_thread(traces.close_traces)
    assert not traces.tracing()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"pip install glaze\[tracing\]"):
        traces.configure_traces("http://127.0.0.1:1", "glaze", "0")
