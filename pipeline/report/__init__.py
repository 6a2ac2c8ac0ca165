"""The morning page: one HTML file, made from a built warehouse, that needs nothing but a browser.

`statements/*.sql` are what the page asks and what it shows as the SQL behind each table; `sections` says how each
answer is laid out, `reading` asks, `writing` renders `templates/` and replaces the page. Nothing here knows Dagster.
"""

from pipeline.report.writing import write_report

__all__ = ["write_report"]
