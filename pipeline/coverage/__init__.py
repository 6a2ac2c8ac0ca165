"""From the documents log to the relational tables.

The SQL of `sql/coverage` does the work over three relations computed here, which SQL cannot say well: `forms.urls`
(every distinct URL's forms and id), `forms.texts` (every distinct text with its entities undone, in NFC, trimmed) and
`forms.body_links` (the links below the front matter, found by a parser of Markdown or HTML).
"""

from collections.abc import Callable, Mapping

from pipeline.coverage.bodies import BODY_LINKS, bodies_version, body_providers
from pipeline.coverage.forms import form_providers, forms_version
from pipeline.lake.build import Builder
from pipeline.model.urls import SiteBase

__all__ = ["input_providers", "input_versions"]


def input_versions(sites: Mapping[str, SiteBase | None]) -> dict[str, str]:
    """The names of the rules by which those relations are made."""
    forms = forms_version(sites)
    return {"forms.urls": forms, "forms.texts": forms, BODY_LINKS: bodies_version()}


def input_providers(sites: Mapping[str, SiteBase | None]) -> dict[str, Callable[[Builder], None]]:
    """What puts them into a session when they are first needed."""
    return form_providers(sites) | body_providers()
