"""upload-artifact and download-artifact: what lies at the declared paths, kept under a name and put back.

As the actions do it: the deepest folder that holds all paths is the artifact's root, a `!` leaves paths out, and
hidden files travel only when that is asked for.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path


def upload(workspace: Path, options: Mapping[str, str], store: Path) -> int:
    """Keep the files at `path` under `name`; return how many there were."""
    lines = [line.strip() for line in options["path"].splitlines() if line.strip()]
    bases = [workspace / line for line in lines if not line.startswith("!")]
    hidden = options.get("include-hidden-files") == "true"
    left_out = {path for line in lines if line.startswith("!") for path in workspace.glob(line[1:])}
    files = [file for base in bases for file in _files(base) if file not in left_out]
    if not hidden:
        files = [file for file in files if not _is_hidden(file.relative_to(workspace))]
    assert files or options.get("if-no-files-found") != "error", f"no files at {lines}"
    root = bases[0] if len(bases) == 1 else _common(bases)
    target = store / options["name"]
    assert not target.exists(), f"an artifact {options['name']} exists"
    for file in files:
        _copy(file, target / file.relative_to(root))
    return len(files)


def download(workspace: Path, options: Mapping[str, str], store: Path) -> int:
    """Put the files of `name` at `path`; return how many there were."""
    source = store / options["name"]
    assert source.is_dir(), f"there is no artifact {options['name']}"
    files = list(_files(source))
    for file in files:
        _copy(file, workspace / options["path"] / file.relative_to(source))
    return len(files)


def _files(base: Path) -> Iterator[Path]:
    return (path for path in sorted(base.rglob("*")) if path.is_file())


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _common(bases: list[Path]) -> Path:
    parents = [set(base.parents) for base in bases]
    return max(set.intersection(*parents), key=lambda path: len(path.parts))


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
