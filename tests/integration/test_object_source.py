"""A source in an object store: a real S3 server on loopback, and what else fsspec reaches."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from s3fs import S3FileSystem

from pipeline.assets.documents import take_in
from pipeline.content import Counts, Objects, intake, site_base
from pipeline.content.issues import Issue
from pipeline.content.trees.tree import RAW_BYTES, Loaded
from pipeline.errors import SourceError
from pipeline.lake.logs import Logs
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.session import open_session
from pipeline.model.urls import SiteBase
from pipeline.settings import Settings, Source
from pipeline.warehouse import query, read_file
from tests.refreshing import refresh
from tests.stores import Store, serve_store

FILE = "---\ncategory: news\ntitle: One\nquality: 10\nheat: 10\n---\n"
LIMIT = 1 << 20
ROOT = Path(__file__).resolve().parents[2]
TakeIn = Callable[[Settings], Counts]
SettingsFor = Callable[..., Settings]


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    with serve_store() as store:
        yield store


@pytest.fixture
def store(server: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The server, sound, holding an empty bucket `archive`, and where the drivers of this process look for S3."""
    server.begin("archive", server.environment, monkeypatch)
    S3FileSystem.clear_instance_cache()
    yield server
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    """fsspec's store in this process, emptied afterwards."""
    files = MemoryFileSystem()
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


@pytest.fixture
def settings_at(settings_for: SettingsFor, tmp_path: Path) -> SettingsFor:
    """Settings whose one source is that URL."""

    def at(url: str, **sections: object) -> Settings:
        return settings_for(tmp_path, sources=[{"name": "sample", "url": url}], **sections)

    return at


@pytest.fixture
def read() -> Iterator[TakeIn]:
    """Takes in the one source of the settings, each time in a refresh of its own."""
    numbers = iter(range(100))

    def once(settings: Settings) -> Counts:
        with begin_refresh(settings, f"run {next(numbers)}", None) as refresh:
            return take_in(refresh, settings.sources[0])

    return once


def _log(settings: Settings) -> list[tuple[object, ...]]:
    """path, status and the code of the first issue of each row, oldest first."""
    with open_session("1GB", settings.data_dir / "scratch", Logs.of(settings.lake_dir)) as session:
        return session.run("select path, status, issues[1].code from log.documents order by seen_at, path")


def _found(url: str, *include: str) -> list[str]:
    return Objects(url).find(include or ("**",), ()).read_all()["path"].to_pylist()


def test_only_what_changed_in_the_store_is_read(store: Store, settings_at: SettingsFor, read: TakeIn) -> None:
    store.put("archive", one=FILE, two=FILE, three="no front matter")
    settings = settings_at("s3://archive/site")
    assert read(settings) == Counts(seen=3, accepted=2, skipped=1, parsed=3)
    assert sorted(store.reads) == ["site/_news/one.md", "site/_news/three.md", "site/_news/two.md"]

    store.reads.clear()
    assert read(settings) == Counts(seen=3, unchanged=3)
    store.put("archive", one=FILE)  # the same bytes once more
    assert read(settings) == Counts(seen=3, unchanged=3)
    assert store.reads == []

    store.put("archive", one=FILE.replace("One", "Two"), four=FILE)
    store.client().delete_object(Bucket="archive", Key="site/_news/two.md")
    assert read(settings) == Counts(seen=3, accepted=2, unchanged=1, removed=1, parsed=2)
    assert sorted(store.reads) == ["site/_news/four.md", "site/_news/one.md"]
    assert ("_news/two.md", "removed", None) in _log(settings)


def test_an_object_that_may_not_be_read_is_read_once_it_may(
    store: Store, settings_at: SettingsFor, read: TakeIn
) -> None:
    store.put("archive", one=FILE, two=FILE)
    store.denied.add("site/_news/one.md")
    settings = settings_at("s3://archive/site")
    assert read(settings) == Counts(seen=2, accepted=1, rejected=1, parsed=2)
    assert ("_news/one.md", "rejected", "unreadable") in _log(settings)
    assert read(settings) == Counts(seen=2, unchanged=2, parsed=1)
    store.denied.clear()  # which leaves no trace on the object
    assert read(settings) == Counts(seen=2, accepted=1, unchanged=1, parsed=1)
    assert read(settings) == Counts(seen=2, unchanged=2)


