"""Where everything observed is kept: three append-only Delta logs, and snapshots of the tables derived from them.

A log only grows; an append is one atomic commit. A snapshot is plain Parquet behind a pointer replaced last, so a
reader sees one refresh, whole, or the one before. A DuckDB session over both runs the SQL of `sql/`.
"""
