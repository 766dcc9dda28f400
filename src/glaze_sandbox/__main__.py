"""Runs the sandbox: ``python -m glaze_sandbox --port 9400``."""

import argparse
import asyncio
import json
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from glaze_sandbox.export import write_csv
from glaze_sandbox.server import HOST, serve
from glaze_sandbox.state import State, new_state
from glaze_sandbox.world.population import World

try:  # a faster loop where the platform has one
    import uvloop
except ImportError:
    _NEW_LOOP = asyncio.new_event_loop
else:
    _NEW_LOOP = uvloop.new_event_loop


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal, or write a CSV file; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.write_csv is not None:
        companies = max(options.companies, options.rows if options.kind == "companies" else 0)
        written = write_csv(
            World(options.seed, companies), options.write_csv, options.rows, options.kind
        )
        _say({"file": str(options.write_csv), "rows": written})
        return 0
    with ExitStack() as stack:
        sink = None
        if options.billing_log is not None:
            sink = stack.enter_context(options.billing_log.open("a", encoding="utf-8"))
        state = new_state(options.seed, options.companies, sink)
        try:
            with asyncio.Runner(loop_factory=_NEW_LOOP) as runner:
                runner.run(_serve(state, options.port))
        except OSError as error:
            sys.stderr.write(f"cannot listen on {HOST}:{options.port}: {error.strerror}\n")
            return 1
    return 0


async def _serve(state: State, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with serve(state, port) as running:
        ready = {"url": running.url, "dns": f"{HOST}:{running.port}", "ready": True}
        _say(ready)
        await stop.wait()


def _say(value: object) -> None:
    """Print one line of JSON at once: whoever started the process waits for it."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m glaze_sandbox",
        description="Plays every vendor, the companies' sites and their DNS on 127.0.0.1.",
    )
    parser.add_argument("--port", type=int, default=9400, help="TCP and UDP; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--companies", type=int, default=500)
    parser.add_argument("--billing-log", type=Path, help="JSON lines are appended here")
    parser.add_argument("--write-csv", type=Path, help="write rows of the world and exit")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--kind", choices=("companies", "leads"), default="companies")
    return parser


if __name__ == "__main__":
    sys.exit(main())
