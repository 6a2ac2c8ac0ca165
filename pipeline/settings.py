"""One frozen, typed object made from `newsledger.yaml` and the environment.

Belongs here: what a user may set, its default, its meaning, and the errors of setting it wrongly. Does not belong here:
anything that reads content, opens the lake or touches the network.

`NEWSLEDGER_CONFIG` names the file. Every key can be overridden as `NEWSLEDGER_` and its path joined by two underscores
(`NEWSLEDGER_LINKS__PACE_SECONDS=2`). Relative paths are relative to the folder of the settings file.
"""

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import fsspec
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.errors import SettingsError

CONFIG_VARIABLE = "NEWSLEDGER_CONFIG"
DEFAULT_CONFIG = "newsledger.yaml"
NOW_VARIABLE = "NEWSLEDGER_NOW"
POSTGRES_VARIABLE = "NEWSLEDGER_POSTGRES_URL"
"""Where Dagster keeps its runs, instead of files: a secret, read by Dagster itself."""
FAST_PACE_SECONDS = 0.1
"""Below this gap between requests, a public host needs `links.allow_fast` (link-check politeness)."""

DEFAULT_INCLUDE = ("**/*.md", "**/*.markdown", "**/*.html", "**/*.txt", "**/*.yaml", "**/*.yml", "**/*.json")
DEFAULT_EXCLUDE = ("api/**", "_site/**", "public/**", "node_modules/", "vendor/bundle/**", "package*.json", "**/.*/**")
"""What Jekyll and Hugo make themselves, what they are made with, and hidden folders."""

_CONTACT = r"^(https?://|mailto:)[!-~]+$"
"""Goes into a header as it stands."""
_ENDPOINT = r"^https?://[^\s?#@/]+(/[^\s?#]*)?$"
"""A query is put behind it."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://")
_PASSWORD = re.compile(r"://[^/\s]*:[^/\s]*@")
_LAKE_SCHEMES = ("s3", "gs", "az")
"""Stores that heed conditional puts."""
_BUCKET = re.compile(r"[^/\s]+")
_SECRET = re.compile(r"(?i)secret|token|passw|credential|access_?key|account_?key|sas|session")
_NO_STORES = {"http", "https", "data", "generic", "reference", "zip", "tar", "libarchive", "dir", "dask"} | {
    *("cached", "blockcache", "filecache", "simplecache", "async_wrapper", "asyncwrapper")
}
"""What fsspec calls a protocol and has no listing of its own."""
_BRANCH = re.compile(r"(?![-/])(?!.*(?:\.\.|//|@\{|\.lock$|[./]$))[^\x00-\x20\x7f~^:?*\[\\]+")
"""A name that leads to one branch, in a refspec too (git check-ref-format)."""
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/]*:")
"""What git takes for a URL or host:path; all else is a folder of this machine."""

# Read by the program outside this object: not overrides of a setting.
_NOT_SETTINGS = {CONFIG_VARIABLE, NOW_VARIABLE, POSTGRES_VARIABLE}


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone of the IANA database (try Europe/Berlin or UTC)") from error
    return name


def _network(text: str) -> str:
    ipaddress.ip_network(text)  # its ValueError already says what is wrong
    return text


def _is_address_and_port(text: str) -> bool:
    address, _, port = text.rpartition(":")
    try:
        ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return ("[" in address) is (":" in address) and port.isascii() and port.isdigit() and 0 < int(port) < 65_536


def _name_server(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if not _is_address_and_port(text):
            raise ValueError(f"{text!r} is no address of a name server; write 9.9.9.9 or 127.0.0.1:5353") from None
    return text


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Section):
    """One archive of front-matter files."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    path: Path | None = None
    git: str | None = None
    branch: str | None = None
    url: str | None = None
    include: tuple[str, ...] = DEFAULT_INCLUDE
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    site_url: str | None = None
    base_url: str | None = None

    @field_validator("url")
    @classmethod
    def _of_a_store(cls, url: str | None) -> str | None:
        if url is None:
            return None
        scheme = _SCHEME.match(url)
        if scheme is None or "::" in url:
            raise ValueError("`url` is one URL with its protocol, as s3://bucket/prefix; for a folder there is `path`")
        if scheme[1] in _NO_STORES:
            raise ValueError(f"{scheme[1]}:// has no listing of files; name a store, as s3://bucket/prefix")
        if scheme[1] not in fsspec.available_protocols():
            raise ValueError(f"{scheme[1]}:// is no protocol that fsspec knows; try s3://, gs://, abfs:// or sftp://")
        if _PASSWORD.search(url):
            raise ValueError("`url` must hold no password; its driver reads one from the environment")
        return url

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if [self.path, self.git, self.url].count(None) != 2:
            raise ValueError(
                "a source needs either `path`, the folder of the archive, or `git`, its repository, or `url`, its"
                " object store"
            )
        if self.git is not None and (not self.git or self.git.startswith("-")):
            raise ValueError("`git` is a URL or a folder, as https://example.org/archive.git or ../archive")
        if self.branch is not None and self.git is None:
            raise ValueError("`branch` belongs to `git`: a folder is read as it lies there")
        if self.branch is not None and not _BRANCH.fullmatch(self.branch):
            raise ValueError(f"{self.branch!r} is no name that a branch can have")
        return self


