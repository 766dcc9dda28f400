"""What the examples of deployment run starts, is ready where they look, and ends while they wait."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import pytest
import typer
import yaml

from glaze.cli.main import app
from glaze.settings import Settings, environment_names
from tests.docs.reading import ROOT
from tests.docs.standing import PATIENCE_S, free_port, program
from tests.docs.test_metrics import SERIES, named

DEPLOY = ROOT / "examples" / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
MANIFESTS = {
    (one["kind"], one["metadata"]["name"]): one
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for one in yaml.safe_load_all(path.read_text())
}
OF_OTHERS = {"POSTGRES_PASSWORD", "DATABASE_URL"}
DEFAULTS = Settings(_env_file=None)


class Run(NamedTuple):
    """A process of a deployment: its arguments, its settings, how long it is waited for at its end."""

    words: list[str]
    environment: dict[str, str]
    grace_s: float
    probes: list[tuple[int, str]]


def pod(name: str) -> Run:
    spec = MANIFESTS["Deployment", name]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    asked = [
        container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    ]
    probes = [(ports[one["port"]], one["path"]) for one in asked]
    environment = {one["name"]: one["value"] for one in container["env"]}
    return Run(container["args"], environment, spec["terminationGracePeriodSeconds"], probes)


def service(name: str) -> Run:
    told = COMPOSE["services"][name]
    (port, path) = re.search(r"127\.0\.0\.1:(\d+)(/\w+)", told["healthcheck"]["test"][-1]).groups()  # type: ignore[union-attr]
    environment = {k: v for k, v in told["environment"].items() if k != "DATABASE_URL"}
    grace_s = float(told["stop_grace_period"].removesuffix("s"))
    return Run(told["command"], environment, grace_s, [(int(port), path)])


def unit(path: Path) -> Run:
    said = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return Run(shlex.split(said["ExecStart"])[1:], {}, float(said["TimeoutStopSec"]), [])


RUNS = {
    "compose api": service("api"),
    "compose worker": service("worker"),
    "kubernetes api": pod("glaze-api"),
    "kubernetes worker": pod("glaze-worker"),
    **{path.name: unit(path) for path in UNITS},
}


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> dict[str, str]:
    """An environment with a database in which somebody may ask already."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("GLAZE_")}
    told = plain | {"DATABASE_URL": dsn, "GLAZE_DATA_DIR": str(tmp_path)}
    subprocess.run(
        [
            program("glaze"),
            *MANIFESTS["Job", "glaze-init"]["spec"]["template"]["spec"]["containers"][0]["args"],
        ],
        env=told,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    return told


@pytest.mark.parametrize("name", ["kubernetes api", "compose worker"])
def test_what_is_deployed_becomes_ready_where_it_is_looked_at_and_ends_when_told(
    name: str, place: dict[str, str], tmp_path: Path
) -> None:
    run = RUNS[name]
    here = {DEFAULTS.api_port: free_port(), DEFAULTS.health_port: free_port()}
    ports = {
        "GLAZE_API_PORT": str(here[DEFAULTS.api_port]),
        "GLAZE_HEALTH_PORT": str(here[DEFAULTS.health_port]),
    }
    settings = run.environment | {"GLAZE_DATA_DIR": str(tmp_path)} | ports
    with subprocess.Popen(
        [program("glaze"), *run.words], env=place | settings, cwd=tmp_path, stderr=subprocess.PIPE
    ) as process:
        for port, path in run.probes:
            ready(f"http://127.0.0.1:{here[port]}{path}", process)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=run.grace_s)
    assert process.returncode == 0, told.decode()


def ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return once ``url`` answers with 200."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < give_up, url
            time.sleep(0.05)  # another process tells nobody when it listens
        else:
            return


@pytest.mark.parametrize("name", RUNS)
def test_each_runs_a_command_that_there_is_with_settings_that_there_are(name: str) -> None:
    run = RUNS[name]
    command = typer.main.get_command(app).commands[run.words[0]]  # type: ignore[attr-defined]
    command.make_context(run.words[0], run.words[1:]).close()
    assert run.environment.keys() <= environment_names().keys()
    assert run.grace_s > DEFAULTS.shutdown_s, "what runs is killed before its time is over"


def test_no_pod_is_told_of_services_by_variables_that_look_like_settings() -> None:
    for (kind, name), one in MANIFESTS.items():
        if kind in {"Deployment", "Job"}:
            assert one["spec"]["template"]["spec"]["enableServiceLinks"] is False, name


def test_workers_follow_a_metric_that_there_is() -> None:
    scaled = MANIFESTS["ScaledObject", "glaze-worker"]["spec"]
    assert ("Deployment", scaled["scaleTargetRef"]["name"]) in MANIFESTS
    assert named(scaled["triggers"][0]["metadata"]["query"]) <= SERIES
    assert "replicas" not in MANIFESTS["Deployment", "glaze-worker"]["spec"]


def test_the_image_is_built_of_files_that_there_are() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [shlex.split(line)[1:-1] for line in lines if line.startswith("COPY ")]
    sources = [path for words in copied if "--from" not in words[0] for path in words]
    assert sources
    assert [path for path in sources if not (ROOT / path).exists()] == []
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert not {*sources} & {*sent}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for path in UNITS:
        text = path.read_text().replace("/opt/glaze/bin/glaze", program("glaze"))
        (tmp_path / path.name).write_text(text.replace("User=glaze", "User=daemon"))
    told = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.glob("*.service"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")


def test_a_password_and_a_database_are_all_that_compose_wants() -> None:
    asked = {*re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text())}
    assert asked <= OF_OTHERS
