"""The forms of distinct URLs and texts, computed once each and given to the SQL as `forms.urls` and `forms.texts`."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from importlib.resources import files

import pyarrow as pa

from pipeline.lake.build import Builder
from pipeline.model.text import NEEDS_CLEANING, clean_text
from pipeline.model.urls import SiteBase, url_forms

_FORM_FILES = ("ids.py", "text.py", "urls.py", "tracking_parameters.txt")
_FORM_LIBRARIES = ("can-ada", "tldextract")
"""A new version may parse a URL otherwise, or bring a newer list of public suffixes."""


def forms_version(sites: Mapping[str, SiteBase | None]) -> str:
    """Names the rules that make the forms: their code, their data, the libraries they lean on and the sites'
    addresses."""
    digest = hashlib.sha256(repr(sorted(sites.items(), key=lambda site: site[0])).encode())
    for name in _FORM_FILES:
        digest.update(files("pipeline.model").joinpath(name).read_bytes())
    for name in _FORM_LIBRARIES:
        digest.update(f"{name} {version(name)}\n".encode())
    return digest.hexdigest()[:32]


def form_providers(sites: Mapping[str, SiteBase | None]) -> dict[str, Callable[[Builder], None]]:
    """What puts `forms.urls` and `forms.texts` into a session; relative URLs stand on their source's site."""
    return {"forms.urls": partial(_give_urls, sites), "forms.texts": _give_texts}


def _give_urls(sites: Mapping[str, SiteBase | None], builder: Builder) -> None:
    builder.need("staging.url_uses")
    session = builder.session
    distinct = session.table("select distinct source, raw from staging.url_uses")
    sources, raws = distinct["source"].to_pylist(), distinct["raw"].to_pylist()
    forms = [url_forms(raw, sites.get(source)) for source, raw in zip(sources, raws, strict=True)]
    session.give(
        "forms.url_texts",
        pa.table(
            {
                "source": distinct["source"],
                "raw": distinct["raw"],
                "fetch_url": pa.array([form.fetch_url for form in forms], pa.string()),
                "identity_url": pa.array([form.identity_url for form in forms], pa.string()),
                "host": pa.array([form.host for form in forms], pa.string()),
                "registrable_domain": pa.array([form.registrable_domain for form in forms], pa.string()),
                "problem": pa.array([form.problem for form in forms], pa.string()),
                "stripped_userinfo": pa.array([form.stripped_userinfo for form in forms], pa.bool_()),
            }
        ),
    )
    session.run("create table forms.urls as select *, content_id('url', fetch_url) as url_id from forms.url_texts")


def _give_texts(builder: Builder) -> None:
    builder.need("staging.texts")
    session = builder.session
    unclean = [
        str(row[0])
        for row in session.run("select raw from staging.texts where regexp_matches(raw, ?)", [NEEDS_CLEANING])
    ]
    cleaned = [clean_text(raw) for raw in unclean]
    session.give(
        "forms.texts",
        pa.table(
            {
                "raw": pa.array(unclean, pa.string()),
                "text": pa.array([text.text for text in cleaned], pa.string()),
                "twice_escaped": pa.array([text.twice_escaped for text in cleaned], pa.bool_()),
            }
        ),
    )
    session.run(
        "insert into forms.texts select raw, raw, false from staging.texts where not regexp_matches(raw, ?)",
        [NEEDS_CLEANING],
    )
