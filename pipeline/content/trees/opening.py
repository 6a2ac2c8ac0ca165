"""The tree of a source, as its settings name it."""

from pathlib import Path

from pipeline.content.trees.folder import Folder
from pipeline.content.trees.git import Git
from pipeline.content.trees.git_program import Repository
from pipeline.content.trees.objects import Objects
from pipeline.content.trees.tree import Tree
from pipeline.settings import Source


def open_tree(source: Source, copies: Path) -> Tree:
    """The files of the source as they were last fetched; `Tree.updated` fetches them anew. `copies` is the folder of
    all copies."""
    if source.url is not None:
        return Objects(source.url)
    if source.git is not None:
        return Git(source.git, source.branch, Repository(copies / f"{source.name}.git"))
    assert source.path is not None
    return Folder(source.path)
