"""The forms of distinct URLs and texts, computed once each and given to the SQL as `forms.urls` and `forms.texts`."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files

import pyarrow as pa

from pipeline.lake.build import Builder
from pipeline.model.text import NEEDS_CLEANING, clean_text
from pipeline.model.urls import SiteBase, url_forms

_FORM_FILES = ("ids.py", "text.py", "urls.py", "tracking_parameters.txt")

_URL_COLUMNS = (
    "source",
    "raw",
    "fetch_url",
    "identity_url",
    "host",
    "registrable_domain",
    "problem",
    "stripped_userinfo",
    "url_id",
)


def forms_version(sites: Mapping[str, SiteBase | None]) -> str:
    """Names the rules that make the forms: their code, their data and the sites' addresses."""
    digest = hashlib.sha256(repr(sorted(sites.items(), key=lambda site: site[0])).encode())
    for name in _FORM_FILES:
        digest.update(files("pipeline.model").joinpath(name).read_bytes())
    return digest.hexdigest()[:32]


def form_providers(sites: Mapping[str, SiteBase | None]) -> dict[str, Callable[[Builder], None]]:
    """What puts `forms.urls` and `forms.texts` into a session; relative URLs stand on their source's site."""
    return {"forms.urls": partial(_give_urls, sites), "forms.texts": _give_texts}


def _give_urls(sites: Mapping[str, SiteBase | None], builder: Builder) -> None:
    builder.need("staging.url_uses")
    distinct = builder.session.run("select distinct source, raw from staging.url_uses")
    columns: dict[str, list[object]] = {name: [] for name in _URL_COLUMNS}
    for source, raw in distinct:
        assert isinstance(source, str)
        assert isinstance(raw, str)
        forms = url_forms(raw, sites.get(source))
        for name, value in (
            ("source", source),
            ("raw", raw),
            ("fetch_url", forms.fetch_url),
            ("identity_url", forms.identity_url),
            ("host", forms.host),
            ("registrable_domain", forms.registrable_domain),
            ("problem", forms.problem),
            ("stripped_userinfo", forms.stripped_userinfo),
            ("url_id", forms.url_id),
        ):
            columns[name].append(value)
    text = {name: pa.array(columns[name], pa.string()) for name in _URL_COLUMNS if name != "stripped_userinfo"}
    builder.session.give(
        "forms.urls", pa.table(text | {"stripped_userinfo": pa.array(columns["stripped_userinfo"], pa.bool_())})
    )
    builder.session.run("alter table forms.urls alter url_id type uuid")


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
