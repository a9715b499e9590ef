"""What of a Markdown file does not depend on its language: code, figures, links, and the order of things."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(^|\s+)#\s.*")


@dataclass(frozen=True)
class Section:
    """One heading, and everything below it as far as the next."""

    title: str
    text: str
    folder: Path

    @property
    def level(self) -> int:
        """Of the heading."""
        return len(self.title) - len(self.title.lstrip("#"))

    @property
    def code(self) -> list[tuple[str, str]]:
        """Language and content of each block, comments left out where people run it."""
        blocks = [(match[1], match[2]) for match in _FENCE.finditer(self.text)]
        return [(word, _commands(content) if word == "sh" else content) for word, content in blocks]

    @property
    def prose(self) -> str:
        """The rest."""
        return _FENCE.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """Words set as code, in the order of the alphabet: a sentence may be turned round."""
        return sorted(" ".join(span.split()) for span in re.findall(r"`([^`]+)`", self.prose))

    @property
    def links(self) -> list[str]:
        """Where links lead, wherever the file itself lies."""
        targets = re.findall(r"\]\(([^)]+)\)", self.prose)
        return sorted(each if "://" in each else str((self.folder / each).resolve()) for each in targets)

    @property
    def rows(self) -> list[list[list[str]]]:
        """Each row of the tables as cells, each cell as its figures and its words set as code."""
        lines = [line for line in self.prose.splitlines() if line.startswith("|")]
        return [[_fixed(cell) for cell in line.strip("|").split("|")] for line in lines]

    @property
    def figures(self) -> list[str]:
        """Numbers of the prose, code and tables apart."""
        return figures("\n".join(line for line in self.prose.splitlines() if not line.startswith("|")))

    @property
    def items(self) -> list[str]:
        """The beginnings of list items and of paragraphs in bold type, without their words."""
        return re.findall(r"^(\d+\.|-|\*\*)(?=[ \S])", self.prose, re.MULTILINE)


def sections(file: Path) -> list[Section]:
    """Cut a file at its headings; what looks like one inside code is none."""
    text = file.read_text(encoding="utf-8")
    blocks = [match.span() for match in _FENCE.finditer(text)]
    starts = [
        match.start()
        for match in re.finditer(r"^#+ ", text, re.MULTILINE)
        if not any(first <= match.start() < last for first, last in blocks)
    ]
    cuts = [text[first:last] for first, last in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [Section(cut.splitlines()[0], "\n".join(cut.splitlines()[1:]) + "\n", file.parent) for cut in cuts]


def figures(text: str) -> list[str]:
    """Numbers in a text, words set as code left out, in the order of their size as text."""
    return sorted(re.findall(r"[−+]?\d[\d,.]*(?<![,.])", re.sub(r"`[^`]+`|\]\([^)]+\)", "", text)))


def _fixed(cell: str) -> list[str]:
    return [*sorted(re.findall(r"`([^`]+)`", cell)), *figures(cell)]


def _commands(content: str) -> str:
    return "\n".join(_COMMENT.sub("", line) for line in content.splitlines())