def test_an_object_that_could_never_be_read_is_missed_when_it_is_gone(
    store: Store, settings_at: SettingsFor, read: TakeIn
) -> None:
    store.put("archive", one=FILE, two=FILE)
    store.denied.add("site/_news/one.md")
    settings = settings_at("s3://archive/site")
    read(settings)
    store.client().delete_object(Bucket="archive", Key="site/_news/one.md")
    assert read(settings) == Counts(seen=1, unchanged=1, removed=1)


@pytest.mark.parametrize("url", ["s3://nowhere/site", "s3://archive/elsewhere", "s3://archive/sit", "s3://archive"])
def test_a_place_without_objects_is_an_error_and_no_deletion(
    store: Store, settings_at: SettingsFor, read: TakeIn, url: str
) -> None:
    if url != "s3://archive":
        store.put("archive", one=FILE)
    with pytest.raises(SourceError, match=rf"{url}: there is no object below it; check the bucket and the prefix"):
        read(settings_at(url))


def test_an_object_is_no_archive(store: Store) -> None:
    store.put("archive", one=FILE)
    with pytest.raises(SourceError, match="name a folder or prefix in `url`"):
        _found("s3://archive/site/_news/one.md")


def test_a_store_that_was_emptied_is_not_believed(store: Store, settings_at: SettingsFor, read: TakeIn) -> None:
    store.put("archive", one=FILE, two=FILE, three=FILE)
    settings = settings_at("s3://archive/site")
    read(settings)
    for name in ("one", "two"):
        store.client().delete_object(Bucket="archive", Key=f"site/_news/{name}.md")
    with pytest.raises(SourceError, match="s3://archive/site holds 1 files, but held 3"):
        read(settings)
    assert len(_log(settings)) == 3


def test_a_store_that_may_not_be_listed_says_so_in_its_own_words(store: Store) -> None:
    store.put("archive", one=FILE)
    store.may_list = False
    with pytest.raises(SourceError, match=r"s3://archive/site: cannot be listed: Access Denied; check .*credentials"):
        _found("s3://archive/site")


