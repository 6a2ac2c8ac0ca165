"""The stages as Dagster assets, one module a stage, each ten lines around functions that know no Dagster.

Every asset works inside the `refresh` resource, which holds the one lock, the clock and the lake for the whole run.
"""
