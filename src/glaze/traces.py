"""Spans from request to worker to vendor call, told to an OpenTelemetry collector; off, they cost a comparison.

The libraries are the extra ``tracing``: ``pip install glaze[tracing]``. Only ids, names, kinds,
providers, statuses and counts are told, never arguments, addresses with queries, or results.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from glaze.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

Attributes: TypeAlias = Mapping[str, str | int]
Role: TypeAlias = Literal["server", "consumer", "client", "internal"]

_provider: "TracerProvider | None" = None


def configure_traces(endpoint: str, service: str, version: str) -> None:
    """Tell spans to the collector at ``endpoint`` (OTLP over HTTP, as http://127.0.0.1:4318).

    Raises: SettingsError where the extra is not installed.
    """
    global _provider  # noqa: PLW0603  one a process, as its logs are
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  optional
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "GLAZE_TRACES_URL is set, but OpenTelemetry is not installed: pip install glaze[tracing]"
        ) from error
    close_traces()
    named = Resource.create({"service.name": service, "service.version": version})
    _provider = TracerProvider(resource=named, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    _provider.add_span_processor(BatchSpanProcessor(exporter))


def close_traces() -> None:
    """Tell what was not told yet, and trace no more."""
    global _provider
    closing, _provider = _provider, None
    if closing is not None:
        closing.shutdown()


def tracing() -> bool:
    """Tell whether anything is traced."""
    return _provider is not None


@contextmanager
def span(
    name: str,
    role: Role = "internal",
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
) -> Iterator["Span | None"]:
    """Trace the block; ``parent`` is a traceparent from elsewhere, else the span that is open here.

    Yields the span, to say more of it, or None where nothing is traced.
    """
    if _provider is None:
        yield None
        return
    from opentelemetry import trace  # noqa: PLC0415  optional
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    context = None
    if parent is not None:
        context = TraceContextTextMapPropagator().extract({"traceparent": parent})
    tracer = _provider.get_tracer("glaze")
    kind = trace.SpanKind[role.upper()]
    with tracer.start_as_current_span(
        name, context, kind, {**(attributes or {})}, record_exception=False
    ) as opened:
        yield opened


def traceparent() -> str | None:
    """Return the span that is open here as W3C's header has it; None where nothing is traced."""
    if _provider is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415  optional
        TraceContextTextMapPropagator,
    )

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")
