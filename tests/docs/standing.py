"""What the documented commands run against: a sandbox and an API on free ports, a folder of their own."""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glaze.settings import environment_names
from tests.docs.reading import ROOT

PATIENCE_S = 120
ROWS = 9
"""How many lines of the example files are used here: the commands are what is tried."""
STAND_IN = "orblomar-works.com"
"""A company of the sandbox's, for the documents' example.com."""
PAGE = '<html><head><meta property="og:site_name" content="Example Ltd"></head><body>Hello</body></html>'


@dataclass(frozen=True)
class Standing:
    """A folder, an environment, and where the API and the sandbox listen."""

    folder: Path
    environment: dict[str, str]
    api_port: int
    sandbox_port: int

    def words(self, command: str) -> list[str]:
        """Return the words of a documented command, with the ports and the site of this place."""
        for there, here in (
            ("localhost:3001", f"127.0.0.1:{self.api_port}"),
            ("localhost:9400", f"127.0.0.1:{self.sandbox_port}"),
            ("--port 9400", "--port 0"),
            ("//example.com", f"//{STAND_IN}"),
        ):
            command = command.replace(there, here)
        return shlex.split(command)

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command of ours to its end."""
        return subprocess.run(
            [program(words[0]), *words[1:]],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    @contextlib.contextmanager
    def running(self, words: list[str]) -> Iterator[subprocess.Popen[str]]:
        """Run a command that goes on until it is interrupted, as Ctrl-C does."""
        with subprocess.Popen(
            [program(words[0]), *words[1:]],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                os.killpg(process.pid, signal.SIGINT)
                process.communicate(timeout=PATIENCE_S)


def program(name: str) -> str:
    """Return the path of a command that is installed beside this Python."""
    return str(Path(sys.executable).with_name(name))


@contextlib.contextmanager
def standing(folder: Path, dsn: str) -> Iterator[Standing]:
    """Start a sandbox; yield a place whose commands reach it and the database ``dsn``."""
    (folder / "examples").mkdir()
    for file in (ROOT / "examples").glob("*.csv"):
        first = file.read_text("utf-8").splitlines(keepends=True)[:ROWS]
        (folder / "examples" / file.name).write_text("".join(first), "utf-8")
    (folder / "page.html").write_text(PAGE)
    ours = {*environment_names()}
    plain = {k: v for k, v in os.environ.items() if k not in ours and not k.startswith("GLAZE_")}
    bare = Standing(folder, plain, free_port(), 0)
    with bare.running([*shlex.split("glaze sandbox --port 0")]) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        port = int(url.rpartition(":")[2])
        keys = ("APOLLO_API_KEY", "SEARCH_API_KEY", "LINKEDIN_API_KEY", "LLM_API_KEY")
        settings = dict.fromkeys(keys, "sandbox-docs") | {
            "DATABASE_URL": dsn,
            "GLAZE_SANDBOX_URL": url,
            "GLAZE_API_PORT": str(bare.api_port),
            "GLAZE_DATA_DIR": str(folder / "data"),
        }
        yield Standing(folder, plain | settings, bare.api_port, port)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(port: int) -> None:
    """Return once something listens on ``port``."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < give_up, f"nobody listens on {port}"
            time.sleep(0.05)  # another process tells nobody when it listens
        else:
            return


def _part(name: str, value: str, folder: Path) -> bytes:
    """Return one part of a form; ``@file`` is a file's content."""
    told, content = f'form-data; name="{name}"', value.encode()
    if value.startswith("@"):
        told, content = f'{told}; filename="{value[1:]}"', (folder / value[1:]).read_bytes()
    return f"--{BOUNDARY}\r\nContent-Disposition: {told}\r\n\r\n".encode() + content + b"\r\n"


BOUNDARY = "a-part-ends-here"


def curl(words: list[str], folder: Path) -> int:  # noqa: C901  a case for each option
    """Send what a ``curl`` command line says, with files of ``folder``, and return the status."""
    url, method, headers, data = "", None, {}, None
    form: list[bytes] = []
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-s" | "-si" | "-sN":
                continue
            case "-X":
                method = next(rest)
            case "-d":
                data = next(rest).encode()
            case "--data-binary":
                data = (folder / next(rest).removeprefix("@")).read_bytes()
            case "-F":
                name, _, value = next(rest).partition("=")
                form.append(_part(name, value, folder))
            case "-H":
                name, _, value = next(rest).partition(":")
                headers[name] = value.strip()
            case _:
                assert not word.startswith("-"), f"not known to this test: {word}"
                url = f"http://{word.removeprefix('http://')}"
    if form:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        data = b"".join(form) + f"--{BOUNDARY}--\r\n".encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
