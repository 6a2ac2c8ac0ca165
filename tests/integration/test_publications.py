"""A hundred publications, builders killed at random, readers that ask all the while: nobody sees anything odd."""

import random
import subprocess
import sys
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import duckdb
import pytest

from pipeline.warehouse import publish_warehouse, read_file
from tests.publications import KEEP, build, build_until_killed, read_until_told

PUBLICATIONS = 100
CLI = Path(sys.executable).with_name("duckdb")


@pytest.mark.timeout(300)  # of a busy machine
def test_readers_see_one_refresh_whole_through_a_hundred_publications_and_killed_builders(tmp_path: Path) -> None:
    """0 errors, 0 mixed states, never back; what killed builders left is removed by the next one."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.publications"])
    link = tmp_path / "warehouse.duckdb"
    publish_warehouse(build(tmp_path, 0), link, KEEP)

    readers = []
    for questions in (1, 25):
        ours, theirs = context.Pipe()
        reader = context.Process(target=read_until_told, args=(link, questions, theirs), daemon=True)
        reader.start()
        readers.append((reader, ours))

    chance = random.Random(20261126)
    published, last, kills, leftovers = 0, 0, 0, 0
    while published < PUBLICATIONS:
        hear, tell = context.Pipe(duplex=False)
        builder = context.Process(target=build_until_killed, args=(tmp_path, last + 1, tell), daemon=True)
        builder.start()
        tell.close()
        wanted = chance.randint(1, 9)
        while wanted and hear.poll(60):
            last = hear.recv()
            published, wanted = published + 1, wanted - 1
        assert not wanted, "the builder stalled or ended"
        if not hear.poll(chance.uniform(0, 0.08)):  # somewhere in the build after it
            kills += 1
        builder.kill()
        builder.join()
        with suppress(EOFError):
            while True:
                last = hear.recv()
                published += 1
        last = max(last, int(read_file(link).stem[1:]))  # it may have died between the flip and the word
        leftovers += any(".building" in file.name for file in (tmp_path / "warehouse").iterdir())
    assert leftovers > 3, "some were killed at work"

    final = publish_warehouse(build(tmp_path, last + 1), link, KEEP)
    for reader, ours in readers:
        ours.send("stop")
        asked, seen, wrong = ours.recv()
        reader.join()
        assert wrong == []
        assert asked > PUBLICATIONS / 2
        assert seen == sorted(seen), "nobody goes back"
        assert len(seen) > 10

    assert read_file(link) == final
    names = sorted(file.name for file in (tmp_path / "warehouse").iterdir())
    assert len(names) == KEEP
    assert all(name.endswith(".duckdb") for name in names), "no .wal, no half-built file"
    assert not link.with_name("warehouse.duckdb.new").is_symlink()

    question = "select max(position) as number from coverage.story_topics"
    done = subprocess.run(
        [CLI, "-readonly", "-csv", "-noheader", str(link), question], capture_output=True, text=True, check=True
    )
    with duckdb.connect(str(link), read_only=True) as connection:
        assert connection.execute(question).fetchall() == [(int(done.stdout),)] == [(last + 1,)]
