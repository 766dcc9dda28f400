"""The ``glaze`` command as a user runs it: a process of its own against a sandbox of its own."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEADLINE_S = 180  # hang detection, not a speed claim


class Sandbox:
    """A running sandbox and what it says of itself."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, route: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/_sandbox/{route}", timeout=10) as answer:
            return json.load(answer)

    def send(self, method: str, route: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/_sandbox/{route}",
            data,
            {"Content-Type": "application/json"},
            method=method,
        )
        urllib.request.urlopen(request, timeout=10).close()

    def slow_down(self, delay_s: float) -> None:
        """Let every paid vendor take its time, so that a run can be caught in the middle."""
        for vendor in ("apollo", "serper"):
            self.send("POST", "faults", {"kind": "slow", "vendor": vendor, "delay_s": delay_s})

    @property
    def billed_micros(self) -> int:
        return sum(bill["micros"] for bill in self.get("billing"))


@contextmanager
def running_sandbox(companies: int = 200) -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "glaze_sandbox", "--port=0", f"--companies={companies}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Sandbox(json.loads(process.stdout.readline())["url"])
        finally:
            process.terminate()


class Cli:
    """Runs ``glaze`` in a folder, with a database and a sandbox."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.environment = {**kept, "NO_COLOR": "1", "COLUMNS": "200", **environment}

    def start(self, *arguments: str, stdin: int | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "glaze.cli", *arguments],
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: int = 0) -> "Ran":
        process = self.start(*arguments)
        return ended(process, code=code)


class Ran:
    """What a command printed."""

    def __init__(self, out: str, err: str) -> None:
        self.out, self.err = out, err


def ended(process: "subprocess.Popen[str]", *, code: int | None = 0) -> Ran:
    out, err = process.communicate(timeout=DEADLINE_S)
    if code is not None:
        assert process.returncode == code, f"exit code {process.returncode}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return Ran(out, err)


def environment(dsn: str, sandbox: Sandbox) -> dict[str, str]:
    """The settings of a run against a sandbox; leases short, so that rescue is quick."""
    keys = ("APOLLO_API_KEY", "SEARCH_API_KEY", "LINKEDIN_API_KEY", "LLM_API_KEY")
    return {
        "DATABASE_URL": dsn,
        "GLAZE_SANDBOX_URL": sandbox.url,
        "GLAZE_LEASE_S": "3",
        "GLAZE_HEARTBEAT_S": "1",
        **dict.fromkeys(keys, "sandbox-test"),
    }


def write_world(
    path: Path, rows: int, companies: int = 200, *, kind: str = "companies"
) -> list[str]:
    """Write ``rows`` of the sandbox's companies as CSV and return the lines after the header.

    Args:
        path: The file to write.
        rows: How many.
        companies: The size of the world.
        kind: "companies", or "leads", people that work there.
    """
    command: Sequence[str] = [sys.executable, "-m", "glaze_sandbox", f"--write-csv={path}"]
    subprocess.run(
        [*command, f"--rows={rows}", f"--companies={companies}", f"--kind={kind}"],
        check=True,
        capture_output=True,
    )
    return path.read_text().splitlines()[1:]
