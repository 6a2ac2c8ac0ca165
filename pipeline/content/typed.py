"""Items of front matter as typed columns: the main item of a file and its related ones under the archive's own keys.

A value whose column holds it exactly goes there and nowhere else. Every other one becomes a leftover, so that nothing
is lost, and its column a null or, for a time written in another way, the instant it stands for. Columns are Python
lists over a whole shard, appended to key by key: no object a row, and the path of a value of the expected type is
short.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pipeline.content.fitting import (
    MIDNIGHT,
    NOTHING_APART,
    TEXT_KEYS,
    URL_ROLES,
    Apart,
    note_rest,
    read_instant,
)
from pipeline.content.notes import MAYBE_BLANK, MAYBE_URL, Notes
from pipeline.model.logs import IMAGE, ITEM, TIMESTAMP

_PROVIDER = ITEM.field("provider").type


class Images:
    """A column of lists of images."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._urls: list[str | None] = []
        self._widths: list[int | None] = []
        self._heights: list[int | None] = []
        self._cached: list[bool | None] = []
        self._titles: list[str | None] = []
        self._missing: list[bool] = []
        self._ends = [0]
        self._absent: list[bool] = []

    def append(self, images: Any, at: str, notes: Notes) -> int:
        """Appends the list at pointer `at`; tells 1 where the column holds it (its leftovers aside), 0 where not."""
        is_list = type(images) is list
        if is_list:
            for position, image in enumerate(images):
                self._append_image(image, f"{at}/{position}", notes)
        self._ends.append(len(self._urls))
        self._absent.append(not is_list)
        return 1 if is_list else 0

    def _append_image(self, image: Any, at: str, notes: Notes) -> None:
        kept = 0
        fields: dict[Any, Any] = image if type(image) is dict else {}
        get = fields.get
        if fields is not image and image is not None:
            notes.leftover(at, image)
            notes.issue("wrong_type", at, image, "an image is a mapping")
            notes.other_urls(at, image)
        self._missing.append(fields is not image)
        url, width, height, cached, title = get("url"), get("width"), get("height"), get("isCached"), get("title")
        if type(url) is str:
            kept += 1
            self._urls.append(url)
            if url[:1] in MAYBE_BLANK:
                notes.use(at + "/url", self._role, url)
            else:
                notes.use_pointers.append(at + "/url")
                notes.use_roles.append(self._role)
                notes.use_texts.append(url)
        else:
            self._urls.append(None)
        if type(width) is int and -0x80000000 <= width <= 0x7FFFFFFF:
            kept += 1
            self._widths.append(width)
        else:
            self._widths.append(None)
        if type(height) is int and -0x80000000 <= height <= 0x7FFFFFFF:
            kept += 1
            self._heights.append(height)
        else:
            self._heights.append(None)
        if type(cached) is bool:
            kept += 1
            self._cached.append(cached)
        else:
            self._cached.append(None)
        if type(title) is str:
            kept += 1
            self._titles.append(title)
            if title[:1] in MAYBE_URL:
                notes.other_urls(f"{at}/title", title)
        else:
            self._titles.append(None)
        if kept != len(fields):
            note_rest(image, at, notes, ("url", "width", "height", "isCached", "title"))

    def array(self) -> pa.ListArray:
        columns = (self._urls, self._widths, self._heights, self._cached, self._titles)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, IMAGE, strict=True)]
        images = pa.StructArray.from_arrays(arrays, fields=list(IMAGE), mask=pa.array(self._missing, pa.bool_()))
        return _list_array(self._ends, images, self._absent)


