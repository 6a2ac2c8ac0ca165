"""Put other URLs into a file's front matter, and touch nothing else.

`mend` finds each text by the place that a parser of its language names, writes the new one in the style of the old, and
reads the result: it must mean what the file meant but for those texts, to the last byte of its body. What cannot be
done so is refused, text by text; everything else of the file stays as it was written: comments, quotes, line endings,
byte order mark, the order of keys. Whoever wants a file mended says why, and writes it; nothing here opens a file.
"""

from pipeline.content.mending.mending import Change, Mended, Refusal, mend

__all__ = ["Change", "Mended", "Refusal", "mend"]