def test_a_store_that_is_down_before_it_is_listed_changes_nothing(
    store: Store, settings_at: SettingsFor, read: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("archive", one=FILE)
    settings = settings_at("s3://archive/site")
    read(settings)
    with serve_store() as other:
        closed = other.endpoint
    monkeypatch.setenv("AWS_ENDPOINT_URL", closed)
    S3FileSystem.clear_instance_cache()
    with pytest.raises(SourceError, match=r"s3://archive/site: cannot be listed: Could not connect .*network"):
        read(settings)
    assert _log(settings) == [("_news/one.md", "accepted", None)]


@pytest.mark.parametrize("reads_left", [0, 3, 70])
def test_a_store_that_goes_down_while_it_is_read_rejects_no_file(
    store: Store, settings_at: SettingsFor, read: TakeIn, reads_left: int
) -> None:
    store.seed("archive", {f"site/_news/{number}.md": FILE.encode() for number in range(100)})
    settings = settings_at("s3://archive/site")
    store.reads_left = reads_left
    with pytest.raises(SourceError, match="fails while its objects are read: Internal Server Error"):
        read(settings)
    assert _log(settings) == []
    store.reads_left = None
    assert read(settings) == Counts(seen=100, accepted=100, parsed=100)


def test_credentials_that_may_list_and_not_read_reject_no_file(
    store: Store, settings_at: SettingsFor, read: TakeIn
) -> None:
    objects = {f"site/_news/{number}.md": FILE.encode() for number in range(30)}
    store.seed("archive", objects)
    store.denied.update(objects)
    settings = settings_at("s3://archive/site")
    with pytest.raises(SourceError, match=r"can be listed, but none of 30 objects can be read.*Access Denied"):
        read(settings)
    assert _log(settings) == []


def test_worker_processes_read_the_store(
    store: Store, settings_at: SettingsFor, read: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "WORTH_WORKERS", 100)
    objects = {f"site/_news/{number}.md": FILE.encode() for number in range(150)}
    store.seed("archive", objects)
    settings = settings_at("s3://archive/site", executor={"kind": "processes", "workers": 2})
    assert read(settings) == Counts(seen=len(objects), accepted=len(objects), parsed=len(objects))
    assert sorted(store.reads) == sorted(objects)


def test_objects_of_every_size_are_read_as_one_version_each(store: Store) -> None:
    sizes = {"empty": 0, "small": 10, "middle": 700_000, "full": LIMIT, "large": LIMIT + 1, "huge": 9_000_000}
    contents = {name: os.urandom(size) for name, size in sizes.items()}
    store.seed("archive", {f"site/{name}": content for name, content in contents.items()})
    for name, loaded in zip(contents, Objects("s3://archive/site").load(list(contents), LIMIT), strict=True):
        content = contents[name]
        kept = content if len(content) <= LIMIT else content[:RAW_BYTES]
        assert loaded == Loaded(kept, sha256(content).hexdigest(), len(content)), name


def test_a_file_larger_than_the_limit_is_rejected(store: Store, settings_at: SettingsFor, read: TakeIn) -> None:
    store.put("archive", one=FILE + "x" * LIMIT, two=FILE, three="")
    settings = settings_at("s3://archive/site", content={"max_file_mb": 1})
    assert read(settings) == Counts(seen=3, accepted=1, rejected=1, skipped=1, parsed=3)
    assert ("_news/one.md", "rejected", "file_too_large") in _log(settings)
    assert read(settings) == Counts(seen=3, unchanged=3)


def test_a_key_of_any_signs_is_a_path_that_leads_back(store: Store) -> None:
    keys = ["a b.md", "a[1].md", "a*.md", "a?.md", "a\\b.md", "é/ü.md", "a//b.md", "a%20b.md", "a#b.md"]
    for key in keys:
        store.client().put_object(Bucket="archive", Key=f"site/{key}", Body=key.encode())
    paths = _found("s3://archive/site")
    assert len(paths) == len(keys)
    loaded = Objects("s3://archive/site").load(paths, LIMIT)
    assert sorted(file.content.decode() for file in loaded if isinstance(file, Loaded)) == sorted(keys)


def test_globs_hold_and_what_stands_for_a_folder_is_no_file(store: Store) -> None:
    store.seed(
        "archive",
        dict.fromkeys(("site/", "site/_news/", "site/_news/a.md", "site/api/b.md", "site/c.txt", "sites/d.md"), b"x"),
    )
    found = Objects("s3://archive/site/").find(("**/*.md",), ("api/**",)).read_all()
    assert found["path"].to_pylist() == ["_news/a.md"]
    assert _found("s3://archive/site", "**") == ["_news/a.md", "api/b.md", "c.txt"]


def test_an_object_that_vanished_is_not_the_stores_fault(store: Store) -> None:
    store.put("archive", one=FILE)
    gone, there = Objects("s3://archive/site").load(["_news/none.md", "_news/one.md"], LIMIT)
    assert isinstance(gone, Issue)
    assert "no longer there" in gone.message
    assert isinstance(there, Loaded)


def test_the_site_in_a_store_is_named_by_its_own_config(store: Store) -> None:
    store.seed("archive", {"site/_config.yml": b"url: https://a.org\nbaseurl: /b\n", "site/a.md": b"x"})
    source = Source(name="s", url="s3://archive/site")
    assert site_base(source, Objects("s3://archive/site")) == SiteBase("https://a.org", "/b")
    assert _found("s3://archive/site") == ["a.md"]
    store.client().delete_object(Bucket="archive", Key="site/_config.yml")
    assert site_base(source, Objects("s3://archive/site")) is None


def test_a_whole_refresh_reads_the_sample_from_a_store(store: Store, settings_for: SettingsFor, tmp_path: Path) -> None:
    site = ROOT / "seeds" / "site"
    files = {f"site/{path.relative_to(site)}": path.read_bytes() for path in site.rglob("*") if path.is_file()}
    store.seed("archive", files)
    settings = settings_for(tmp_path, sources=[{"name": "sample", "url": "s3://archive/site"}])
    refresh(settings)
    [row] = query(read_file(settings.warehouse_file), "from ops.refreshes").to_pylist()
    assert (row["files_seen"], row["files_rejected"], row["outcome"]) == (93, 3, "published")
    assert row["files_accepted"] + row["files_rejected"] + row["files_skipped"] == 93


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path) -> None:
    code = "import sys; sys.modules['s3fs'] = None\nfrom pipeline.content import Objects\n"
    code += "Objects('s3://archive/site').find(('**',), ())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert "s3://archive/site: the driver of such URLs is not installed" in ran.stderr
    assert "install newsledger[s3]" in ran.stderr


