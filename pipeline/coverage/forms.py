"""The forms of distinct URLs and texts, computed once each and given to the SQL as `forms.urls` and, for the few texts
that are written otherwise than they are meant, `forms.texts`."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from importlib.resources import files

import pyarrow as pa

from pipeline.lake.build import Builder
from pipeline.model.text import NEEDS_CLEANING, clean_text
from pipeline.model.urls import SiteBase, registrable_domain, url_forms

_FORM_FILES = ("ids.py", "text.py", "urls.py", "tracking_parameters.txt")
_FORM_LIBRARIES = ("can-ada", "tldextract")
"""A new version may parse a URL otherwise, or bring a newer list of public suffixes."""

_URLS = pa.schema(
    {
        "source": pa.string(),
        "raw": pa.string(),
        "fetch_url": pa.string(),
        "identity_url": pa.string(),
        "host": pa.string(),
        "registrable_domain": pa.string(),
        "problem": pa.string(),
        "stripped_userinfo": pa.bool_(),
    }
)
_HOSTS = pa.schema({"host": pa.string(), "registrable_domain": pa.string()})
_TEXTS = pa.schema({"raw": pa.string(), "text": pa.string(), "twice_escaped": pa.bool_()})
URL_COLUMNS = (*_URLS.names, "url_id")
TEXT_COLUMNS = (*_TEXTS.names,)


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
    session.run(
        "create table forms.written_urls as select *, is_plain_url(raw) as is_plain"
        " from (select distinct source, raw from staging.url_uses)"
    )
    session.give_computed(
        "forms.urls",
        "select source, raw from forms.written_urls where not is_plain",
        partial(_forms_of_urls, sites),
        _URLS,
        "*, content_id('url', fetch_url) as url_id",
    )
    session.give_computed(
        "forms.hosts",
        "select distinct plain_host(raw) as host from forms.written_urls where is_plain",
        _domains_of_hosts,
        _HOSTS,
    )
    session.run(
        "insert into forms.urls"
        " select source, raw, raw, plain_identity(raw), host, registrable_domain, null, false, content_id('url', raw)"
        " from forms.written_urls inner join forms.hosts on plain_host(raw) = host where is_plain"
    )
    session.run("drop table forms.written_urls; drop table forms.hosts")


def _domains_of_hosts(hosts: pa.RecordBatch) -> pa.RecordBatch:
    return pa.record_batch([hosts["host"], [*map(registrable_domain, hosts["host"].to_pylist())]], _HOSTS)


def _forms_of_urls(sites: Mapping[str, SiteBase | None], written: pa.RecordBatch) -> pa.RecordBatch:
    forms = [
        url_forms(raw, sites.get(source))
        for source, raw in zip(written["source"].to_pylist(), written["raw"].to_pylist(), strict=True)
    ]
    return pa.record_batch([*written.columns, *zip(*forms, strict=True)], _URLS)


def _give_texts(builder: Builder) -> None:
    builder.need("staging.texts")
    builder.session.give_computed(
        "forms.texts",
        f"select raw from staging.texts where regexp_matches(raw, '{NEEDS_CLEANING}')",
        _changed_texts,
        _TEXTS,
    )


def _changed_texts(written: pa.RecordBatch) -> pa.RecordBatch:
    raws = written["raw"].to_pylist()
    changed = [(raw, *clean) for raw, clean in zip(raws, map(clean_text, raws), strict=True) if clean != (raw, False)]
    columns = zip(*changed, strict=True) if changed else [[]] * len(_TEXTS)
    return pa.record_batch([*map(list, columns)], _TEXTS)
