"""The sample site over two nights: what the examples of the docs are run on.

Ten nights after the first, when every link is due again, the archive and the world have changed a little, so that every
question has an answer. The changes are made to copies; the sample itself stays as it is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from pipeline.settings import Source, load_settings
from tests.refreshing import refresh

ROOT = Path(__file__).resolve().parents[1]
SEEDS = ROOT / "seeds"
FIRST_NIGHT, SECOND_NIGHT = "2026-11-22T02:00:00Z", "2026-12-02T02:00:00Z"

_NEWS = {
    # a heat that follows from nothing
    "2024-03-19-a-tide-mill-that-last-ground-flour-in-1926-is-making-electricity.md": ("heat: 141", "heat: 151"),
    # another title than the stories give it that list it
    "2024-04-15-the-island-that-ran-on-the-tide-for-seven-days.md": (
        'title: "The island that ran on the tide for seven days"',
        'title: "Seven days on the tide: the island that did without diesel"',
    ),
    "2024-06-18-a-paint-that-barnacles-find-boring.md": ("topics:\n", "topics:\n  - Manufacturing\n"),
}
_GONE = "2024-06-24-robot-boat-finishes-map-of-the-strait-finds-a-piano.md"
_NEW = (
    "2024-06-26-a-second-kite-joins-the-first.md",
    """---
category: news
title: "A second kite joins the first"
excerpt: "The tether is twice as long, and the winch half as loud."
publishedDateTime: 2024-06-26T07:40:00Z
webUrl: "https://www.northshorewire.example/articles/a-second-kite-joins-the-first-50112"
type: article
quality: 61
heat: 61
published: true
provider:
  name: Northshore Wire
  domain: northshorewire.example
topics:
  - Tidal Kites
---
""",
)
_ANSWERS: dict[tuple[str, str], dict[str, object] | None] = {
    ("www.harbor-post.example", "/news/2024/03/under-the-orran-strait-a-quiet-record.html"): {"status": 404},
    ("www.gridandwater.example", "/story/two-minutes-warning-is-worth-3-per-cent"): {"status": 410},
    ("www.northshorewire.example", "/articles/underwater-kite-marks-first-full-year-of-power-45568"): {"status": 403},
    ("kelpandkeel.example", "/posts/what-a-hundred-gigawatt-hours-looks-like-from-a-small-boat/"): {
        "status": 301,
        "location": "https://kelpandkeel.example/rowing/what-a-hundred-gigawatt-hours-looks-like/",
    },
    ("www.lanternweekly.example", "/2024/02/what-lobsters-know-about-property"): None,
}
"""What the web answers otherwise on the second night; None: as a page that is there."""


def first_night(data_dir: Path) -> str:
    """Refresh the sample as it is, by the program; what it printed."""
    environment = os.environ | {"NEWSLEDGER_DATA_DIR": str(data_dir), "NEWSLEDGER_NOW": FIRST_NIGHT, "COLUMNS": "100"}
    # Through the console script, since what it prints names it.
    command = [str(Path(sys.executable).with_name("newsledger")), "refresh", "--config", "seeds/newsledger.yaml"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, cwd=ROOT, timeout=110)
    return done.stdout.replace(str(data_dir.resolve()), "…/data/sample").replace(command[0], ".venv/bin/newsledger")


def second_night(data_dir: Path, copies: Path) -> None:
    """Change copies of the site and of its web below `copies`, and refresh again."""
    news = Path(shutil.copytree(SEEDS / "site", copies / "site")) / "_news"
    for name, (old, new) in _NEWS.items():
        text = (news / name).read_text("utf-8")
        assert text.count(old) == 1, name
        (news / name).write_text(text.replace(old, new), "utf-8")
    (news / _GONE).unlink()
    name, text = _NEW
    (news / name).write_text(text, "utf-8")

    web = yaml.load((SEEDS / "web.yaml").read_bytes(), yaml.CSafeLoader)
    for (host, path), answer in _ANSWERS.items():
        paths = web["hosts"][host].setdefault("paths", {})
        paths.pop(path, None)
        if answer is not None:
            paths[path] = answer
    (copies / "web.yaml").write_text(yaml.safe_dump(web), "utf-8")
    settings = load_settings(SEEDS / "newsledger.yaml")
    changed = {
        "data_dir": data_dir,
        "sources": (Source(name="coastal-energy", path=copies / "site"),),
        "links": settings.links.model_copy(update={"rehearsal": copies / "web.yaml"}),
    }
    refresh(settings.model_copy(update=changed), SECOND_NIGHT)
