"""What a source looks like from outside, to tell whether anything in it may have changed: no file is read."""

from hashlib import sha256
from pathlib import Path

from pipeline.content.trees import Git, open_tree
from pipeline.settings import Source


def standing(source: Source, copies: Path) -> str:
    """The commit that the branch of a repository stands at, else a hash of every file's name, size and times. Raises
    SourceError where that cannot be learnt."""
    tree = open_tree(source, copies)
    if isinstance(tree, Git):
        return tree.remote_commit()
    found = tree.find(source.include, source.exclude).read_all()
    digest = sha256()
    for batch in found.sort_by("path").to_batches():
        digest.update(repr(batch.to_pydict()).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
