"""Publish a built warehouse: make its file immutable, then flip the symlink that everyone opens."""

import os
from pathlib import Path

from pipeline.errors import WarehouseError
from pipeline.warehouse.building import BUILDING


def publish_warehouse(built: Path, link: Path, keep: int) -> Path:
    """The published file: read-only, on disk, and what `link` names from now on. All but the last `keep` are pruned;
    a reader that still has an old one open keeps it.

    Raises WarehouseError where the folder cannot be written; then `link` still names the last good one.
    """
    target = built.with_name(built.name.removesuffix(BUILDING))
    temporary = link.with_name(link.name + ".new")
    try:
        _sync(built)
        built.chmod(0o444)
        built.replace(target)
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(Path(target.parent.name) / target.name)
        temporary.replace(link)
        _sync(link.parent)
        _prune(target.parent, target, keep)
    except OSError as error:
        raise WarehouseError(
            f"{target}: the warehouse cannot be published: {error.strerror}; {link} still names the last good one"
        ) from error
    return target


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
