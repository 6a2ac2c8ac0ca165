"""The hostile web: links of every kind with what they truly are, to measure who judges them right.

`web.yaml` is the table, served by `pipeline.rehearsal`. `cases` reads its labels, `night` sweeps it and asks the SQL
for verdicts, `confusion` counts what was said against what is so. The tests run on it, and the benchmark sets other
checkers beside.
"""

from tests.hostile_web.cases import TABLE, WEB, Case, cases
from tests.hostile_web.confusion import Confusion

__all__ = ["TABLE", "WEB", "Case", "Confusion", "cases"]