class Content(_Section):
    """How a file is read."""

    volatile_keys: tuple[str, ...] = ("secured",)
    max_front_matter_kb: Annotated[int, Field(ge=1)] = 64
    max_file_mb: Annotated[int, Field(ge=1)] = 16


class DomainRule(_Section):
    """An exception of one registrable domain from the pace of all."""

    pace_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    connections: Annotated[int, Field(ge=1)] | None = None
    skip: bool = False


class Wayback(_Section):
    """Copies of dead links, from a web archive's availability API."""

    enabled: bool = False
    endpoint: Annotated[str, Field(pattern=_ENDPOINT)] = "https://archive.org/wayback/available"
    pace_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    nightly_budget: Annotated[int, Field(ge=1)] = 500


class Links(_Section):
    """How links are asked."""

    enabled: bool = True
    contact: Annotated[str, Field(pattern=_CONTACT)] = "https://example.org/newsledger"
    pace_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    connections: Annotated[int, Field(ge=1)] = 1
    per_domain: dict[str, DomainRule] = {}
    concurrency: Annotated[int, Field(ge=1, le=20_000)] = 256
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 20
    nightly_budget: Annotated[int, Field(ge=0)] = 50_000
    nightly_minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 120
    second_opinion: bool = True
    connect_to: dict[str, str] = {}
    rehearsal: Path | None = None
    nameservers: tuple[Annotated[str, AfterValidator(_name_server)], ...] = ()
    allow_fast: bool = False
    domain_budget: Annotated[int, Field(ge=1)] = 2_000
    breaker_share: Annotated[float, Field(gt=0, le=1)] = 0.3
    checks_kept_nights: Annotated[int, Field(ge=1)] = 90
    allow_addresses: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    ca_file: Path | None = None
    control_urls: tuple[Annotated[str, Field(pattern=r"^https?://[^\s/]+")], ...] = ()
    wayback: Wayback = Wayback()

    @model_validator(mode="after")
    def _polite(self) -> Self:
        paces = {"pace_seconds": self.pace_seconds} | {
            f"per_domain.{domain}.pace_seconds": rule.pace_seconds
            for domain, rule in self.per_domain.items()
            if rule.pace_seconds is not None and not self._is_own(domain)
        }
        if self.wayback.enabled:
            paces["wayback.pace_seconds"] = self.wayback.pace_seconds
        for key, pace in paces.items():
            if pace < FAST_PACE_SECONDS and not (self.allow_fast or self.rehearsal):
                raise ValueError(
                    f"{key} is {pace} s: a gap under {FAST_PACE_SECONDS} s between requests to public hosts"
                    " needs allow_fast: true"
                )
        for key, target in self.connect_to.items():
            if not _is_address_and_port(target):
                raise ValueError(f"connect_to[{key!r}] is {target!r}: write address:port, as 127.0.0.1:8080")
        return self

    def _is_own(self, domain: str) -> bool:
        """An address that the settings themselves exempt from the guard is no public host."""
        try:
            address = ipaddress.ip_address(domain.strip("[]"))
        except ValueError:
            return False
        return any(address in ipaddress.ip_network(network) for network in self.allow_addresses)


