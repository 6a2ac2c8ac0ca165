"""The errors Newsledger raises on purpose, as one short hierarchy.

Each message says what happened, where (a path with line and column, a URL, a setting) and what to do. Anything that
is not a `NewsledgerError` is a defect of the program, not of its input.
"""


class NewsledgerError(Exception):
    """Base of every error that a user can act on."""


class SettingsError(NewsledgerError):
    """The settings file or an environment override cannot be used."""


class SourceError(NewsledgerError):
    """A source of content cannot be read as a whole (a missing folder, a tree that shrank)."""


class LakeError(NewsledgerError):
    """The logs or the table snapshots cannot be read or written."""


class ExecutorError(NewsledgerError):
    """The worker processes, or the cluster, that shards run in cannot be used."""


class RefreshBusyError(NewsledgerError):
    """Another process holds the refresh lock."""


class ClockError(NewsledgerError):
    """The time given for a refresh cannot be used."""


class RehearsalError(NewsledgerError):
    """The rehearsal web's table cannot be used."""


class WarehouseError(NewsledgerError):
    """The warehouse cannot be built, published or read."""


class QueryError(NewsledgerError):
    """A query given by the user failed."""
