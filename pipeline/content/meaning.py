"""What a file means, apart from how it is written.

Belongs here: the rules of reading, and the hash that tells a new meaning from the same one written anew. Line endings
and the order of keys do not count, nor do the volatile keys (`secured` is encrypted afresh each time); the order of a
list does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from pipeline.content.values import canonical
from pipeline.settings import Content


@dataclass(frozen=True)
class Rules:
    """How files are read, as the settings say."""

    volatile_keys: frozenset[str]
    max_front_matter_bytes: int
    max_file_bytes: int

    @classmethod
    def of(cls, content: Content) -> Self:
        return cls(
            frozenset(content.volatile_keys), content.max_front_matter_kb * 1024, content.max_file_mb * 1024 * 1024
        )


def semantic_sha256(mapping: Mapping[Any, Any], body: str, rules: Rules) -> str:
    """SHA-256 of the mapping without its volatile keys, as canonical JSON, a line break, and the body."""
    lasting, _ = divide(mapping, rules)
    return meaning_sha256(canonical(lasting), body)


def divide(mapping: Mapping[Any, Any], rules: Rules) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The mapping without its volatile keys, and those."""
    lasting: dict[Any, Any] = {}
    volatile: dict[Any, Any] = {}
    for key, value in mapping.items():
        (volatile if key in rules.volatile_keys else lasting)[key] = value
    return lasting, volatile


def meaning_sha256(lasting: bytes, body: str) -> str:
    """The same of what lasts, written as canonical JSON."""
    digest = sha256(lasting)
    digest.update(b"\n")
    if body:
        digest.update(body.replace("\r\n", "\n").encode())
    return digest.hexdigest()
