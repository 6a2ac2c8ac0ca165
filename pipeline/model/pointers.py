"""JSON pointers (RFC 6901), by which a row names its place in a file's front matter."""


def step(key: object) -> str:
    """One step of a pointer."""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")
