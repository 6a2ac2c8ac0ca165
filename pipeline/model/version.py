"""The version of the program, as it names itself to people and to web servers."""

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """The installed version of Newsledger, or `0+unknown` in a tree that was never installed."""
    try:
        return version("newsledger")
    except PackageNotFoundError:
        return "0+unknown"
