"""The forms of what is written otherwise than it is asked or meant, computed once each and given to the SQL.

`forms.urls` has those of the URLs that are not plain, `forms.texts` those of the texts that cleaning changes. Of plain
URLs only the domains of their hosts come from here, as `forms.hosts`; the rest are macros.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from importlib.resources import files

import pyarrow as pa

from pipeline.lake.build import Builder
from pipeline.model.text import clean_text
from pipeline.model.urls import SiteBase, registrable_domain, url_forms

_FORM_FILES = ("ids.py", "text.py", "urls.py", "tracking_parameters.txt")
_FORM_LIBRARIES = ("can-ada", "tldextract")
"""A new version may parse a URL otherwise, or bring a newer list of public suffixes."""

_URLS = pa.schema(
    {
        "role": pa.string(),
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
_TEXTS = pa.schema({"role": pa.string(), "raw": pa.string(), "text": pa.string(), "twice_escaped": pa.bool_()})
URL_COLUMNS = (*_URLS.names, "url_id")
HOST_COLUMNS = (*_HOSTS.names,)
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
    """What puts `forms.urls`, `forms.hosts` and `forms.texts` into a session; relative URLs stand on their source's
    site."""
    return {"forms.urls": partial(_give_urls, sites), "forms.hosts": _give_hosts, "forms.texts": _give_texts}


def _give_urls(sites: Mapping[str, SiteBase | None], builder: Builder) -> None:
    builder.need("staging.written_urls")
    builder.session.give_computed(
        "forms.urls",
        "select distinct role, source, raw from staging.written_urls where not is_plain_url(raw)",
        partial(_forms_of_urls, sites),
        _URLS,
        "*, content_id('url', fetch_url) as url_id",
    )


def _give_hosts(builder: Builder) -> None:
    builder.need("staging.first_uses")
    builder.session.give_computed(
        "forms.hosts",
        "select distinct plain_host(raw) as host from staging.first_uses where is_plain",
        _domains_of_hosts,
        _HOSTS,
    )


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
    builder.session.give_computed("forms.texts", "select role, raw from staging.texts", _changed_texts, _TEXTS)


def _changed_texts(written: pa.RecordBatch) -> pa.RecordBatch:
    texts = zip(written["role"].to_pylist(), written["raw"].to_pylist(), strict=True)
    changed = [(role, raw, *clean) for role, raw in texts if (clean := clean_text(raw)) != (raw, False)]
    columns = zip(*changed, strict=True) if changed else [[]] * len(_TEXTS)
    return pa.record_batch([*map(list, columns)], _TEXTS)
