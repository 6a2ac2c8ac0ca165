"""A lake in an object store that cannot be used: each error says what, where and what to do."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.doctor import Grade, examine
from pipeline.errors import LakeError
from pipeline.lake import objects
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.store import FolderStore, Store, open_lake
from pipeline.settings import LakeOptions, Settings
from tests.lakes import begun, lake_settings, read, write_archive
from tests.stores import KEYS, serve_store
from tests.stores import Store as Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve_store() as store:
        yield store


@pytest.fixture
def settings(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a machine whose lake is in an empty bucket of the server; a request is tried twice, not for half a minute."""
    server.begin("lake", KEYS, monkeypatch)
    monkeypatch.setattr(objects, "RETRIES", 1)
    objects._client.cache_clear()
    return lake_settings(write_archive(tmp_path / "site", a="One"), tmp_path / "data", server)


def elsewhere(settings: Settings, **changed: object) -> Settings:
    return settings.model_copy(update={"lake": settings.lake.model_copy(update=changed)})


def told_by(settings: Settings) -> str:
    """What a refresh says, which is also what the doctor says."""
    with pytest.raises(LakeError) as caught, begun(settings, 0):
        pass
    [finding] = [finding for finding in examine(settings) if finding.what == "lake"]
    assert finding.grade == Grade.ERROR
    return str(caught.value)


def test_a_sound_lake_is_looked_at_and_left_as_it_was(settings: Settings, server: Server) -> None:
    [finding] = [finding for finding in examine(settings) if finding.what == "lake"]
    assert (finding.grade, finding.words) == (Grade.OK, "s3://lake/of/ours can be read and written to")
    assert server.client().list_objects_v2(Bucket="lake")["KeyCount"] == 0


def test_no_such_bucket(settings: Settings) -> None:
    told = told_by(elsewhere(settings, url="s3://nowhere/of/ours"))
    assert "s3://nowhere/of/ours/tables/staged.json: cannot be read: The specified bucket does not exist" in told
    assert "make it, or mend lake.url" in told


def test_credentials_that_may_not_write(settings: Settings, server: Server) -> None:
    server.may_write = False
    told = told_by(settings)
    assert "s3://lake/of/ours/tables/staged.json: cannot be written: Access Denied (AccessDenied)" in told
    assert "allow the credentials in the environment to list the bucket, and get, put and delete" in told


def test_credentials_that_may_not_read(settings: Settings, server: Server) -> None:
    server.denied.add("of/ours/tables/staged.json")
    with (
        pytest.raises(LakeError, match=r"cannot be read: Access Denied \(AccessDenied\); allow the credentials"),
        begun(settings, 0),
    ):
        pass


def test_a_driver_that_is_not_installed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "pipeline.lake.objects")
    assert "needs the extra `s3`: newsledger[s3]" in told_by(settings)


def test_an_endpoint_that_does_not_answer(settings: Settings) -> None:
    options = LakeOptions(endpoint="http://127.0.0.1:9", allow_http=True)
    told = told_by(elsewhere(settings, options=options))
    assert "127.0.0.1:9" in told
    assert "look at the network, and at lake.url and lake.options.endpoint" in told


def test_an_endpoint_in_the_environment_is_not_read_without_cover_unless_that_is_allowed(
    settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    assert "an http:// endpoint needs lake.options.allow_http: true" in told_by(
        elsewhere(settings, options=LakeOptions())
    )


def test_a_log_that_cannot_be_written_says_which(settings: Settings, server: Server) -> None:
    with begun(settings, 0) as refresh:
        server.may_write = False
        with pytest.raises(
            LakeError, match=r"ours/log/documents: 1 rows could not be appended .*run the refresh again"
        ):
            read(refresh)
    server.may_write = True
    with begun(settings, 1) as refresh:
        read(refresh)
    assert refresh.logs.documents.size()[0] == 1


def test_a_store_that_heeds_no_condition_is_no_place_for_a_lake(settings: Settings, server: Server) -> None:
    server.heeds_conditions = False
    [finding] = [finding for finding in examine(settings) if finding.what == "lake"]
    assert finding.grade == Grade.ERROR
    assert "does not heed If-None-Match and If-Match" in finding.words


@pytest.mark.parametrize("kind", ["folder", "store"])
def test_a_pointer_is_replaced_by_who_saw_it_and_nobody_else(settings: Settings, tmp_path: Path, kind: str) -> None:
    lake: Store = FolderStore(tmp_path / "lake") if kind == "folder" else open_lake(settings)
    assert lake.read("x.json") is None
    first = lake.replace("x.json", b"1", None)
    assert first is not None
    assert lake.replace("x.json", b"2", None) is None
    second = lake.replace("x.json", b"2", first)
    assert lake.replace("x.json", b"3", first) is None
    found = lake.read("x.json")
    assert found is not None
    assert (found.content, found.version) == (b"2", second)


def test_an_answer_that_is_lost_is_no_other_writer(settings: Settings, server: Server) -> None:
    """The put is done, its answer is not heard, and it is tried again."""
    lake = open_lake(settings)
    server.lose_answers = 1
    first = lake.replace("x.json", b"1", None)
    assert first is not None
    server.lose_answers = 1
    assert lake.replace("x.json", b"2", first) is not None


def test_a_folder_of_its_own_is_a_lake_too(
    tmp_path: Path, settings_for: Callable[..., Settings], sample_site: Path
) -> None:
    settings = settings_for(sample_site, lake={"url": "../elsewhere"})
    assert open_lake(settings) == FolderStore(tmp_path.parent / "elsewhere")
    with begin_refresh(settings, "run", None):
        pass
    assert (tmp_path.parent / "elsewhere" / "log" / "refreshes" / "_delta_log").is_dir()
    assert not (settings.data_dir / "lake").exists()
