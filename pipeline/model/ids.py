"""Ids made from content: SHA-256 of tagged, length-prefixed natural keys, cut to 128 bits and written as a UUID.

Never from position, load time or chance, so the same thing has the same id in every run and on every machine. The
length prefix keeps ("ab", "c") and ("a", "bc") apart, the tag keeps a story and an article of one key apart.
The Python function and the SQL macro are two spellings of one rule; a property test holds them together.
"""

import hashlib

ID_MACROS = """
create or replace macro id_part(part) as strlen(part)::varchar || ':' || part || ',';
create or replace macro content_id(tag, part) as
    substr(sha256(id_part(tag) || id_part(part)), 1, 32)::uuid;
create or replace macro content_id2(tag, part, other) as
    substr(sha256(id_part(tag) || id_part(part) || id_part(other)), 1, 32)::uuid;
"""
"""DuckDB macros of the same rule for one and for two key parts (DuckDB has no variadic macro)."""


def content_id(tag: str, *parts: str) -> str:
    """The id of the thing of kind `tag` whose natural key is `parts`, as a lower-case UUID of 36 characters."""
    text = hashlib.sha256(b"".join([b"%d:%b," % (len(raw), raw) for raw in map(str.encode, (tag, *parts))])).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
