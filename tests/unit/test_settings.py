"""The settings file: what it accepts, and how clearly it refuses."""

from pathlib import Path

import pytest
import yaml

from pipeline.errors import SettingsError
from pipeline.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = "sources: [{name: a, path: site}]\n"


def _load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "newsledger.yaml"
    file.write_text(text, "utf-8")
    return load_settings(file)


def test_relative_paths_are_relative_to_the_settings_file(tmp_path: Path) -> None:
    settings = _load(tmp_path, MINIMAL)
    assert settings.data_dir == tmp_path / "data"
    assert settings.sources[0].path == tmp_path / "site"


@pytest.mark.parametrize(
    "url", ["s3://bucket", "s3://bucket/prefix/", "file:///srv/site", "memory://site", "sftp://ada@a.example/x"]
)
def test_the_url_of_a_store_is_kept_as_it_is(tmp_path: Path, url: str) -> None:
    assert _load(tmp_path, f"sources: [{{name: a, url: '{url}'}}]\n").sources[0].url == url


@pytest.mark.parametrize(
    "text",
    [
        "sources: [{name: a, url: 'sftp://ada:hush@a.example/x'}]\n",
        MINIMAL + "lake: {url: 's3://ada:hush@bucket/x'}\n",
        MINIMAL + "lake: {url: 's3://bucket/x', options: {secret_access_key: hush}}\n",
        MINIMAL + "lake: {url: 's3://bucket/x', options: {endpoint: 'https://ada:hush@m.example'}}\n",
    ],
)
def test_no_refusal_repeats_a_password(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, text)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "folder"),
    [("null", "data/lake"), ("lake", "lake"), ("/srv/lake", "/srv/lake"), ("s3://bucket/x", "data/lake")],
)
def test_a_lake_is_a_folder_beside_the_settings_file_or_in_a_store(tmp_path: Path, url: str, folder: str) -> None:
    settings = _load(tmp_path, MINIMAL + f"lake: {{url: {url}}}\n")
    assert settings.lake_dir == tmp_path / folder
    assert settings.lake.is_elsewhere == ("://" in url)


def test_the_environment_leads_to_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLEDGER_LAKE__URL", "s3://bucket/lake")
    monkeypatch.setenv("NEWSLEDGER_LAKE__OPTIONS__ENDPOINT", "https://minio.example:9000")
    lake = _load(tmp_path, MINIMAL).lake
    assert (lake.url, lake.options.endpoint) == ("s3://bucket/lake", "https://minio.example:9000")
    monkeypatch.setenv("NEWSLEDGER_LAKE__OPTIONS__SECRET_ACCESS_KEY", "hush")
    with pytest.raises(SettingsError, match="secret_access_key is a secret"):
        _load(tmp_path, MINIMAL)


@pytest.mark.parametrize(
    ("git", "read_as"),
    [
        ("../checkout", "{parent}/checkout"),
        (".", "{folder}"),
        ("repositories/x.git", "{folder}/repositories/x.git"),
        ("/srv/x.git", "/srv/x.git"),
        ("~/x", "{home}/x"),
        ("https://example.org/x.git", "https://example.org/x.git"),
        ("file:///srv/x.git", "file:///srv/x.git"),
        ("git@example.org:x.git", "git@example.org:x.git"),
        ("ext::sh -c harm", "ext::sh -c harm"),
    ],
)
def test_a_repository_is_a_url_or_a_folder_beside_the_settings_file(tmp_path: Path, git: str, read_as: str) -> None:
    settings = _load(tmp_path, f"sources: [{{name: a, git: '{git}', branch: release/2.0}}]\n")
    expected = read_as.format(folder=tmp_path, parent=tmp_path.parent, home=Path.home())
    assert (settings.sources[0].git, settings.sources[0].branch) == (expected, "release/2.0")


