"""The morning page: a folder of HTML, made from a built warehouse, that needs nothing but a browser.

`statements/*.sql` are what the page asks and what it shows as the SQL behind each table and picture; `sections` says
how each answer is laid out, `pictures` what is drawn of it and `drawing` how that looks, `reading` asks, `writing`
renders `templates/` and replaces the pages. Nothing here knows Dagster.
"""

from pipeline.report.writing import write_report

__all__ = ["write_report"]