class Items:
    """A column of items."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str | None]] = {key: [] for key in (*TEXT_KEYS, *URL_ROLES)}
        self._text_columns = [(key, self._texts[key].append) for key in TEXT_KEYS]
        self._url_columns = [(key, f"/{key}", role, self._texts[key].append) for key, role in URL_ROLES.items()]
        self._times: list[datetime | None] = []
        self._precisions: list[str | None] = []
        self._qualities: list[int | None] = []
        self._heats: list[int | None] = []
        self._published: list[bool | None] = []
        self._topics: list[str | None] = []
        self._topic_ends = [0]
        self._no_topics: list[bool] = []
        self._images = Images("image")
        self._names: list[str | None] = []
        self._domains: list[str | None] = []
        self._logos = Images("provider_image")
        self._no_provider: list[bool] = []
        self._missing: list[bool] = []

    def __len__(self) -> int:
        return len(self._missing)

    def append_none(self, notes: Notes) -> None:
        """An item that is not there: a rejected file, a related entry that is no mapping."""
        self._append({}, "", notes)
        self._missing.append(True)

    def append(self, item: Mapping[Any, Any], at: str, notes: Notes, apart: Apart = NOTHING_APART) -> None:
        """Appends the item at pointer `at`, and notes what it holds beside its columns."""
        kept = self._append(item, at, notes)
        self._missing.append(False)
        if kept != len(item):
            note_rest(item, at, notes, _ITEM_KEYS, apart)

    def _append(self, item: Mapping[Any, Any], at: str, notes: Notes) -> int:
        get = item.get
        kept = 0
        for key, append in self._text_columns:
            value = get(key)
            if type(value) is str:
                kept += 1
                append(value)
                if value[:1] in MAYBE_URL:
                    notes.other_urls(f"{at}/{key}", value)
            else:
                append(None)
        add_pointer, add_role, add_url = notes.use_pointers.append, notes.use_roles.append, notes.use_texts.append
        for key, step, role, append in self._url_columns:
            value = get(key)
            if type(value) is str:
                kept += 1
                append(value)
                if value[:1] in MAYBE_BLANK:
                    notes.use(at + step, role, value)
                else:
                    add_pointer(at + step)
                    add_role(role)
                    add_url(value)
            else:
                append(None)

        value = get("publishedDateTime")
        if type(value) is datetime and value.tzinfo is UTC:
            kept += 1
            self._times.append(value)
            self._precisions.append("midnight" if not value.hour and value.time() == MIDNIGHT else "second")
        else:
            instant, precision = read_instant(value)
            self._times.append(instant)
            self._precisions.append(precision)

        value = get("quality")
        if type(value) is int and -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
            kept += 1
            self._qualities.append(value)
        else:
            self._qualities.append(None)
        value = get("heat")
        if type(value) is int and -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
            kept += 1
            self._heats.append(value)
        else:
            self._heats.append(None)
        value = get("published")
        if type(value) is bool:
            kept += 1
            self._published.append(value)
        else:
            self._published.append(None)

        topics, images = get("topics"), get("images")
        if topics is None:
            self._topic_ends.append(len(self._topics))
            self._no_topics.append(True)
        else:
            kept += self._append_topics(topics, at, notes)
        kept += self._images.append(images, at + "/images", notes)
        return kept + self._append_provider(get("provider"), at + "/provider", notes)

    def _append_topics(self, topics: Any, at: str, notes: Notes) -> int:
        is_list = type(topics) is list
        if is_list:
            for position, topic in enumerate(topics):
                if type(topic) is str:
                    self._topics.append(topic)
                    if topic[:1] in MAYBE_URL:
                        notes.other_urls(f"{at}/topics/{position}", topic)
                    continue
                self._topics.append(None)
                if topic is not None:
                    place = f"{at}/topics/{position}"
                    notes.leftover(place, topic)
                    notes.issue("wrong_type", place, topic, "a topic is a text")
                    notes.other_urls(place, topic)
        self._topic_ends.append(len(self._topics))
        self._no_topics.append(not is_list)
        return 1 if is_list else 0

    def _append_provider(self, provider: Any, at: str, notes: Notes) -> int:
        if type(provider) is not dict:
            self._names.append(None)
            self._domains.append(None)
            self._logos.append(None, at, notes)
            self._no_provider.append(True)
            return 0
        kept = 0
        name, domain = provider.get("name"), provider.get("domain")
        if type(name) is str:
            kept += 1
            self._names.append(name)
            if name[:1] in MAYBE_URL:
                notes.other_urls(f"{at}/name", name)
        else:
            self._names.append(None)
        if type(domain) is str:
            kept += 1
            self._domains.append(domain)
            if domain[:1] in MAYBE_URL:
                notes.other_urls(f"{at}/domain", domain)
        else:
            self._domains.append(None)
        kept += self._logos.append(provider.get("images"), at + "/images", notes)
        self._no_provider.append(False)
        if kept != len(provider):
            note_rest(provider, at, notes, ("name", "domain", "images"))
        return 1

    def array(self) -> pa.StructArray:
        columns: dict[str, pa.Array] = {key: pa.array(texts, pa.string()) for key, texts in self._texts.items()}
        columns["publishedDateTime"] = pa.array(self._times, TIMESTAMP)
        columns["publishedPrecision"] = pa.array(self._precisions, pa.string())
        columns["quality"] = pa.array(self._qualities, pa.int64())
        columns["heat"] = pa.array(self._heats, pa.int64())
        columns["published"] = pa.array(self._published, pa.bool_())
        columns["topics"] = _list_array(self._topic_ends, pa.array(self._topics, pa.string()), self._no_topics)
        columns["images"] = self._images.array()
        columns["provider"] = pa.StructArray.from_arrays(
            [pa.array(self._names, pa.string()), pa.array(self._domains, pa.string()), self._logos.array()],
            fields=list(_PROVIDER),
            mask=pa.array(self._no_provider, pa.bool_()),
        )
        return pa.StructArray.from_arrays(
            [columns[field.name] for field in ITEM], fields=list(ITEM), mask=pa.array(self._missing, pa.bool_())
        )


_ITEM_KEYS = frozenset(field.name for field in ITEM) - {"publishedPrecision"}


def _list_array(ends: list[int], values: pa.Array, absent: list[bool]) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values, mask=pa.array(absent, pa.bool_()))
