"""What the docs say is what the program does: generated parts are fresh, commands run."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.links import vocabulary
from pipeline.settings import Links

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def document() -> ModuleType:
    """scripts/document.py, which writes the generated parts."""
    spec = importlib.util.spec_from_file_location("document", ROOT / "scripts" / "document.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_data_dictionary_is_fresh(document: ModuleType) -> None:
    assert (ROOT / "docs" / "tables.md").read_text("utf-8") == document.tables_page(), "run `make docs`"


def test_the_page_of_issues_is_fresh(document: ModuleType) -> None:
    assert (ROOT / "docs" / "issues.md").read_text("utf-8") == document.issues_page(), "run `make docs`"


def test_the_page_of_traps_is_fresh(document: ModuleType) -> None:
    assert (ROOT / "docs" / "traps.md").read_text("utf-8") == document.traps_page(), "run `make docs`"


def test_the_words_of_links_and_the_last_comparison_are_fresh(document: ModuleType) -> None:
    page = (ROOT / "docs" / "links.md").read_text("utf-8")
    assert document.links_page(page) == page, "run `make docs`"


def test_every_word_of_links_is_explained_and_every_setting_of_its_pace(document: ModuleType) -> None:
    assert set(vocabulary.KINDS) == set(vocabulary.Kind)
    assert set(vocabulary.ERRORS) == set(vocabulary.ErrorClass)
    page = (ROOT / "docs" / "links.md").read_text("utf-8")
    shown = re.findall(r"^\| `links\.(\w+)` \| (\S+)", page, re.MULTILINE)
    assert len(shown) == 10
    for name, default in shown:
        value = getattr(Links(), name)
        if isinstance(value, (bool, int, float)):
            assert default == str(value).lower(), name


def test_the_last_measurement_is_shown_as_it_was_kept(document: ModuleType) -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert document.with_block(document.measurement(), page) == page, "run `make docs`"


def test_the_readme_shows_what_make_run_prints(document: ModuleType) -> None:
    assert document.readme_with(document.sample_output(), README) == README, "run `make docs`"


def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    """Those of the terminal, in order, on a data_dir of their own. `make run` and `make ui` have tests of their own."""
    commands = [
        line.partition("  #")[0].strip()
        for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
        for line in block.splitlines()
        if line.startswith(".venv/bin/newsledger")
    ]
    assert len(commands) >= 5
    environment = os.environ | {
        "NEWSLEDGER_CONFIG": str(ROOT / "seeds" / "newsledger.yaml"),
        "NEWSLEDGER_DATA_DIR": str(tmp_path / "data"),
    }
    for command in [".venv/bin/newsledger refresh", *commands]:
        arguments = [argument for argument in shlex.split(command)[1:] if argument != "--open"]
        done = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout.strip(), command


def test_every_command_is_in_the_docs() -> None:
    done = subprocess.run([sys.executable, "-m", "pipeline.cli", "--help"], capture_output=True, text=True, check=True)
    pages = README + "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    for command in re.findall(r"^│ (\w+) ", done.stdout, re.MULTILINE):
        assert f"newsledger {command}" in pages, command


def test_links_between_the_docs_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} → {target}"


def test_the_wheel_carries_its_sql_and_its_templates(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from pipeline.lake.relations import relation, sql_folder; relation('ops.refreshes'); print(sql_folder())",
        ],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(str(tmp_path / "installed" / "pipeline" / "sql"))
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "pipeline/dagster.yaml",
        "pipeline/workspace.yaml",
        "pipeline/model/tracking_parameters.txt",
        "pipeline/py.typed",
    ):
        assert needed in names
    assert any(name.startswith("pipeline/report/templates/") for name in names)