class Schedule(_Section):
    """When the nightly refresh runs."""

    cron: Annotated[str, Field(pattern=r"^\S+( \S+){4}$")] = "0 2 * * *"
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    stale_after_hours: Annotated[float, Field(gt=0, le=24 * 366)] = 36
    runs_kept_days: Annotated[int, Field(ge=7)] = 400


class Warehouse(_Section):
    """How the DuckDB file is built and how many are kept."""

    keep: Annotated[int, Field(ge=1)] = 3
    storage_version: Annotated[str, Field(pattern=r"^(latest|v\d+\.\d+\.\d+)$")] = "v1.5.0"
    memory_limit: Annotated[str, Field(pattern=r"^\d+(\.\d+)? ?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")] = "2GB"


class LakeOptions(_Section):
    """How an object store is reached, beside its URL. Credentials are never settings."""

    endpoint: Annotated[str, Field(pattern=_ENDPOINT)] | None = None
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] | None = None
    allow_http: bool = False
    virtual_hosted_style: bool = False

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, values: Any) -> Any:
        for name in values if isinstance(values, dict) else ():
            if _SECRET.search(str(name)):
                raise ValueError(f"{name} is a secret, which no settings file holds; set it in the environment alone")
        return values

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.endpoint is not None and self.endpoint.startswith("http:") and not self.allow_http:
            raise ValueError("an http:// endpoint is read by whoever is on the way; it needs allow_http: true")
        return self


class Lake(_Section):
    """Where the logs and the table snapshots lie."""

    url: str | None = None
    options: LakeOptions = LakeOptions()
    keep_snapshots: Annotated[int, Field(ge=1)] = 3

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is in an object store."""
        return self.url is not None and "://" in self.url

    @field_validator("url")
    @classmethod
    def _of_a_lake(cls, url: str | None) -> str | None:
        if url is None or "://" not in url:
            if url is not None and not url.strip():
                raise ValueError("`url` is a folder, or a URL as s3://bucket/prefix; null is <data_dir>/lake")
            return url
        scheme, _, rest = url.partition("://")
        if scheme not in _LAKE_SCHEMES:
            raise ValueError(
                f"{scheme}:// is no store that a lake can be in; write {', '.join(f'{s}://' for s in _LAKE_SCHEMES)},"
                " or the path of a folder"
            )
        if any(sign in rest for sign in "?#@"):
            raise ValueError("`url` is the bucket and the prefix alone; credentials belong into the environment")
        if not _BUCKET.match(rest):
            raise ValueError(f"names no bucket; write {scheme}://bucket/prefix")
        return url

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.options != LakeOptions() and not (self.url or "").startswith("s3://"):
            raise ValueError("options are those of s3://; name a bucket in url, or leave them out")
        return self


class Sanity(_Section):
    """Floors under which a refresh stops rather than believe what it sees."""

    min_files_share: Annotated[float, Field(ge=0, le=1)] = 0.5


class Executor(_Section):
    """What runs the shards of the heavy stages."""

    kind: Literal["serial", "processes", "dask"] = "processes"
    workers: Annotated[int, Field(ge=1)] | None = None
    address: Annotated[str, Field(pattern=r"^((tcp|tls|ws|wss)://)?[^/\s]+:\d{1,5}$")] | None = None

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.kind == "dask" and self.address is None:
            raise ValueError("dask needs executor.address, where its scheduler listens: tcp://127.0.0.1:8786")
        if self.kind != "dask" and self.address is not None:
            raise ValueError("executor.address is the scheduler of kind dask; leave it out, or set kind: dask")
        if self.kind != "processes" and self.workers is not None:
            raise ValueError("executor.workers counts processes; a cluster has those that were started")
        return self


class Alerts(_Section):
    """Where failures are told. Only the variable's name is a setting: its value is a secret."""

    webhook_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "NEWSLEDGER_WEBHOOK"


