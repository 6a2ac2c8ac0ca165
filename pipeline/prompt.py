"""`newsledger sql` without a statement: a prompt over the published warehouse, by prompt_toolkit.

Belongs here: when a statement is complete, what can be completed in it, where its history lies. How results look is
`printing`'s; that each statement goes to what is published when it is sent is the warehouse's.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import typer
from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import completion_is_selected
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from pipeline.errors import NewsledgerError
from pipeline.printing import print_as
from pipeline.warehouse import Conversation

ROWS_SHOWN = 200
_WORD = re.compile(r"[\w.]+")
_NAMED = re.compile(r"\b(?:from|join)\s+([\w.]+)(?:\s+(?:as\s+)?(\w+))?", re.IGNORECASE)
_CATALOG = """
select 'column' as kind, schema_name || '.' || table_name as owner, column_name as name, data_type as meaning
from duckdb_columns()
where not internal
union all
select kind, '', relation, description
from ops.catalog
union all
select 'keyword', '', keyword_name, 'keyword'
from duckdb_keywords()
where keyword_category = 'reserved'
"""


@dataclass(frozen=True, slots=True)
class _Names:
    """What the open warehouse has names for, each with its meaning."""

    relations: dict[str, str]
    macros: dict[str, str]
    columns: dict[str, dict[str, str]]
    """Of each relation."""
    keywords: dict[str, str]


class CatalogCompleter(Completer):
    """Relations, columns, macros and keywords of the warehouse that is open."""

    def __init__(self) -> None:
        self._names = _Names({}, {}, {}, {})

    def learn(self, conversation: Conversation) -> None:
        """Take the names of the warehouse that is open now."""
        names = _Names({}, {}, {}, {})
        for answer in conversation.ask(_CATALOG, 1_000_000):
            for row in answer.rows.to_pylist():
                name, meaning = row["name"], row["meaning"]
                match row["kind"]:
                    case "column":
                        names.columns.setdefault(row["owner"], {})[name] = meaning
                    case "macro":
                        names.macros[name.partition("(")[0] + "("] = meaning
                    case "keyword":
                        names.keywords[name] = meaning
                    case _:
                        names.relations[name] = meaning
        self._names = names

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 (the library's)
    ) -> Iterable[Completion]:
        word = document.get_word_before_cursor(pattern=_WORD)
        owner, dot, start = word.rpartition(".")
        found = self._of(owner, document.text) if dot else self._anywhere(document.text)
        for name, meaning in found:
            if name.lower().startswith(start.lower()):
                yield Completion(name, -len(start), display_meta=meaning)
        if start and not dot:  # a table by its own name, without the schema
            for name, meaning in sorted(self._names.relations.items()):
                if name.partition(".")[2].startswith(start.lower()):
                    yield Completion(name, -len(start), display_meta=meaning)

    def _of(self, owner: str, text: str) -> Iterator[tuple[str, str]]:
        """What stands behind a dot: tables of a schema, columns of a table or of what it is called in the statement."""
        for name, meaning in sorted(self._names.relations.items()):
            schema, _, table = name.partition(".")
            if schema == owner.lower():
                yield table, meaning
        relation = _called(text).get(owner.lower(), owner.lower())
        yield from self._names.columns.get(relation, {}).items()

    def _anywhere(self, text: str) -> Iterator[tuple[str, str]]:
        named = set(_called(text).values())
        for relation in sorted(named & self._names.columns.keys()):
            yield from self._names.columns[relation].items()
        yield from sorted(self._names.relations.items())
        yield from sorted(self._names.macros.items())
        yield from sorted(self._names.keywords.items())


def _called(text: str) -> dict[str, str]:
    """What the relations of a statement are called in it, each by its name, its bare name and its alias."""
    called: dict[str, str] = {}
    for relation, alias in _NAMED.findall(text.lower()):
        called |= dict.fromkeys((relation, relation.rpartition(".")[2], alias), relation)
    return called


def run_prompt(link: Path, form: str) -> None:
    """Read statements until Ctrl-D. An error is shown, and the prompt goes on. Raises WarehouseError where nothing is
    published yet."""
    conversation, completer = Conversation(link), CatalogCompleter()
    conversation.follow()
    completer.learn(conversation)
    session: PromptSession[str] = PromptSession(
        "sql> ",
        multiline=True,
        prompt_continuation="...> ",
        completer=completer,
        complete_while_typing=False,
        history=_history(),
        key_bindings=_keys(),
    )
    typer.echo(f"{conversation.file}, read-only. A statement ends with ; Tab completes, Ctrl-C drops, Ctrl-D ends.")
    while True:
        try:
            text = session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            break
        try:
            if conversation.follow():
                completer.learn(conversation)
                typer.echo(f"a new warehouse was published: {conversation.file}")
            for answer in conversation.ask(text, ROWS_SHOWN):
                print_as(answer.rows, form)
                if answer.has_more:
                    typer.echo(f"the first {ROWS_SHOWN} rows; there are more")
        except NewsledgerError as error:
            typer.echo(str(error), err=True)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
    conversation.close()


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter", filter=~completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if _is_complete(buffer):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    @keys.add("enter", filter=completion_is_selected)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None

    return keys


def _is_complete(buffer: Buffer) -> bool:
    """Enter sends what ends with a semicolon, and nothing but white space."""
    text = buffer.text.strip()
    return not text or (text.endswith(";") and not buffer.document.text_after_cursor.strip())


def _history() -> History:
    """What the user typed, where their state lies by the XDG base directory specification; only they may read it."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    file = Path(state) / "newsledger" / "sql_history"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        typer.echo(f"{file}: no history is kept: {error.strerror}; XDG_STATE_HOME can name another place", err=True)
        return InMemoryHistory()
    return FileHistory(str(file))
