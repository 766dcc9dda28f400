"""The ``glaze`` command as a user runs it: a process of its own against a sandbox of its own."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from multiprocessing.reduction import DupFd
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, Any

import pytest

from glaze.cli.main import main

DEADLINE_S = 180  # hang detection, not a speed claim
SCREEN = {"NO_COLOR": "1", "COLUMNS": "200"}


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
        self.environment = {**kept, **SCREEN, **environment}

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
        """Run one command to its end, in a process that need not import the product first."""
        with TemporaryFile() as out, TemporaryFile() as err:
            given = (arguments, self.folder, self.environment, _Sent(out), _Sent(err))
            process = forks().Process(target=_command, args=given)
            process.start()
            process.join(DEADLINE_S)
            if process.exitcode is None:
                process.kill()
            return _checked(process.exitcode, _text(out), _text(err), code)


class Ran:
    """What a command printed."""

    def __init__(self, out: str, err: str) -> None:
        self.out, self.err = out, err


def ended(process: "subprocess.Popen[str]", *, code: int | None = 0) -> Ran:
    out, err = process.communicate(timeout=DEADLINE_S)
    return _checked(process.returncode, out, err, code)


def _checked(returned: int | None, out: str, err: str, code: int | None) -> Ran:
    if code is not None:
        assert returned == code, f"exit code {returned}\n{out}\n{err}"
    assert "Traceback" not in err, err
    return Ran(out, err)


@cache
def forks() -> ForkServerContext:
    """Return a server of processes that have imported the product: that takes longer than most commands."""
    context = get_context("forkserver")
    installed = {point.module for point in entry_points(group="glaze.providers")}
    context.set_forkserver_preload(["glaze.cli.enrich", "glaze.cli.act", *installed, __name__])
    with pytest.MonkeyPatch.context() as patched:
        for name, value in SCREEN.items():  # read when the screen is imported
            patched.setenv(name, value)
        ensure_running()
    return context


class _Sent:
    """An open file that goes to another process."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (DupFd(self._file.fileno()),)


def _received(sent: Any) -> int:
    fd: int = sent.detach()
    return fd


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _command(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], out: int, err: int
) -> None:
    """Be ``glaze`` with these arguments."""
    for fd, stream in ((os.open(os.devnull, os.O_RDONLY), 0), (out, 1), (err, 2)):
        os.dup2(fd, stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["glaze", *arguments]
    main()


QUICK = {
    "GLAZE_LEASE_S": "2",
    "GLAZE_HEARTBEAT_S": "0.5",
    "GLAZE_POLL_S": "0.2",
    # A call that a killed worker left behind is given up after its timeout and 5 s.
    "GLAZE_PROVIDER__WEBSITE__TIMEOUT_S": "8",
    **{
        f"GLAZE_PROVIDER__{name}__TIMEOUT_S": "3"
        for name in ("APOLLO", "SERPER", "LLM", "DNS_MX", "ENRICHLAYER")
    },
    **{f"GLAZE_PROVIDER__{name}__CALLS_PER_MINUTE": "6000" for name in ("APOLLO", "SERPER", "LLM")},
}
"""Settings under which crashes are noticed within seconds and no limit slows a test down."""


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
    path.write_text(_world(rows, companies, kind))
    return path.read_text().splitlines()[1:]


@cache
def _world(rows: int, companies: int, kind: str) -> str:
    with NamedTemporaryFile() as file:
        command = [sys.executable, "-m", "glaze_sandbox", f"--write-csv={file.name}"]
        subprocess.run(
            [*command, f"--rows={rows}", f"--companies={companies}", f"--kind={kind}"],
            check=True,
            capture_output=True,
        )
        return Path(file.name).read_text()
