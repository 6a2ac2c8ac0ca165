"""From the documents log to the relational tables.

The SQL of `sql/coverage` does the work over relations computed here, which SQL cannot say well: `forms.urls` (forms and
id of each distinct URL that is asked otherwise than written), `forms.hosts` (the registrable domains of the others'
hosts), `forms.texts` (the texts that are meant otherwise than written: entities undone, in NFC, trimmed) and
`forms.body_links` (the links below the front matter, found by a parser of Markdown or HTML).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.coverage.bodies import BODY_LINK_COLUMNS, BODY_LINKS, bodies_version, body_providers
from pipeline.coverage.forms import HOST_COLUMNS, TEXT_COLUMNS, URL_COLUMNS, form_providers, forms_version
from pipeline.lake.build import Builder
from pipeline.model.urls import SiteBase

__all__ = ["COMPUTED", "Computed", "input_providers", "input_versions"]


@dataclass(frozen=True, slots=True)
class Computed:
    """What the SQL sees of one of them, and the columns that it is computed from."""

    columns: tuple[str, ...]
    made_from: tuple[tuple[str, str], ...]


COMPUTED = {
    "forms.urls": Computed(
        URL_COLUMNS, tuple(("staging.written_urls", column) for column in ("role", "source", "raw"))
    ),
    "forms.hosts": Computed(HOST_COLUMNS, (("staging.first_uses", "raw"),)),
    "forms.texts": Computed(TEXT_COLUMNS, (("staging.texts", "role"), ("staging.texts", "raw"))),
    BODY_LINKS: Computed(
        BODY_LINK_COLUMNS, (("staging.accepted_documents", "path"), ("staging.accepted_documents", "body"))
    ),
}


def input_versions(sites: Mapping[str, SiteBase | None]) -> dict[str, str]:
    """The names of the rules by which those relations are made."""
    forms = forms_version(sites)
    return {"forms.urls": forms, "forms.hosts": forms, "forms.texts": forms, BODY_LINKS: bodies_version()}


def input_providers(sites: Mapping[str, SiteBase | None]) -> dict[str, Callable[[Builder], None]]:
    """What puts them into a session when they are first needed."""
    return form_providers(sites) | body_providers()
