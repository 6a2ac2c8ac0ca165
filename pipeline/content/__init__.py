"""Front-matter files to rows of the documents log.

`find_files` walks a source and lists its files with their stats; `read_files` turns a shard of them into Arrow rows,
one a file: accepted, rejected with a place and a reason, or skipped. The typed columns and `leftovers` of a row
together hold the parsed mapping exactly: `rebuild` gives it back. `semantic_sha256` says whether two files mean the
same; `site_base` says where a source is published; `Intake` reads only
what changed. Nothing here knows the lake, the warehouse or Dagster.
"""

from pipeline.content.finding import find_files
from pipeline.content.intake import Counts, Intake
from pipeline.content.leftovers import rebuild
from pipeline.content.meaning import Rules, semantic_sha256
from pipeline.content.paths import path_bytes, path_text
from pipeline.content.reading import read_files
from pipeline.content.site import site_base
from pipeline.content.stat_cache import StatCache
from pipeline.content.workers import end_with_parent

__all__ = [
    "Counts",
    "Intake",
    "Rules",
    "StatCache",
    "end_with_parent",
    "find_files",
    "path_bytes",
    "path_text",
    "read_files",
    "rebuild",
    "semantic_sha256",
    "site_base",
]
