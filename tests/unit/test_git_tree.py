"""A branch as a tree: what is listed, what is read, what a fetch may and may not do."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.content import Git, open_tree, path_bytes
from pipeline.content.issues import Issue
from pipeline.content.trees import Loaded
from pipeline.content.trees.tree import RAW_BYTES
from pipeline.errors import SourceError
from pipeline.settings import Source
from tests.repositories import FIRST_COMMIT, Origin, git

FILE = "---\ntitle: One\n---\n"
LIMIT = 1 << 20
OpenTree = Callable[..., Git]


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin.made(tmp_path / "origin.git")


@pytest.fixture
def tree_of(tmp_path: Path) -> OpenTree:
    """The tree of a repository, in the test's own folder of copies."""

    def opened(place: Path | str, branch: str | None = None) -> Git:
        tree = open_tree(Source(name="archive", git=str(place), branch=branch), tmp_path / "copies")
        assert isinstance(tree, Git)
        return tree

    return opened


@pytest.fixture
def served() -> Iterator[Callable[[type[BaseHTTPRequestHandler]], str]]:
    """Serves on loopback; the address."""
    servers: list[ThreadingHTTPServer] = []

    def serve(handler: Callable[..., BaseHTTPRequestHandler]) -> str:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"127.0.0.1:{servers[-1].server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def paths(tree: Git) -> list[str]:
    return tree.find(("**/*.md",), ("api/**",)).read_all()["path"].to_pylist()


def contents(tree: Git, *names: str) -> list[bytes]:
    found = list(tree.load(names, LIMIT))
    assert all(isinstance(one, Loaded) for one in found), found
    return [one.content for one in found if isinstance(one, Loaded)]


# What is listed and read


def test_the_regular_files_of_the_commit_are_listed_with_size_and_object(origin: Origin, tree_of: OpenTree) -> None:
    somewhere = "1" * 40
    commit = origin.commit(
        {
            "_news/a.md": FILE,
            "run.md": ("100755", FILE),
            "link.md": ("120000", "_news/a.md"),
            "module.md": ("160000", somewhere),
            "api/left-out.md": FILE,
            "picture.png": b"\x89PNG",
        }
    )
    tree = tree_of(origin.folder).updated()
    assert tree.commit == commit
    blob = git("rev-parse", "main:run.md", folder=origin.folder)
    assert tree.find(("**/*.md",), ("api/**",)).read_all().to_pylist() == [
        {"path": "_news/a.md", "size": len(FILE), "oid": blob},
        {"path": "run.md", "size": len(FILE), "oid": blob},
    ]


def test_an_object_is_the_same_as_long_as_its_bytes_are(origin: Origin, tree_of: OpenTree) -> None:
    tree = tree_of(origin.folder)
    origin.commit({"a.md": FILE, "b.md": FILE})
    before = tree.updated().find(("*",), ()).read_all()
    origin.commit({"b.md": FILE + "more"})
    after = tree.updated().find(("*",), ()).read_all()
    assert before.slice(0, 1).equals(after.slice(0, 1))
    assert before["oid"][1] != after["oid"][1]


@pytest.mark.parametrize(
    "name",
    [b"a b.md", b"a'\".md", b"a\nb.md", b"\xff\xfe.md", b"a\\xff.md", b"a\\.md", "é.md".encode(), b"-a.md", b":a.md"],
)
def test_a_file_of_any_name_is_found_and_read(origin: Origin, tree_of: OpenTree, name: bytes) -> None:
    origin.commit({name: FILE, b"folder/" + name: "other"})
    tree = tree_of(origin.folder).updated()
    found = paths(tree)
    assert sorted(path_bytes(path) for path in found) == sorted([name, b"folder/" + name])
    assert sorted(contents(tree, *found)) == sorted([FILE.encode(), b"other"])


