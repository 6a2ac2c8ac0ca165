"""Newsledger: from a front-matter news archive to a DuckDB analytics store, night after night.

Three append-only logs (documents, link checks, refreshes) hold what was observed; a folder of SQL derives everything
else from them. `assets` put the stages into Dagster, `cli` runs the same job from a terminal.
"""
