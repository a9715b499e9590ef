"""Links from an asset to the code that makes it: the file here, and its page at GitHub or GitLab if one is known."""

from __future__ import annotations

import inspect
import re
import subprocess
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import dagster as dg

from two_tower_assets.training.version import NO_COMMIT, current_commit

_ROOT: Final = Path(__file__).parents[2]
_REMOTE: Final = re.compile(r"(?:https://(?:[^/@]*@)?|git@|ssh://git@)(git(?:hub|lab)\.com)[:/](.+?)(?:\.git)?/?")


def source_link(body: Callable[..., Any]) -> dict[str, Any]:
    """Return the metadata of a definition that leads to a function; Dagster's UI shows it as *Source code*."""
    inner: Any = inspect.unwrap(body)
    file, line = Path(inner.__code__.co_filename), inner.__code__.co_firstlineno
    with warnings.catch_warnings():
        # The classes may change between minor versions of Dagster, of which one is pinned.
        warnings.simplefilter("ignore", dg.BetaWarning)
        references: list[Any] = [dg.LocalFileCodeReference(file_path=str(file), line_number=line)]
        page = _files_page()
        if page is not None and file.is_relative_to(_ROOT):
            references.append(dg.UrlCodeReference(url=f"{page}/{file.relative_to(_ROOT).as_posix()}#L{line}"))
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)}


def repository_page(remote: str) -> str | None:
    """The page of a repository at GitHub or GitLab, without a password that its address may hold; else None."""
    found = _REMOTE.fullmatch(remote)
    return f"https://{found[1]}/{found[2]}" if found else None


@cache
def _files_page() -> str | None:
    """Where this commit's files are shown; None where no page is known."""
    page, commit = repository_page(_remote()), current_commit(None, _ROOT)
    return None if page is None or commit == NO_COMMIT else f"{page}/blob/{commit}"


def _remote() -> str:
    asked = ["git", "remote", "get-url", "origin"]
    try:
        return subprocess.run(asked, cwd=_ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
