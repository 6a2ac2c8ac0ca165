"""Publish a built warehouse: make its file immutable, then flip the symlink that everyone opens; or flip it back."""

import os
from pathlib import Path

from pipeline.errors import WarehouseError
from pipeline.warehouse.building import BUILDING
from pipeline.warehouse.reading import read_file


def publish_warehouse(built: Path, link: Path, keep: int) -> Path:
    """The published file: read-only, on disk, and what `link` names from now on. All but the last `keep` are pruned;
    a reader that still has an old one open keeps it.

    Raises WarehouseError where the folder cannot be written; then `link` still names the last good one.
    """
    target = built.with_name(built.name.removesuffix(BUILDING))
    try:
        _sync(built)
        built.chmod(0o444)
        built.replace(target)
        _flip(link, target)
        _prune(target.parent, target, keep)
    except OSError as error:
        raise WarehouseError(
            f"{target}: the warehouse cannot be published: {error.strerror}; {link} still names the last good one"
        ) from error
    return target


def roll_back(link: Path) -> Path:
    """The file published before the one that `link` names, which it names from now on. The other one is kept, and so
    are the lake's tables and logs; the next publication replaces what `link` names in any case.

    Raises WarehouseError where no earlier file is kept or the link cannot be replaced.
    """
    current = read_file(link)
    earlier = sorted(file for file in current.parent.glob("*.duckdb") if file.name < current.name)
    if not earlier:
        raise WarehouseError(
            f"{current}: no warehouse published before it is kept in {current.parent}, so {link} still names it;"
            " `warehouse.keep` says how many are"
        )
    try:
        _flip(link, earlier[-1])
    except OSError as error:
        raise WarehouseError(
            f"{link}: cannot be made to name {earlier[-1].name}: {error.strerror}; it still names {current.name}"
        ) from error
    return earlier[-1]


def _flip(link: Path, target: Path) -> None:
    temporary = link.with_name(link.name + ".new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(Path(target.parent.name) / target.name)
    temporary.replace(link)
    _sync(link.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prune(folder: Path, published: Path, keep: int) -> None:
    files = sorted((file for file in folder.glob("*.duckdb") if file != published), reverse=True)
    for old in files[keep - 1 :]:
        old.unlink()
