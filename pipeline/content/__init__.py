"""Front-matter files to rows of the documents log.

A `Tree` lists the files of a source with what tells a change, and reads them (`open_tree`: a folder, a git repository,
an object store); a `Reader` turns a shard of them into Arrow rows, one a file: accepted, rejected with a place and a
reason, or skipped. The typed columns and `leftovers` of a row together hold the parsed mapping exactly: `rebuild` gives
it back. `semantic_sha256` says whether two files mean the same; `site_bases` says where sources are published;
`Intake` reads only what changed, a `Walk` what each commit of a branch changed. Nothing here knows the lake, the
warehouse or Dagster.
"""

from pipeline.content.history import Commit, Read, Walk, timeline
from pipeline.content.intake import Counts, Intake
from pipeline.content.leftovers import rebuild
from pipeline.content.meaning import Rules, semantic_sha256
from pipeline.content.paths import path_bytes, path_text
from pipeline.content.reading import Reader
from pipeline.content.site import site_base, site_bases
from pipeline.content.stat_cache import StatCache
from pipeline.content.trees import Folder, Git, Objects, Tree, open_tree

__all__ = [
    "Commit",
    "Counts",
    "Folder",
    "Git",
    "Intake",
    "Objects",
    "Read",
    "Reader",
    "Rules",
    "StatCache",
    "Tree",
    "Walk",
    "open_tree",
    "path_bytes",
    "path_text",
    "rebuild",
    "semantic_sha256",
    "site_base",
    "site_bases",
    "timeline",
]
