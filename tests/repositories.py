"""Git repositories that a test writes: commits of given files at given times, made by the real git."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FIRST_COMMIT = 1_600_000_000
"""2020-09-13 12:26:40 UTC"""
_ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "A. Writer",
    "GIT_AUTHOR_EMAIL": "writer@example.org",
    "GIT_COMMITTER_NAME": "A. Writer",
    "GIT_COMMITTER_EMAIL": "writer@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}

Content = str | bytes | None
Files = Mapping[str | bytes, "Content | tuple[str, Content]"]
"""What becomes of each path: its content, its mode and its content or object, or None where it is removed."""


def git(*arguments: str | Path, folder: Path | None = None, given: bytes | None = None) -> str:
    """What git prints, run in that folder."""
    done = subprocess.run(
        ["git", *map(str, arguments)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | _ENVIRONMENT,
        input=given,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


@dataclass(frozen=True, slots=True)
class Origin:
    """A bare repository whose HEAD is `main`."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> "Origin":
        git("init", "--quiet", "--bare", "-b", "main", folder)
        return cls(folder)

    def commit(self, files: Files, at: int = FIRST_COMMIT, branch: str = "main") -> str:
        """Put one commit upon the branch; its id."""
        return self.commits([(at, files)], branch)

    def commits(self, several: Iterable[tuple[int, Files]], branch: str = "main", anew: bool = False) -> str:
        """Put commits of these times upon the branch, or, `anew`, into its place; the id of the last."""
        has_branch = self.tip(branch) is not None
        out = [b"reset refs/heads/%s\n\n" % branch.encode()] if anew and has_branch else []
        for number, (at, files) in enumerate(several):
            out.append(b"commit refs/heads/%s\ncommitter A <a@example.org> %d +0000\n" % (branch.encode(), at))
            out.append(b"data 1\nx\n")
            if number == 0 and has_branch and not anew:
                out.append(b"from refs/heads/%s^0\n" % branch.encode())
            out += [_change(path, what) for path, what in files.items()]
        git("fast-import", "--quiet", "--force", folder=self.folder, given=b"".join(out))
        tip = self.tip(branch)
        assert tip is not None
        return tip

    def tip(self, branch: str = "main") -> str | None:
        return git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}", folder=self.folder) or None


def _change(path: str | bytes, what: "Content | tuple[str, Content]") -> bytes:
    raw = path.encode() if isinstance(path, str) else path
    quoted = b'"%s"' % b"".join(b"\\%03o" % byte for byte in raw)
    if what is None:
        return b"D %s\n" % quoted
    mode, content = what if isinstance(what, tuple) else ("100644", what)
    assert content is not None
    data = content.encode() if isinstance(content, str) else content
    if mode == "160000":
        return b"M 160000 %s %s\n" % (data, quoted)
    return b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), quoted, len(data), data)
