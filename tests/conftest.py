"""What several tests stand on: the corpus, small archives written for one test, settings over them."""

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pipeline.settings import Executor, Links, Settings, Source, load_settings
from tests.refreshing import refresh

ROOT = Path(__file__).resolve().parents[1]
SEED_SITE = ROOT / "seeds" / "site"
gc.set_threshold(100_000)  # as the program does


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


def sample_settings(data_dir: Path) -> Settings:
    """Over the sample as it is, without its links and without worker processes."""
    return Settings(
        data_dir=data_dir,
        sources=(Source(name="sample", path=SEED_SITE),),
        links=Links(enabled=False),
        executor=Executor(kind="serial"),
    )


@pytest.fixture(scope="session")
def refreshed_sample(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The sample after one refresh, on the first night of 2026, without its links. For reading: all tests share it."""
    settings = sample_settings(tmp_path_factory.mktemp("refreshed") / "data")
    refresh(settings, "2026-01-01T02:00:00Z")
    return settings


@pytest.fixture
def begun_sample(refreshed_sample: Settings, settings_for: Callable[..., Settings], sample_site: Path) -> Settings:
    """The same, of a copy of the site, for a test to go on from: a lake is copied sooner than made."""
    settings = settings_for(sample_site)
    shutil.copytree(refreshed_sample.data_dir, settings.data_dir, symlinks=True)
    return settings


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