def test_bytes_are_those_of_the_repository_whatever_git_would_make_of_them(
    origin: Origin, tree_of: OpenTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[core]\nautocrlf = true\neol = crlf\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    origin.commit({"a.md": b"a\r\nb\n", "b.md": b"$Id$\n", ".gitattributes": "* text=auto eol=crlf ident filter=lfs\n"})
    assert contents(tree_of(origin.folder).updated(), "a.md", "b.md") == [b"a\r\nb\n", b"$Id$\n"]


def test_of_a_large_file_the_start_is_kept_and_the_whole_is_hashed(origin: Origin, tree_of: OpenTree) -> None:
    large = bytes(range(256)) * 20_000
    origin.commit({"a.md": FILE, "large.md": large, "z.md": FILE})
    found = list(tree_of(origin.folder).updated().load(["a.md", "large.md", "z.md"], LIMIT))
    small = Loaded(FILE.encode(), sha256(FILE.encode()).hexdigest(), len(FILE))
    assert found == [small, Loaded(large[:RAW_BYTES], sha256(large).hexdigest(), len(large)), small]


def test_what_is_no_file_of_the_commit_is_an_issue_and_the_others_are_read(origin: Origin, tree_of: OpenTree) -> None:
    origin.commit({"folder/a.md": FILE, "link.md": ("120000", "folder/a.md")})
    asked = ["none.md", "folder/a.md", "folder", "folder/a.md/b.md", "link.md", "../a.md", "nul\0.md"]
    found = list(tree_of(origin.folder).updated().load(asked, LIMIT))
    assert [isinstance(one, Issue) and one.code for one in found] == [
        "unreadable" if path != "folder/a.md" else False for path in asked
    ]


def test_many_files_large_and_small_come_in_the_order_they_were_asked_for(origin: Origin, tree_of: OpenTree) -> None:
    """More requests and more bytes than any pipe holds, in folders whose names alone would fill one."""
    files = {
        f"{'long' * 50}/{number % 7}/{number}.md": f"{number} " * (1 + number % 50 * 800) for number in range(1500)
    }
    origin.commit(files)
    names = sorted(files, key=lambda name: sha256(name.encode()).digest())
    tree = tree_of(origin.folder).updated()
    assert contents(tree, *names) == [files[name].encode() for name in names]


STOPS_EARLY = """
import os, pickle, sys

loading = pickle.load(sys.stdin.buffer).load([f"{number}.md" for number in range(50)], 1 << 20)
next(loading)
loading.close()
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    sys.exit(0)
sys.exit("there is still a child")
"""


def test_a_reader_that_stops_early_leaves_no_git_behind(origin: Origin, tree_of: OpenTree) -> None:
    origin.commit({f"{number}.md": "x" * 100_000 for number in range(50)})
    tree = tree_of(origin.folder).updated()
    done = subprocess.run(
        [sys.executable, "-c", STOPS_EARLY], input=pickle.dumps(tree), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_tree_sent_elsewhere_reads_the_same_commit(origin: Origin, tree_of: OpenTree) -> None:
    origin.commit({"a.md": FILE})
    tree = tree_of(origin.folder).updated()
    origin.commit({"a.md": "new"})
    tree_of(origin.folder).updated()
    sent = pickle.loads(pickle.dumps(tree))
    assert contents(sent, "a.md") == [FILE.encode()]


def test_an_object_missing_from_the_copy_stops_the_reading_and_says_how_to_mend_it(
    origin: Origin, tree_of: OpenTree
) -> None:
    origin.commit({"a.md": FILE})
    tree = tree_of(origin.folder).updated()
    for file in (tree.repository.folder / "objects").rglob("*"):
        if file.is_file():
            file.unlink()
    with pytest.raises(SourceError, match=r"archive\.git.*delete the folder"):
        paths(tree)
    with pytest.raises(SourceError, match="delete the folder"):
        contents(tree, "a.md")
    shutil.rmtree(tree.repository.folder)
    assert paths(tree.updated()) == ["a.md"]


# What is fetched


def test_only_the_last_commit_is_fetched_until_history_is_asked_for(origin: Origin, tree_of: OpenTree) -> None:
    origin.commits([(FIRST_COMMIT + number, {"a.md": str(number)}) for number in range(5)])

    def commits() -> int:
        return int(git("rev-list", "--count", "refs/newsledger/tip", folder=tree_of("x").repository.folder))

    tree = tree_of(origin.folder)
    tree.updated()
    assert commits() == 1
    origin.commit({"a.md": "six"})
    tree.updated()
    assert commits() == 1
    tree.with_history()
    assert commits() == 6
    origin.commit({"a.md": "seven"})
    assert contents(tree.updated(), "a.md") == [b"seven"]
    assert commits() == 7, "a copy with history keeps it"


def test_a_checkout_is_read_as_it_was_committed_and_not_touched(
    origin: Origin, tree_of: OpenTree, tmp_path: Path
) -> None:
    origin.commit({"a.md": FILE, "b.md": FILE})
    checkout = tmp_path / "my checkout 100%"
    git("clone", "--quiet", origin.folder, checkout)
    (checkout / "a.md").write_text("not committed")
    (checkout / "new.md").write_text("not even added")

    def look() -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in sorted(checkout.rglob("*")) if file.is_file()}

    before = look()
    tree = tree_of(checkout).updated()
    assert contents(tree, *paths(tree)) == [FILE.encode(), FILE.encode()]
    assert look() == before


def test_a_checkout_that_is_itself_shallow_is_read_but_has_no_history(
    origin: Origin, tree_of: OpenTree, tmp_path: Path
) -> None:
    origin.commits([(FIRST_COMMIT + number, {"a.md": str(number)}) for number in range(5)])
    git("clone", "--quiet", "--depth=2", origin.folder.as_uri(), tmp_path / "shallow")
    tree = tree_of(tmp_path / "shallow")
    assert contents(tree.updated(), "a.md") == [b"4"]
    with pytest.raises(SourceError, match=r"without all of its history.*--unshallow"):
        tree.with_history()
    assert contents(tree.updated(), "a.md") == [b"4"]


def test_a_history_written_anew_is_followed(origin: Origin, tree_of: OpenTree) -> None:
    tree = tree_of(origin.folder)
    for fetch in (tree.updated, tree.with_history, tree.updated):
        origin.commits([(FIRST_COMMIT, {"old.md": FILE}), (FIRST_COMMIT + 1, {"a.md": "1"})], anew=True)
        fetch()
        tip = origin.commits([(FIRST_COMMIT + 5, {"new.md": FILE})], anew=True)
        assert fetch().commit == tip
        assert paths(tree.updated()) == ["new.md"]


def test_the_branch_of_the_settings_is_read_and_else_that_of_head(origin: Origin, tree_of: OpenTree) -> None:
    origin.commit({"a.md": "main"})
    origin.commit({"a.md": "draft"}, branch="next/draft")
    assert contents(tree_of(origin.folder).updated(), "a.md") == [b"main"]
    assert contents(tree_of(origin.folder, "next/draft").updated(), "a.md") == [b"draft"]
    git("symbolic-ref", "HEAD", "refs/heads/next/draft", folder=origin.folder)
    assert contents(tree_of(origin.folder).updated(), "a.md") == [b"draft"]
    assert contents(tree_of(origin.folder, "main").updated(), "a.md") == [b"main"]


def test_another_place_in_the_settings_is_fetched_into_the_same_copy(
    origin: Origin, tree_of: OpenTree, tmp_path: Path
) -> None:
    origin.commit({"a.md": "here"})
    tree_of(origin.folder).with_history()
    elsewhere = Origin.made(tmp_path / "elsewhere.git")
    elsewhere.commit({"b.md": "there"})
    assert paths(tree_of(elsewhere.folder).updated()) == ["b.md"]


def test_a_repository_that_a_plain_web_server_shows_is_fetched_whole(
    origin: Origin, tree_of: OpenTree, served: Callable[..., str]
) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    origin.commits([(FIRST_COMMIT, {"a.md": "1"}), (FIRST_COMMIT + 1, {"a.md": "2"})])
    git("update-server-info", folder=origin.folder)
    tree = tree_of(f"http://{served(partial(Quiet, directory=str(origin.folder)))}/")
    assert contents(tree.updated(), "a.md") == [b"2"]
    assert contents(tree.with_history(), "a.md") == [b"2"]


# What can go wrong


@pytest.mark.parametrize(
    ("place", "branch", "told"),
    [
        ("{origin}", "nosuch", "has no branch nosuch; set `branch`"),
        ("{empty}", None, "the repository is empty, or its HEAD names no branch"),
        ("{empty}", "main", "has no branch main"),
        ("{folder}/nothing", None, "there is no git repository"),
        ("{folder}", None, "there is no git repository"),
        ("http://127.0.0.1:1/x.git", None, "cannot be reached; check the network"),
        ("git://127.0.0.1:1/x.git", None, "cannot be reached; check the network"),
        ("ext::sh -c touch% {folder}/harm", None, "is not reached by that protocol"),
    ],
)
def test_a_fetch_that_fails_says_why_and_leaves_the_last_copy(
    origin: Origin, tree_of: OpenTree, tmp_path: Path, place: str, branch: str | None, told: str
) -> None:
    commit = origin.commit({"a.md": FILE})
    tree_of(origin.folder).updated()
    empty = Origin.made(tmp_path / "empty.git")
    asked = place.format(origin=origin.folder, empty=empty.folder, folder=tmp_path)
    with pytest.raises(SourceError) as caught:
        tree_of(asked, branch).updated()
    assert told in str(caught.value)
    assert asked.removeprefix("ext::") in str(caught.value)
    assert "What was fetched before stays as it was" in str(caught.value)
    assert not (tmp_path / "harm").exists()
    last = tree_of(asked, branch)
    assert last.commit == commit
    assert contents(last, *paths(last)) == [FILE.encode()]


def test_nobody_is_asked_for_a_password_and_none_is_told(tree_of: OpenTree, served: Callable[..., str]) -> None:
    class Closed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="archive"')
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    address = served(Closed)
    for user in ("", "reader:s3cret@", "t0ken@"):
        tree = tree_of(f"http://{user}{address}/x.git?key=s3cret")
        with pytest.raises(SourceError, match="asks who you are; give") as caught:
            tree.updated()
        assert tree.place == f"http://{address}/x.git"
        assert not any(word in str(caught.value) for word in ("s3cret", "reader", "t0ken"))


def test_a_machine_without_git_is_told_so(
    tree_of: OpenTree, origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="`git` is not on the PATH; install it"):
        tree_of(origin.folder).updated()


def test_before_anything_was_fetched_there_is_nothing_to_read(origin: Origin, tree_of: OpenTree) -> None:
    tree = tree_of(origin.folder)
    assert tree.commit is None
    with pytest.raises(SourceError, match="nothing was fetched yet"):
        paths(tree)
    assert [type(one) for one in tree.load(["_config.yml"], LIMIT)] == [Issue]


def test_what_a_killed_fetch_left_locked_is_freed(origin: Origin, tree_of: OpenTree) -> None:
    origin.commit({"a.md": "1"})
    folder = tree_of(origin.folder).updated().repository.folder
    for left in ("shallow.lock", "packed-refs.lock", "config.lock", "refs/newsledger/tip.lock"):
        (folder / left).touch()
    origin.commit({"a.md": "2"})
    assert contents(tree_of(origin.folder).updated(), "a.md") == [b"2"]


def test_a_git_that_outlives_a_killed_run_is_not_disturbed(origin: Origin, tree_of: OpenTree, tmp_path: Path) -> None:
    origin.commit({"a.md": "1"})
    tree = tree_of(origin.folder).updated()
    (tmp_path / "slow").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nsleep 60\n")
    (tmp_path / "slow").chmod(0o755)
    code = (
        "import sys; from pathlib import Path\n"
        "from pipeline.content import open_tree; from pipeline.settings import Source\n"
        "open_tree(Source(name='archive', git='ssh://host/x.git'), Path(sys.argv[1])).updated()"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "copies")],
        env=os.environ | {"GIT_SSH_COMMAND": str(tmp_path / "slow")},
        start_new_session=True,
    )
    try:
        _eventually((tmp_path / "started").exists)
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        with pytest.raises(SourceError, match="a git that an earlier run left behind"):
            tree.updated()
        assert contents(tree_of(origin.folder), "a.md") == [b"1"]
    finally:
        os.killpg(run.pid, signal.SIGKILL)
    _eventually(lambda: tree.updated() is not None)