def test_the_environment_overrides_one_key_and_leaves_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLEDGER_LINKS__CONCURRENCY", "7")
    settings = _load(tmp_path, MINIMAL + "links: {pace_seconds: 3}\n")
    assert (settings.links.concurrency, settings.links.pace_seconds) == (7, 3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("links: {}\n", "sources is missing"),
        ("sources: []\n", "sources"),
        (MINIMAL + "wat: 1\n", "unknown setting wat"),
        (MINIMAL + "links: {pace: 1}\n", "unknown setting links.pace"),
        (MINIMAL + "links: {pace_seconds: 0.01}\n", "allow_fast"),
        (MINIMAL + "links: {per_domain: {a.example: {pace_seconds: 0.01}}}\n", "per_domain.a.example"),
        (MINIMAL + "links: {per_domain: {127.0.0.1: {pace_seconds: 0.01}}}\n", "per_domain.127.0.0.1"),
        (MINIMAL + "links: {pace_seconds: .inf}\n", "links.pace_seconds"),
        (MINIMAL + "links: {per_domain: {a.example: {pace: 2}}}\n", "links.per_domain.a.example.pace"),
        (MINIMAL + "links: {per_domain: {a.example: {connections: 0}}}\n", "links.per_domain.a.example.connections"),
        (MINIMAL + "links: {connections: 0}\n", "links.connections"),
        (MINIMAL + "links: {timeout_seconds: 0}\n", "links.timeout_seconds"),
        (MINIMAL + "links: {nameservers: [dns.example]}\n", "no address of a name server"),
        (MINIMAL + "links: {nameservers: ['127.0.0.1:99999']}\n", "no address of a name server"),
        (MINIMAL + "links: {contact: 'https://a.example\\r\\nCookie: x'}\n", "links.contact"),
        (MINIMAL + 'links: {contact: "https://a.example/\\r\\nCookie: x"}\n', "links.contact"),
        (MINIMAL + "links: {connect_to: {'*:80': localhost}}\n", "address:port"),
        (MINIMAL + "links: {connect_to: {'*:80': '127.0.0.1:0'}}\n", "address:port"),
        (MINIMAL + "links: {connect_to: {'*:80': '::1:80'}}\n", "address:port"),
        (MINIMAL + "links: {allow_addresses: [10.0.0.0/99]}\n", "10.0.0.0/99"),
        (MINIMAL + "links: {wayback: {enabled: true, pace_seconds: 0.05}}\n", "wayback.pace_seconds is 0.05 s"),
        (MINIMAL + "links: {wayback: {endpoint: archive.example}}\n", "links.wayback.endpoint"),
        (MINIMAL + "links: {wayback: {endpoint: 'ftp://archive.example/x'}}\n", "links.wayback.endpoint"),
        (MINIMAL + "links: {wayback: {endpoint: 'https://archive.example/x?url=y'}}\n", "links.wayback.endpoint"),
        (MINIMAL + "links: {wayback: {endpoint: 'https://me:hush@archive.example/'}}\n", "links.wayback.endpoint"),
        (MINIMAL + "links: {wayback: {endpoint: null}}\n", "links.wayback.endpoint"),
        (MINIMAL + "links: {wayback: {nightly_budget: 0}}\n", "links.wayback.nightly_budget"),
        (MINIMAL + "schedule: {timezone: Mars/Olympus}\n", "Mars/Olympus"),
        (MINIMAL + "warehouse: {memory_limit: lots}\n", "warehouse.memory_limit"),
        ("sources: [{name: a, path: x}, {name: a, path: y}]\n", "two sources are named 'a'"),
        ("sources: [{name: A b, path: x}]\n", "sources.0.name"),
        ("sources: [{name: a}]\n", "needs either `path`"),
        ("sources: [{name: a, path: x, url: 's3://b/p'}]\n", "needs either `path`"),
        ("sources: [{name: a, url: ''}]\n", "as s3://bucket/prefix"),
        ("sources: [{name: a, url: bucket/prefix}]\n", "as s3://bucket/prefix"),
        ("sources: [{name: a, url: 'zip://x.md::s3://b/a.zip'}]\n", "as s3://bucket/prefix"),
        ("sources: [{name: a, url: 'https://a.example/x'}]\n", "https:// has no listing of files"),
        ("sources: [{name: a, url: 'simplecache://x'}]\n", "simplecache:// has no listing of files"),
        ("sources: [{name: a, url: 'wat://x'}]\n", "wat:// is no protocol that fsspec knows"),
        ("sources: [{name: a, url: 'sftp://ada:hush@a.example/x'}]\n", "must hold no password"),
        ("sources: [{name: a, path: x, git: y}]\n", "needs either `path`"),
        ("sources: [{name: a, git: ''}]\n", "`git` is a URL or a folder"),
        ("sources: [{name: a, git: --upload-pack=harm}]\n", "`git` is a URL or a folder"),
        ("sources: [{name: a, path: x, branch: main}]\n", "`branch` belongs to `git`"),
        ("sources: [{name: a, git: x, branch: -b}]\n", "'-b' is no name that a branch can have"),
        ("sources: [{name: a, git: x, branch: 'a:refs/heads/b'}]\n", "no name that a branch can have"),
        ("sources: [{name: a, git: x, branch: 'a*'}]\n", "no name that a branch can have"),
        ("sources: [{name: a, git: x, branch: a..b}]\n", "no name that a branch can have"),
        (MINIMAL + "lake: {url: ''}\n", "as s3://bucket/prefix"),
        (MINIMAL + "lake: {url: 'ftp://a.example/x'}\n", "ftp:// is no store that a lake can be in"),
        (MINIMAL + "lake: {url: 'file:///srv/lake'}\n", "or the path of a folder"),
        (MINIMAL + "lake: {url: 's3:///prefix'}\n", "names no bucket; write s3://bucket/prefix"),
        (MINIMAL + "lake: {url: 's3://me:hush@bucket/x'}\n", "the bucket and the prefix alone"),
        (MINIMAL + "lake: {url: 's3://bucket/x?X-Amz-Signature=hush'}\n", "the bucket and the prefix alone"),
        (MINIMAL + "lake: {options: {region: eu-west-1}}\n", "options are those of s3://"),
        (
            MINIMAL + "lake: {url: 's3://b/x', options: {aws_secret_access_key: hush}}\n",
            "aws_secret_access_key is a secret",
        ),
        (MINIMAL + "lake: {url: 's3://b/x', options: {session_token: hush}}\n", "session_token is a secret"),
        (MINIMAL + "lake: {url: 's3://b/x', options: {wat: 1}}\n", "unknown setting lake.options.wat"),
        (MINIMAL + "lake: {url: 's3://b/x', options: {endpoint: 'http://m.example'}}\n", "allow_http: true"),
        (MINIMAL + "lake: {url: 's3://b/x', options: {endpoint: 'https://me:hush@m.example'}}\n", "endpoint"),
        (MINIMAL + "executor: {kind: dask}\n", "executor.address"),
        (MINIMAL + "executor: {address: 'tcp://127.0.0.1:8786'}\n", "kind: dask"),
        (MINIMAL + "executor: {kind: dask, address: nowhere}\n", "address"),
        (MINIMAL + "executor: {kind: dask, address: '127.0.0.1:8786', workers: 2}\n", "counts processes"),
        ("[", "is not valid YAML"),
        ("", "holds no settings"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=r"newsledger\.yaml") as caught:
        _load(tmp_path, text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "links",
    [
        "{pace_seconds: 0, allow_fast: true}",
        "{pace_seconds: 0.1}",
        "{pace_seconds: 0.01, rehearsal: web.yaml}",
        "{per_domain: {127.0.0.1: {pace_seconds: 0}}, allow_addresses: [127.0.0.0/8]}",
        "{wayback: {enabled: true}}",
        "{wayback: {enabled: true, endpoint: 'http://127.0.0.1:8080', pace_seconds: 0}, allow_fast: true}",
        "{nameservers: [9.9.9.9, '127.0.0.1:5353', '::1', '[::1]:53'], contact: 'mailto:desk@a.example'}",
    ],
)
def test_a_fast_pace_is_for_those_who_ask_for_it_and_for_ones_own_machines(tmp_path: Path, links: str) -> None:
    assert _load(tmp_path, f"{MINIMAL}links: {links}\n").links.enabled


def test_an_unknown_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLEDGER_LINK__PACE_SECONDS", "2")
    with pytest.raises(SettingsError, match="NEWSLEDGER_LINK__PACE_SECONDS"):
        _load(tmp_path, MINIMAL)


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--config"):
        load_settings(tmp_path / "nowhere.yaml")


def test_the_annotated_settings_name_every_key_at_its_default() -> None:
    shipped = load_settings(ROOT / "newsledger.yaml")
    defaults = load_settings(ROOT / "seeds" / "newsledger.yaml")
    for section in ("content", "schedule", "warehouse", "lake", "sanity", "executor", "alerts"):
        assert getattr(shipped, section) == getattr(defaults, section)
    written = yaml.safe_load((ROOT / "newsledger.yaml").read_text("utf-8"))
    assert set(written) == set(Settings.model_fields)
    for section in set(written) - {"data_dir", "sources"}:
        assert set(written[section]) == set(type(getattr(shipped, section)).model_fields), section
