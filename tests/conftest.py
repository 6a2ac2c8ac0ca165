"""What several tests stand on: the corpus, small archives written for one test, settings over them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pipeline.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
SEED_SITE = ROOT / "seeds" / "site"


@pytest.fixture
def corpus() -> Path:
    """The folder of real content, where there is one."""
    folder = os.environ.get("NEWSLEDGER_CORPUS")
    if not folder:
        pytest.skip("NEWSLEDGER_CORPUS names no folder of real content")
    return Path(folder)


@pytest.fixture
def sample_site(tmp_path: Path) -> Path:
    """A copy of the sample site that a test may change."""
    return Path(shutil.copytree(SEED_SITE, tmp_path / "site"))


@pytest.fixture
def write_settings(tmp_path: Path) -> Callable[..., Path]:
    """Writes a settings file over the given folder, with its own data_dir, links off and no worker processes."""

    def write(site: Path, **sections: object) -> Path:
        values: dict[str, object] = {
            "data_dir": str(tmp_path / "data"),
            "sources": [{"name": "sample", "path": str(site)}],
            "links": {"enabled": False},
            "executor": {"kind": "serial"},
        }
        file = tmp_path / "newsledger.yaml"
        file.write_text(yaml.safe_dump(values | sections), "utf-8")
        return file

    return write


@pytest.fixture
def settings_for(write_settings: Callable[..., Path]) -> Callable[..., Settings]:
    """The settings that `write_settings` writes, read."""

    def load(site: Path, **sections: object) -> Settings:
        return load_settings(write_settings(site, **sections))

    return load


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the caller's shell reaches a test."""
    for variable in list(os.environ):
        if variable.startswith("NEWSLEDGER_") and variable != "NEWSLEDGER_CORPUS":
            monkeypatch.delenv(variable)