def _eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(SourceError):
            if holds():
                return
        time.sleep(0.05)
    pytest.fail("it never came to be")


def test_neither_the_environment_nor_the_users_git_leads_the_copy_astray(
    origin: Origin, tree_of: OpenTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of a git around us, hooks, templates, tracing, a bare repository found only by its name."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout", "post-merge", "fsmonitor"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/harm\n")
        (hooks / name).chmod(0o755)
    config = tmp_path / "config"
    config.write_text(
        f"[core]\nhooksPath = {hooks}\nfsmonitor = {hooks}/fsmonitor\n[init]\ntemplateDir = {hooks}\n"
        "[safe]\nbareRepository = explicit\n[fetch]\nprune = true\nrecurseSubmodules = true\n[color]\nui = always\n"
        "[log]\nshowSignature = true\n[diff]\nrenames = copies\nnoprefix = true\n"
        "[protocol]\nallow = always\n"
    )
    origin.commit({"a.md": FILE})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE"):
        monkeypatch.setenv(name, str(tmp_path / "astray"))
    monkeypatch.setenv("GIT_TRACE", "1")
    monkeypatch.setenv("GIT_DEFAULT_HASH", "sha256")
    tree = tree_of(origin.folder).updated()
    assert contents(tree, *paths(tree)) == [FILE.encode()]
    assert not (tmp_path / "harm").exists()
    assert not (tmp_path / "astray").exists()
    with pytest.raises(SourceError, match="not reached by that protocol"):
        tree_of(f"ext::touch {tmp_path}/harm").updated()
    assert not (tmp_path / "harm").exists()
    with pytest.raises(SourceError, match="Git says: fatal") as caught:
        tree_of(tmp_path / "nothing").updated()
    assert "trace" not in str(caught.value)
