"""From the documents log to the relational tables.

The SQL of `sql/coverage` does the work over two relations computed here on distinct values, which SQL cannot say well:
`forms.urls` (every URL's forms and id) and `forms.texts` (entities undone, NFC, trimmed).
"""

from pipeline.coverage.forms import form_providers, forms_version

__all__ = ["form_providers", "forms_version"]
