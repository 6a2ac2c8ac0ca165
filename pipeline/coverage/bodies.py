"""The links below the front matter, given to the SQL as `forms.body_links`: one row a document that may have any.

Each body is read once. What was found is kept beside the tables, by the id of its meaning, until the rules change; a
refresh reads the bodies that are new, a few megabytes at a time.
"""

import hashlib
import sys
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.coverage.markup import MAYBE_LINKS, MOST_CHARACTERS, links_in
from pipeline.lake.build import Builder

BODY_LINKS = "forms.body_links"
BODY_LINK_COLUMNS = ("version_id", "links", "is_searched")
_BATCH_CHARACTERS = 4 << 20
_LINKS = pa.list_(pa.struct({"line": pa.int32(), "column": pa.int32(), "raw": pa.string()}))

_BEGIN = """
create table forms.body_links (
    version_id varchar,
    links struct(line integer, "column" integer, raw varchar)[],
    is_searched boolean
)
"""
_TAKE_OVER = """
insert into forms.body_links
select version_id, links, is_searched
from forms.kept_body_links
semi join staging.accepted_documents using (version_id)
"""
_WAITING = """
create temp table waiting as
select
    version_id,
    path,
    if(length(body) <= $longest, body, null) as body,
    (sum(least(length(body), $longest)) over (order by version_id rows unbounded preceding) // $batch)::integer as batch
from staging.accepted_documents
anti join forms.body_links using (version_id)
where regexp_matches(body, $maybe)
"""


def bodies_version() -> str:
    """Names the rules that find links: their code and the parsers they lean on."""
    digest = hashlib.sha256(f"{sys.version_info[:3]} {version('markdown-it-py')}\n".encode())
    digest.update(files("pipeline.coverage").joinpath("markup.py").read_bytes())
    digest.update(files("pipeline.model").joinpath("text.py").read_bytes())
    return digest.hexdigest()[:32]


def body_providers() -> dict[str, Callable[[Builder], None]]:
    """What puts `forms.body_links` into a session: of a version its links, with line and column of the body."""
    return {BODY_LINKS: _give_body_links}


def _give_body_links(builder: Builder) -> None:
    builder.need("staging.accepted_documents")
    session = builder.session
    session.run(_BEGIN)
    kept = builder.kept(BODY_LINKS)
    if kept:
        session.attach_table("forms.kept_body_links", [kept])
        session.run(_TAKE_OVER)
    known = session.value("select count(*) from forms.body_links")
    session.run(_WAITING, {"longest": MOST_CHARACTERS, "batch": _BATCH_CHARACTERS, "maybe": MAYBE_LINKS})
    batches = session.run("select distinct batch from waiting order by batch")
    for (batch,) in batches:
        session.give("forms.found_links", _search(session.table("from waiting where batch = ?", [batch])))
        session.run("insert into forms.body_links select version_id, links, is_searched from forms.found_links")
    session.run("drop table waiting")
    if batches or not kept or known != pq.read_metadata(kept).num_rows:
        builder.keep(BODY_LINKS, ["version_id"])


def _search(bodies: pa.Table) -> pa.Table:
    """A row for each of `bodies`; no links where the body was too long to be read."""
    found = [
        None
        if body is None
        else [{"line": at.line, "column": at.column, "raw": at.target} for at in links_in(body, suffix)]
        for suffix, body in zip(
            (PurePosixPath(path).suffix.lower() for path in bodies["path"].to_pylist()),
            bodies["body"].to_pylist(),
            strict=True,
        )
    ]
    return pa.table(
        {
            "version_id": bodies["version_id"],
            "links": pa.array(found, _LINKS),
            "is_searched": bodies["body"].is_valid(),
        }
    )
