"""YAML that is hard to read: every implicit type of YAML 1.1 and what looks like one, in every style of writing."""

from hypothesis import strategies as st

LOOKALIKES = [
    *("y", "Y", "n", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "OFF", "off", "true", "True", "TRUE", "tRUE"),
    *("false", "False", "FALSE", "~", "null", "Null", "NULL", "nULL", "", "None", "=", "<<", "-", "--", "---", "..."),
    *("0", "-0", "+0", "7", "+7", "-7", "007", "012", "08", "09", "0o7", "0o8", "0O7", "0b101", "0b2", "0B1", "-0b11"),
    *("0x1F", "0xfg", "0X1F", "-0x1f", "+0x_1", "0x", "0b", "0b_", "1_000", "_1", "1_", "1__0", "-1_0", "+_1", "0_7"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551616", f"1{'0' * 40}"),
    *("1:30", "1:60", "1:99", "12:30:45", "190:20:30", "01:30", "-1:30", "+1:3", "1:3:", "1:30.5", "1:30:00.25", "0:0"),
    *("1_0:30", "1:30_", "1:3_0", "1:_3", "1:.5", "1:30.", "60:00", "1:5e3"),
    *("1.5", "1.", ".5", "-.5", "+.5", "-1.5", "+1.5"),
    *("1.5e3", "1e3", "1E3", "1e+3", "1.e3", "1.5e+3", "1.5E-3", ".5e3"),
    *("1.5e", "1.5e+", "1e-3", "1.e+3", "._5", "1_0.5", "1.5_5", "1._5"),
    *("_.5", "1.2.3", ".", "..", ".e3", ".5e+3", "0.", "00.5"),
    *("1.7976931348623157e+308", "1.0e+400", "-1.0e+400", "5.0e-324", "0.1000000000000000055511151231257827"),
    *(".inf", "-.inf", "+.inf", ".Inf", ".INF", ".iNF", "inf"),
    *(".nan", ".NaN", ".NAN", ".Nan", "-.nan", "nan", ".infinity"),
    *("2021-02-03", "2021-02-30", "2021-2-3", "2021-13-01", "0000-01-01", "0001-01-01", "9999-12-31", "20210203"),
    *("2021-02-03T04:05:06Z", "2021-02-03t04:05:06z", "2021-02-03 04:05:06", "2021-02-03 4:05:06", "2021-2-3 4:5:6"),
    *("2021-02-03T04:05:06.789Z", "2021-02-03T04:05:06.1234567Z"),
    *("2021-02-03T04:05:06+02:00", "2021-02-03 04:05:06 +2"),
    *("2021-02-03 04:05:06 Z", "2021-02-03T04:05:06-0230", "2021-02-03T04:05:06-02:30", "2021-02-03T24:00:00Z"),
    *("2021-02-03T04:05", "2021-02-03T04:05Z", "2021-02-03T04:60:00Z"),
    *("2021-02-03T04:05:60Z", "2021-02-03T", "2021-02-03Z"),
    *("2021-02-03  04:05:06", "2021-02-03\t04:05:06Z"),
    *("2021-02-03 04:05:06\tZ", "2021-02-03T04:05:06.Z", "2021-02-03T04:05:06,5Z"),
    *("2021-02-03T04:05:06+14:00", "2021-02-03T04:05:06+24:00"),
    *("2021-02-03T04:05:06+99:99", "0001-01-01T00:00:00+02:00"),
    *("2021-02-30T04:05:06Z", "2021-02-03 04:05:06.5 +02:00", "2021-02-03T04:05:06 -05:30", "2021-02-03T04:05:06+2:30"),
]  # fmt: skip
"""Plain scalars that are of a type, and their neighbours that are not, or that only one reader may think to be."""

WORDS = [
    *("a", "tide", "a b", "Mæl", "日本", "🌊", "a: b", "a:b", "a #b"),
    *("a#b", "#a", "a, b", "[a", "a]", "{a", "a}", "a:", ":a"),
    *("- a", "-a", "? a", "?a", "'a", "a'", '"a', 'a"', "&a"),
    *("*a", "!a", "%a", "@a", "`a", "|a", ">a", "a|", "a\tb", "a\t#b"),
    *("\ta", "a\t", "https://a.example/?b=1&c=[2]#d", "a &amp; b", "a & b"),
    *("R&D", "a\\nb", "\\", "a\u00a0b", "a\u200bb"),
    *("a\x85b", "a\u2028b", "a\u2029b", "\ufeffa", "a\ufeffb"),
    *("a\rb", "a\x7fb", "a\x01b", "a\u0080b", "\u00e9", "e\u0301"),
]  # fmt: skip
"""Plain scalars, or what a careless hand writes as one."""

KEYS = [
    *(["a", "b", "c", "d", "e"] * 3), "a b", "é", "1", "1.0", "0x1", "true", "no", "~",
    "2021-02-03", ".nan", "'a'", '"a"', "<<", "=", "a#", "-a", "?a",
]  # fmt: skip
ESCAPES = [
    "\\n", "\\t", "\\\\", '\\"', "\\x41", "\\u00e9", "\\U0001f30a", "\\0", "\\e", "\\_",
    "\\N", "\\L", "\\P", "\\/", "\\ ", "\\a", "\\v", "\\q", "\\x4", "\\ud83c",
]  # fmt: skip
COMMENTS = [*([""] * 30), " # comment", "  #", "\t# tab", " #: [a, {b", "#no comment", " # 'quote", " "]

mild = st.sampled_from(
    ["tide", "a b", "Mæl", "R&D", "a:b", "a#b", "https://a.example/?b=1&c=2#d", "a &amp; b", "x, y", "7"]
)
plain = (
    mild
    | mild
    | st.sampled_from(LOOKALIKES)
    | st.sampled_from(LOOKALIKES)
    | st.one_of(mild, mild, st.sampled_from(WORDS), st.text("ab01.:-+_ eTZ#'", max_size=6))
)
_pieces = st.lists(
    mild
    | mild
    | st.sampled_from([*LOOKALIKES[:20], *WORDS, " ", "  ", "\n  ", "\n\n   ", "\n \t", "''"])
    | st.sampled_from(ESCAPES),
    max_size=4,
).map("".join)
double_quoted = _pieces.map(lambda text: '"' + text.replace('"', '\\"') + '"')
single_quoted = _pieces.map(lambda text: "'" + text.replace("'", "''") + "'")


@st.composite
def _block_scalar(draw: st.DrawFn, indent: int) -> str:
    header = draw(
        st.sampled_from([*["|", ">", "|-", ">-", "|+", ">+"] * 4, "|2", ">1-", "|+1", ">3", "|0", "| x", "|\t", "|--"])
    )
    comment = draw(st.sampled_from(COMMENTS))
    pad = " " * (indent + draw(st.sampled_from([*([2] * 12), 1, 4, 0])))
    lines = draw(
        st.lists(
            st.sampled_from(
                [
                    "a",
                    "b c",
                    "",
                    " x",
                    "\ty",
                    "  ",
                    "# no comment",
                    "- a",
                    "a: b",
                    "---",
                    "...",
                    "é",
                    "a\x85b",
                    "'",
                    "%a",
                ]
            ),
            max_size=4,
        )
    )
    return f" {header}{comment}\n" + "".join(f"{pad if line else ''}{line}\n" for line in lines)


@st.composite
def _flow(draw: st.DrawFn, depth: int) -> str:
    kind = draw(st.sampled_from(["scalar", "scalar", "list", "mapping"] if depth else ["scalar"]))
    prefix = draw(st.sampled_from(_PREFIXES))
    if kind == "scalar":
        return prefix + draw(st.one_of(plain, single_quoted, double_quoted, st.sampled_from(["*x", "*y"])))
    inner = draw(st.lists(_flow(depth - 1), max_size=3))
    comma = draw(st.sampled_from([*([", "] * 9), ",", " , ", ",\n    ", ",\n", ", # c\n  "]))
    if kind == "list":
        parts = [draw(st.sampled_from([*([""] * 9), "a: ", "? a : "])) + part for part in inner]
        return f"{prefix}[{comma.join(parts)}{draw(st.sampled_from(['', '', '', '', ',', ' ']))}]"
    colon = draw(st.sampled_from([*([": "] * 9), ":", " : ", ":\n  "]))
    parts = [draw(st.sampled_from([*KEYS, ""])) + colon + part for part in inner]
    return f"{prefix}{{{comma.join(parts)}{draw(st.sampled_from(['', '', '', '', ',', ' ']))}}}"


_PREFIXES = [*([""] * 60), "&x ", "&y ", "!!str ", "!!int ", "!t ", "! "]


@st.composite
def _node(draw: st.DrawFn, depth: int, indent: int) -> str:
    """What follows a key's colon or a dash, up to the end of its line or lines."""
    kinds = ["scalar", "scalar", "quoted", "flow", "block scalar"]
    kind = draw(st.sampled_from([*kinds, "mapping", "list", "list at its key"] if depth else kinds))
    prefix = draw(st.sampled_from(_PREFIXES))
    comment = draw(st.sampled_from(COMMENTS))
    if kind == "scalar":
        more = draw(st.sampled_from([*([""] * 30), *([f"\n{' ' * (indent + 2)}more"] * 3), f"\n{' ' * indent}less"]))
        gap = draw(st.sampled_from([*([" "] * 30), "  ", "\t"]))
        return f"{gap}{prefix}{draw(plain)}{more}{comment}\n"
    if kind == "quoted":
        return f" {prefix}{draw(double_quoted | single_quoted)}{comment}\n"
    if kind == "flow":
        return f" {draw(_flow(2))}{comment}\n"
    if kind == "block scalar":
        return draw(_block_scalar(indent))
    deeper = indent + (0 if kind == "list at its key" else draw(st.sampled_from([*([2] * 9), 1, 4])))
    block = draw(_mapping(depth - 1, deeper) if kind == "mapping" else _list(depth - 1, deeper))
    return f"{' ' if prefix else ''}{prefix.rstrip()}{comment}\n{block}"


@st.composite
def _mapping(draw: st.DrawFn, depth: int, indent: int) -> str:
    pad = " " * indent
    keys = draw(
        st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=draw(st.sampled_from([True] * 9 + [False])))
    )
    lines = []
    for key in keys:
        if draw(st.integers(0, 20)) == 0:
            odd = ["? {key}\n{pad}: v\n", "<<: *x\n", "<<: [*x, *y]\n", "<<: {{z: 1}}\n", "# c\n", "\t\n"]
            lines.append(pad + draw(st.sampled_from(odd)).format(key=key, pad=pad))
        else:
            lines.append(f"{pad}{key}{draw(st.sampled_from([*([':'] * 9), ' :']))}{draw(_node(depth, indent))}")
    return "".join(lines)


@st.composite
def _list(draw: st.DrawFn, depth: int, indent: int) -> str:
    pad = " " * indent
    elements = draw(st.lists(_node(depth, indent + 2), min_size=1, max_size=3))
    inline = draw(st.sampled_from([False, False, True]))
    if inline:
        pairs = draw(_mapping(depth - 1 if depth else 0, indent + 2))
        elements.append(" " + pairs.removeprefix(" " * (indent + 2)))
    return "".join(f"{pad}-{element}" for element in elements)


@st.composite
def hostile_yaml(draw: st.DrawFn) -> str:
    """A text of YAML, or nearly: most of it is valid."""
    text = draw(_mapping(2, 0))
    start = draw(st.sampled_from([*([""] * 30), "---\n", "--- # c\n", "\ufeff", "%YAML 1.1\n---\n", "# c\n", "\n"]))
    end = draw(st.sampled_from([*([""] * 30), "...\n", "---\n", "... # c\n", "--- a\n", "# c", "\t\n"]))
    breaks = draw(st.sampled_from([*(["\n"] * 20), "\r\n", "\r"]))
    whole = start + text + end
    if draw(st.integers(0, 9)) == 0:
        whole = whole.removesuffix("\n")
    return whole.replace("\n", breaks)
