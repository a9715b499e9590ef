"""How the JSON files of a model version are written and read: validated, atomic, the same bytes every time.

What does not live here: what each file holds (`schema`, `normalizer`, `vocabulary`, `meta`, `golden`, `manifest`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from two_tower_assets.errors import ArtifactError
from two_tower_assets.home import write_text

REMEDY = "Materialize the artifacts of this version again."


class Document(BaseModel):
    """One JSON file. Unknown keys are kept out of the way, since the files grow by adding."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=(), allow_inf_nan=False)

    omit_null: ClassVar[bool] = False
    """Whether keys without a value are left out instead of written as null."""

    def to_json(self) -> str:
        """Return the file's text: UTF-8, keys in the order they are declared, a newline at the end."""
        return as_json(self.model_dump(mode="json", exclude_none=self.omit_null))

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        write_text(path, self.to_json())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and validate a file.

        Raises:
            ArtifactError: it is missing, is not JSON or lacks what the contract promises.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise ArtifactError("The file does not exist", where=str(path), remedy=REMEDY) from None
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in problem["loc"])
            raise ArtifactError(
                f"The file is not a {cls.__name__}: {place or 'the text'}: {problem['msg']}",
                where=str(path),
                remedy=REMEDY,
            ) from None


def as_json(value: Any) -> str:
    """Return indented JSON in which lists of numbers stay on one line; NaN and the infinities are refused."""
    return _lines(value, "") + "\n"


def _lines(value: Any, indent: str) -> str:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        rows = [f"{deeper}{_scalar(key)}: {_lines(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list, str)) for item in value):
        rows = [f"{deeper}{_lines(item, deeper)}" for item in value]
        return "[\n" + ",\n".join(rows) + f"\n{indent}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
