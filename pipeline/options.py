"""What the commands have in common: the option that names the settings file, and the settings it names."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pipeline.settings import CONFIG_VARIABLE, NOW_VARIABLE, Settings, load_settings

Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar=CONFIG_VARIABLE, help="The settings file.", show_envvar=True),
]

Now = Annotated[
    str | None, typer.Option("--now", envvar=NOW_VARIABLE, help="Run as if at this ISO time (rehearsals, tests).")
]


def settings_of(config: Path | None) -> Settings:
    """The settings of that file, or of the one that is looked for. Raises SettingsError."""
    if config is not None:
        os.environ[CONFIG_VARIABLE] = str(config.resolve())  # for whatever Dagster loads in processes of its own
    return load_settings(config)
