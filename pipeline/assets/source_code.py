"""Where the code of an asset stands: its SQL file and the function that makes it, as links into the hosted repository
where this is a checkout of one, as files of this machine else.

Code references are the one part of Dagster's beta that is used: their warnings are kept from every process's log here.
"""

import re
import shutil
import subprocess
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import cast

import dagster as dg

from pipeline.lake.relations import Relation, sql_folder

Asset = dg.AssetsDefinition | dg.AssetSpec
_HOSTED = re.compile(
    r"(?:https?://(?:[^@/\s]*@)?|(?:ssh://)?git@)(git(?:hub|lab)\.[^:/\s]+)(?::\d+/|[:/])(\S+?)(?:\.git)?/?"
)
"""An origin that Dagster has links for; a user and a password in it are left out."""


def sql_reference(found: Relation) -> dict[str, object]:
    """The metadata that points to the relation's SQL."""
    return _reference(str(sql_folder().parent / found.file), found.file)


def python_reference(module: ModuleType) -> dict[str, object]:
    """The metadata that points to a module."""
    return _reference(str(module.__file__), module.__name__)


def _reference(file: str, label: str) -> dict[str, object]:
    with _quiet():
        place = dg.LocalFileCodeReference(file_path=file, line_number=1, label=label)
        return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[place])}


def with_code(assets: Iterable[Asset]) -> list[Asset]:
    """The assets, pointing to the functions that make them too."""
    root = sql_folder().parent
    with _quiet():
        referenced = dg.with_source_code_references([*assets])
        hosted = hosted_at(root)
        if hosted is not None:
            url, commit = hosted
            anchor = dg.AnchorBasedFilePathMapping(root / "sql", "sql")
            referenced = dg.link_code_references_to_git(referenced, url, commit, anchor)
    return cast("list[Asset]", [*referenced])


def hosted_at(root: Path) -> tuple[str, str] | None:
    """The web address of the repository that `root` is a checkout of, and the commit it stands at; None where it is
    none, or nobody knows its pages."""
    if not (root / ".git").exists():
        return None
    origin, commit = _git(root, "config", "--get", "remote.origin.url"), _git(root, "rev-parse", "HEAD")
    hosted = _HOSTED.fullmatch(origin)
    return (f"https://{hosted[1]}/{hosted[2]}", commit) if hosted and commit else None


def _git(root: Path, *arguments: str) -> str:
    program = shutil.which("git")
    if program is None:
        return ""
    asked = [program, "-C", str(root), *arguments]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603  no shell


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        yield