def test_no_message_and_no_place_holds_a_secret() -> None:
    tree = Objects("sftp://ada:hush@127.0.0.1:1/site?token=hush")
    assert tree.place == "sftp://127.0.0.1:1/site"
    with pytest.raises(SourceError) as caught:
        tree.find(("**",), ())
    assert "hush" not in str(caught.value)
    assert "ada" not in str(caught.value)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_any_store_that_fsspec_knows_is_a_source(
    memory: MemoryFileSystem, settings_at: SettingsFor, read: TakeIn, tmp_path: Path, kind: str
) -> None:
    url = {"memory": "memory://site", "file": f"file://{tmp_path / 'site'}"}[kind]
    files, root = fsspec.url_to_fs(url)
    settings = settings_at(url)
    with pytest.raises(SourceError, match="no object below it"):
        read(settings)
    files.makedirs(f"{root}/_news")
    for name in ("one", "two", "three"):
        files.pipe_file(f"{root}/_news/{name}.md", FILE.encode())
    assert read(settings) == Counts(seen=3, accepted=3, parsed=3)
    assert read(settings) == Counts(seen=3, unchanged=3)
    files.pipe_file(f"{root}/_news/one.md", FILE.replace("One", "Two").encode())
    files.rm_file(f"{root}/_news/two.md")
    assert read(settings) == Counts(seen=2, accepted=1, unchanged=1, removed=1, parsed=1)


def test_a_tree_travels_to_another_process(memory: MemoryFileSystem) -> None:
    memory.pipe_file("/site/a.md", b"x")
    tree = Objects("memory://site")
    assert list(pickle.loads(pickle.dumps(tree)).load(["a.md"], LIMIT)) == [Loaded(b"x", sha256(b"x").hexdigest(), 1)]


def test_links_and_pipes_in_a_folder_are_no_objects(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.md").write_text("x")
    (tmp_path / "site" / "loop").symlink_to(tmp_path / "site")
    (tmp_path / "site" / "link.md").symlink_to(tmp_path / "site" / "a.md")
    os.mkfifo(tmp_path / "site" / "pipe.md")
    assert _found(f"file://{tmp_path / 'site'}") == ["a.md"]


class _Guarded(LocalFileSystem):
    """Folders of which one, `closed`, may not be listed; nothing tells when a file changed."""

    protocol = "guarded"

    def ls(self, path: str, detail: bool = False, **kwargs: object) -> list[object]:
        if path.endswith("/closed"):
            raise PermissionError(13, "Permission denied", path)
        return [
            {key: entry[key] for key in ("name", "size", "type")} for entry in super().ls(path, detail=True, **kwargs)
        ]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Path]:
    """A folder of such a file system."""
    fsspec.register_implementation("guarded", _Guarded, clobber=True)
    (tmp_path / "site" / "closed").mkdir(parents=True)
    (tmp_path / "site" / "a.md").write_text(FILE)
    return tmp_path / "site"


def test_a_folder_that_may_not_be_listed_is_not_taken_for_empty(guarded: Path) -> None:
    with pytest.raises(SourceError, match="cannot be listed: Permission denied"):
        _found(f"guarded://{guarded}")
    assert Objects(f"guarded://{guarded}").find(("**",), ("closed/",)).read_all()["path"].to_pylist() == ["a.md"]


def test_where_nothing_tells_a_change_everything_is_hashed(
    guarded: Path, settings_at: SettingsFor, read: TakeIn
) -> None:
    (guarded / "closed").rmdir()
    settings = settings_at(f"file://{guarded}")
    settings = settings.model_copy(
        update={"sources": (settings.sources[0].model_copy(update={"url": f"guarded://{guarded}"}),)}
    )
    assert read(settings) == Counts(seen=1, accepted=1, parsed=1)
    (guarded / "a.md").write_text(FILE.replace("One", "Two"))
    assert read(settings) == Counts(seen=1, accepted=1, parsed=1)
    assert read(settings) == Counts(seen=1, unchanged=1)