class Settings(BaseSettings):
    """Everything a user may set. Read it with `load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="NEWSLEDGER_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    data_dir: Path = Path("data")
    sources: tuple[Source, ...] = Field(min_length=1)
    content: Content = Content()
    links: Links = Links()
    schedule: Schedule = Schedule()
    warehouse: Warehouse = Warehouse()
    lake: Lake = Lake()
    sanity: Sanity = Sanity()
    executor: Executor = Executor()
    alerts: Alerts = Alerts()

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are named {name!r}: a name is the identity of a source")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose values arrive as init values."""
        return env_settings, init_settings

    def without_asking(self) -> Self:
        """The same, but no link is asked."""
        return self.model_copy(update={"links": self.links.model_copy(update={"enabled": False})})

    @property
    def lake_dir(self) -> Path:
        """The folder of the lake, where it is in no object store."""
        return self.data_dir / "lake" if self.lake.url is None or self.lake.is_elsewhere else Path(self.lake.url)

    @property
    def copies_dir(self) -> Path:
        """The copies of sources that lie elsewhere."""
        return self.data_dir / "sources"

    @property
    def warehouse_file(self) -> Path:
        """The symlink to the last published warehouse."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def report_dir(self) -> Path:
        return self.data_dir / "report"

    @property
    def dagster_home(self) -> Path:
        return self.data_dir / "dagster"

    @property
    def lock_file(self) -> Path:
        return self.data_dir / "refresh.lock"


def load_settings(config: Path | None = None) -> Settings:
    """Read the settings from `config`, else from the file `NEWSLEDGER_CONFIG` names, else from `newsledger.yaml`.

    Raises SettingsError naming the file, the key and what to do.
    """
    file = Path(config or os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)
    values = _read_mapping(file)
    _refuse_unknown_variables(file)
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(_explain(file, error)) from None
    except Exception as error:  # pydantic-settings wraps an override that is no JSON in an error of its own
        raise SettingsError(f"{file}: an environment override cannot be read: {error}") from error
    return _absolute(settings, file.resolve().parent)


def _read_mapping(file: Path) -> dict[str, Any]:
    try:
        values = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    except FileNotFoundError:
        raise SettingsError(
            f"{file}: no such settings file; name one with --config or {CONFIG_VARIABLE}"
            f" (an annotated {DEFAULT_CONFIG} comes with Newsledger)"
        ) from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{file}: is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{file}: holds no settings; it needs at least `sources:`")
    return values


def _refuse_unknown_variables(file: Path) -> None:
    known = set(Settings.model_fields)
    for variable in sorted(os.environ):
        if not variable.startswith("NEWSLEDGER_") or variable in _NOT_SETTINGS:
            continue
        key, nested, _ = variable.removeprefix("NEWSLEDGER_").lower().partition("__")
        if nested and key not in known:
            raise SettingsError(f"{variable}: no such setting; {file} and its comments list the names")


def _explain(file: Path, error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"]) or "settings"
        if problem["type"] == "extra_forbidden":
            lines.append(f"{file}: unknown setting {key}; check its spelling and its place")
        elif problem["type"] == "missing":
            lines.append(f"{file}: {key} is missing")
        else:
            lines.append(f"{file}: {key}: {problem['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)


def _absolute(settings: Settings, folder: Path) -> Settings:
    """Relative paths made absolute against the folder of the settings file."""

    def place(path: Path | None) -> Path | None:
        return None if path is None else (folder / path.expanduser()).resolve()

    links = settings.links.model_copy(
        update={"rehearsal": place(settings.links.rehearsal), "ca_file": place(settings.links.ca_file)}
    )

    def repository(git: str | None) -> str | None:
        return git if git is None or _ELSEWHERE.match(git) else str(place(Path(git)))

    sources = tuple(
        source.model_copy(update={"path": place(source.path), "git": repository(source.git)})
        for source in settings.sources
    )
    lake = settings.lake
    if lake.url is not None and not lake.is_elsewhere:
        lake = lake.model_copy(update={"url": str(place(Path(lake.url)))})
    return settings.model_copy(
        update={"data_dir": place(settings.data_dir), "links": links, "lake": lake, "sources": sources}
    )
