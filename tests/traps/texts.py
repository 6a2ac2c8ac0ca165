"""The traps that lie in the text of one file."""

from tests.traps.trap import Trap, text, yaml

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)
MERGE_BOMB = "a: &a {x: 1, y: 2}\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [{','.join(['*' + chr(97 + n)] * 9)}]}}\n" for n in range(8)
)
FAT_BOMB = f"a: &a {'x' * 20_000}\nb: [{','.join(['*a'] * 10_000)}]\n"

FENCES: tuple[Trap, ...] = (
    text("a plain file", "---\na: 1\n---\nbody\n", 'accepted: `{"a":1}`; body `body\\n`'),
    text("0 bytes", "", "skipped: `empty_file`", looks="nothing"),
    text("a byte order mark alone", "\ufeff", "skipped: `empty_file`"),
    text("no fence", "# A heading\n", "skipped: `no_front_matter` at 1:1"),
    text("a blank line before the fence", "\n---\na: 1\n---\n", "skipped: `no_front_matter` at 1:1"),
    text("a template's tag", "{% include head.html %}\n", "skipped: `no_front_matter` at 1:1"),
    text("a template's expression", "{{ page.title }}\n", "skipped: `no_front_matter` at 1:1"),
    text("a fence that is never closed", "---\na: 1\n", "rejected: `unclosed_front_matter` at 1:1"),
    text("a fence and nothing else", "---", "rejected: `unclosed_front_matter` at 1:1"),
    text("a fence of four dashes", "----\na: 1\n----\n", "skipped: `no_front_matter` at 1:1"),
    text("four dashes close nothing", "---\na: |\n ----\n---\n", 'accepted: `{"a":"----\\n"}`'),
    text("spaces behind the fences", "---  \t\na: 1\n--- \t\nbody", 'accepted: `{"a":1}`; body `body`'),
    text("dots close", "---\na: 1\n...\nbody", 'accepted: `{"a":1}`; body `body`'),
    text("no final newline", "---\na: 1\n---", 'accepted: `{"a":1}`'),
    text("nothing between the fences", "---\n---\nbody", "accepted: `{}`; body `body`"),
    text("a comment between the fences", "---\n# nothing\n---\nbody", "accepted: `{}`; body `body`"),
    text("CRLF", "---\r\na: 1\r\n---\r\nbody\r\n", 'accepted: `{"a":1}`; body `body\\r\\n`'),
    text(
        "a value over a CRLF",
        '---\r\na: |\r\n  x\r\n  y\r\nb: "p\r\n  q"\r\n---\r\n',
        'accepted: `{"a":"x\\ny\\n","b":"p q"}`',
    ),
    text("a byte order mark", "\ufeff---\na: 1\n---\n", 'accepted: `{"a":1}`'),
    text("a fence inside a block scalar", "---\na: |\n  ---\n  x\n---\n", 'accepted: `{"a":"---\\nx\\n"}`'),
    text(
        "a fence at the margin of a block scalar", "---\na: |\n---\nx\n---\n", 'accepted: `{"a":""}`; body `x\\n---\\n`'
    ),
    text("a fence in the body", "---\na: 1\n---\nx\n---\ny\n", 'accepted: `{"a":1}`; body `x\\n---\\ny\\n`'),
    text("two documents between the fences", "---\na: 1\n--- b\n---\n", "rejected: `several_documents` at 3:1"),
    text(
        "two files spliced, a date that turns into another file's text",
        "---\ntitle: a\npublishedDateTime: 2021-02-04T---\n category: x: news\n---\n",
        "rejected: `invalid_syntax` at 4:10",
    ),
    text(
        "two files spliced, cut inside a quoted string",
        "---\ntitle: 'a\n---\ncategory: news\n---\n",
        "rejected: `invalid_syntax` at 3:1",
    ),
    text(
        "TOML", "+++\na = 1\nd = 2021-02-03\n+++\nbody", 'accepted: `{"a":1,"d":{"$date":"2021-02-03"}}`; body `body`'
    ),
    text("JSON", '{"a": {"b": [1]}}\nbody', 'accepted: `{"a":{"b":[1]}}`; body `body`'),
    text("a data file of bare YAML", "# c\na: 1\n", 'accepted: `{"a":1}`', file="_data/a.yml"),
    text(
        "a data file of YAML with its own marks",
        "---\na: 1\n...\n# the end\n",
        'accepted: `{"a":1}`',
        file="_data/a.yaml",
    ),
    text(
        "a data file of two documents",
        "---\na: 1\n---\nb: 2\n",
        "rejected: `several_documents` at 3:1",
        file="_data/a.yaml",
    ),
    text(
        "a data file that goes on behind its end",
        "a: 1\n...\nb: 2\n",
        "rejected: `several_documents` at 2:1",
        file="_data/a.yaml",
    ),
    text(
        "a data file of two documents without a first mark",
        "a: 1\n---\nb: 2\n",
        "rejected: `several_documents` at 2:1",
        file="_data/a.yaml",
    ),
    text("a data file of JSON", '{"a": 1}', 'accepted: `{"a":1}`', file="_data/a.json"),
    text("a data file of TOML", "a = 1", 'accepted: `{"a":1}`', file="_data/a.toml"),
)

REFUSED_VALUES: tuple[Trap, ...] = (
    yaml("a quote that is never closed", "a: 1\nb: 'never closed\nc: d", "rejected: `invalid_syntax` at 5:1"),
    yaml("a colon in an unquoted text", "a: b: c", "rejected: `invalid_syntax` at 2:5"),
    yaml("an alias of nothing", "a: *nope", "rejected: `invalid_syntax` at 2:4"),
    yaml("a tab for indentation", "a:\n\tb: 1", "rejected: `invalid_syntax` at 3:1"),
    yaml("NUL", "a: x\0y", "rejected: `invalid_syntax` at 2:5"),
    yaml("a control character behind a letter of two bytes", "é: \x07", "rejected: `invalid_syntax` at 2:4"),
    yaml("a surrogate escape", 'a: "\\ud800"', "rejected: `invalid_syntax` at 2:7"),
    text(
        "a surrogate escape in JSON",
        '{"b": "\\ud83d\\ude00",\n "a": "x\\ud800"}\n',
        "rejected: `unsupported_value` at 2:9",
    ),
    text("a byte that is no UTF-8", b"---\na: 1\nb: \xc3\xa9 \xff\n---\n", "rejected: `invalid_utf8` at 3:6"),
    text("broken TOML", "+++\na = \n+++\n", "rejected: `invalid_syntax` at 2:5"),
    text("broken JSON", '{"a": 1,\n "b": }\nbody', "rejected: `invalid_syntax` at 2:7"),
    yaml("a list", "- a\n- b", "rejected: `not_a_mapping` at 2:1"),
    yaml("a scalar below a comment", "# c\n\n  just a text", "rejected: `not_a_mapping` at 4:3"),
    yaml("null", "null", "rejected: `not_a_mapping` at 2:1"),
    text("a list in a JSON data file", "[1]", "rejected: `not_a_mapping` at 1:1", file="a.json"),
    yaml("an unknown tag", "a: !unknown x", "rejected: `unsupported_tag` at 2:4"),
    yaml(
        "a tag that would run a program",
        "a: 1\nb: !!python/object/apply:os.system [x]",
        "rejected: `unsupported_tag` at 3:4",
    ),
    yaml("a tag of Python's types", "a: !!python/tuple [x]", "rejected: `unsupported_tag` at 2:4"),
    yaml("a text that is not what its tag says", "a: 1\nb: [c, !!int x]", "rejected: `unsupported_value` at 3:8"),
    yaml("a list for a key", "a: 1\n? [b]\n: c", "rejected: `unsupported_value` at 3:3"),
    yaml("a value that contains itself", "a: &a [*a]", "rejected: `unsupported_value` at 2:8"),
    text(
        "an integer of 5,000 digits in JSON",
        '{"b": 1,\n "a": ' + "9" * 5_000 + "}",
        "rejected: `unsupported_value` at 2:7",
    ),
    text(
        "an integer of 5,000 digits in TOML",
        "+++\na = " + "9" * 5_000 + "\n+++\n",
        "rejected: `unsupported_value` at 2:5",
    ),
    yaml("280 levels", "a: " + "[" * 280 + "]" * 280, "rejected: `too_deep` at 2:257"),
    yaml("50,000 levels", "a: " + "[" * 50_000, "rejected: `too_deep` at 2:257"),
    yaml("deep levels with a tag before", "a: !!str x\nb: " + "[" * 50_000, "rejected: `too_deep` at 3:257"),
    yaml("2,000 levels of a list in one line", "- " * 2_000 + "a", "rejected: `too_deep` at 2:509"),
    text("20,000 levels in JSON", '{"a": ' + "[" * 20_000 + "]" * 20_000 + "}", "rejected: `too_deep` at 1:260"),
    text("20,000 levels in TOML", "a = " + "[" * 20_000, "rejected: `too_deep` at 1:258", file="a.toml"),
    yaml("an alias bomb", BOMB, "rejected: `alias_bomb` at 7:26"),
    yaml("a merge bomb", MERGE_BOMB, "rejected: `alias_bomb` at 8:13"),
    yaml("one fat value named 10,000 times", FAT_BOMB, "rejected: `alias_bomb` at 3:149"),
    yaml("front matter over its bound", "a: " + "x" * 70_000, "rejected: `front_matter_too_large` at 1:1"),
)

VALUES: tuple[Trap, ...] = (
    yaml(
        "a key that stands twice", "x: 0\na: {b: 7}\na: 2", 'accepted: `{"a":2,"x":0}`; warning `duplicate_key` at 4:1'
    ),
    yaml(
        "a key that stands twice deep inside",
        "x: [{a: 1}, {a: {b: 7}, a: 2}]",
        'accepted: `{"x":[{"a":1},{"a":2}]}`; warning `duplicate_key` at 2:25',
    ),
    text(
        "a key that stands twice in JSON",
        '{"a": {"b": 7},\n "a": 2}',
        'accepted: `{"a":2}`; warning `duplicate_key` at 2:7',
        file="a.json",
    ),
    yaml("a merged key and its own", "a: &x {b: 1}\nc: {<<: *x, b: 2}", 'accepted: `{"a":{"b":1},"c":{"b":2}}`'),
    yaml(
        "anchors, merged and named",
        "a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: [*x]",
        'accepted: `{"a":{"b":1},"c":{"b":1,"d":2},"e":[{"b":1}]}`',
    ),
    yaml("keys that differ only in case", "title: a\nTitle: b", 'accepted: `{"Title":"b","title":"a"}`'),
    yaml(
        "keys that are no strings",
        "1: a\ntrue: b\nnull: c\n2021-01-01: d\nx: e",
        'accepted: `{"$map":[["x","e"],[1,"b"],[null,"c"],[{"$date":"2021-01-01"},"d"]]}`; warning `duplicate_key` at 3:1',
    ),
    yaml(
        "keys that look like our own tags",
        "$a: 1\nb: {$date: x}\nc~d/e: {f: g}",
        'accepted: `{"$map":[["$a",1],["b",{"$map":[["$date","x"]]}],["c~d/e",{"f":"g"}]]}`',
    ),
    yaml(
        "a date of no calendar",
        "publishedDateTime: 2021-02-30",
        'accepted: `{"publishedDateTime":"2021-02-30"}`; warning `invalid_date` at 2:20',
    ),
    yaml("a date of no calendar in a key without a type", "a: 2021-02-30", 'accepted: `{"a":"2021-02-30"}`'),
    yaml(
        "an hour that no day has",
        "publishedDateTime: 2021-02-04T25:00:00Z",
        'accepted: `{"publishedDateTime":"2021-02-04T25:00:00Z"}`; warning `invalid_date` at 2:20',
    ),
    yaml(
        "a time without a zone",
        "publishedDateTime: 2021-02-04 08:30:00",
        'accepted: `{"publishedDateTime":{"$datetime":"2021-02-04T08:30:00"}}`; published 2021-02-04 08:30:00 UTC (naive)',
    ),
    yaml(
        "a time with an offset",
        "publishedDateTime: 2021-02-04T10:30:00+02:00",
        'accepted: `{"publishedDateTime":{"$datetime":"2021-02-04T10:30:00+02:00"}}`; published 2021-02-04 08:30:00 UTC (second)',
    ),
    yaml(
        "a date alone",
        "publishedDateTime: 2021-02-04",
        'accepted: `{"publishedDateTime":{"$date":"2021-02-04"}}`; published 2021-02-04 00:00:00 UTC (day)',
    ),
    yaml(
        "midnight",
        "publishedDateTime: 2021-02-04T00:00:00Z",
        'accepted: `{"publishedDateTime":{"$datetime":"2021-02-04T00:00:00+00:00"}}`; published 2021-02-04 00:00:00 UTC (midnight)',
    ),
    yaml(
        "a time before all times in UTC",
        "publishedDateTime: 0001-01-01T00:00:00+14:00",
        'accepted: `{"publishedDateTime":{"$datetime":"0001-01-01T00:00:00+14:00"}}`; warning `out_of_range` at 2:20',
    ),
    yaml("heat below zero", "heat: -1", 'accepted: `{"heat":-1}`'),
    yaml("quality over 100", "quality: 189", 'accepted: `{"quality":189}`'),
    yaml(
        "an integer over 64 bits",
        "quality: 9223372036854775808\na: 123456789012345678901234567890",
        'accepted: `{"a":123456789012345678901234567890,"quality":9223372036854775808}`; warning `out_of_range` at 2:10',
    ),
    yaml(
        "an integer of 5,000 digits",
        "a: " + "9" * 5_000,
        'accepted: `{"a":"9999999999999999999999999999999999999999999999999999999999999999 …`',
    ),
    yaml(
        "not a number",
        "quality: .nan\na: .nan",
        'accepted: `{"a":{"$float":"nan"},"quality":{"$float":"nan"}}`; warning `wrong_type` at 2:10',
    ),
    yaml(
        "infinity",
        "heat: .inf\na: -.inf",
        'accepted: `{"a":{"$float":"-inf"},"heat":{"$float":"inf"}}`; warning `wrong_type` at 2:7',
    ),
    yaml("an unquoted NO", "title: NO", 'accepted: `{"title":false}`; warning `wrong_type` at 2:8'),
    yaml("an unquoted 1:30", "title: 1:30", 'accepted: `{"title":90}`; warning `wrong_type` at 2:8'),
    yaml("an unquoted 012", "title: 012", 'accepted: `{"title":10}`; warning `wrong_type` at 2:8'),
    yaml("an unquoted 1e3", "title: 1e3", 'accepted: `{"title":"1e3"}`'),
    yaml("an unquoted 1_000", "title: 1_000", 'accepted: `{"title":1000}`; warning `wrong_type` at 2:8'),
    yaml(
        "what only looks like a number or a time",
        "a: -.5\nb: 2021-02-04t01:02:03z",
        'accepted: `{"a":"-.5","b":"2021-02-04t01:02:03z"}`',
    ),
    yaml("a lone = and <<", "a: =\nb: <<", 'accepted: `{"a":"=","b":"<<"}`'),
    yaml(
        "tags of YAML's own",
        "a: !!set {x, y}\nb: !!binary aGk=",
        'accepted: `{"a":{"$set":["x","y"]},"b":{"$binary":"aGk="}}`',
    ),
    yaml("a tab in a value", 'a: "x\ty"\nb: x\ty', 'accepted: `{"a":"x\\ty","b":"x\\ty"}`'),
    yaml("a line separator in a value", "a: x\u2028  y", 'accepted: `{"a":"x\\u2028y"}`'),
    yaml("an empty list", "topics: []", 'accepted: `{"topics":[]}`'),
    yaml("null for a list", "topics: null", 'accepted: `{"topics":null}`'),
    yaml("a missing key", "a: 1", 'accepted: `{"a":1}`'),
    yaml(
        "an empty text, an empty mapping, null",
        "title: ''\nprovider: {}\nexcerpt:",
        'accepted: `{"excerpt":null,"provider":{},"title":""}`',
    ),
    yaml(
        "a text for a list",
        "title: a\ntopics: AI",
        'accepted: `{"title":"a","topics":"AI"}`; warning `wrong_type` at 3:9',
    ),
    text(
        "a wrong value with CRLF and a byte order mark",
        "\ufeff---\r\na: 1\r\nquality: high\r\n---\r\n",
        'accepted: `{"a":1,"quality":"high"}`; warning `wrong_type` at 3:10',
    ),
    text(
        "a wrong value in bare YAML",
        "\ufeffquality: high\n",
        'accepted: `{"quality":"high"}`; warning `wrong_type` at 1:10',
        file="_data/a.yaml",
    ),
    text(
        "a wrong value in JSON",
        '{"a": 1,\n "images": [{"width": "9"}]}',
        'accepted: `{"a":1,"images":[{"width":"9"}]}`; warning `wrong_type` at 2:23',
    ),
    text(
        "a wrong value in TOML", '+++\nquality = "high"\n+++\n', 'accepted: `{"quality":"high"}`; warning `wrong_type`'
    ),
    text(
        "a date alone in TOML",
        "+++\npublishedDateTime = 2021-02-04\n+++\n",
        'accepted: `{"publishedDateTime":{"$date":"2021-02-04"}}`; published 2021-02-04 00:00:00 UTC (day)',
    ),
)

RELATED: tuple[Trap, ...] = (
    yaml(
        "related as mappings",
        "related: [{title: b}, {title: c}]",
        'accepted: `{"related":[{"title":"b"},{"title":"c"}]}`',
    ),
    yaml(
        "related as slugs",
        "related:\n  - a-slug\n  - title: b\n  - null",
        'accepted: `{"related":["a-slug",{"title":"b"},null]}`; info `related_not_a_mapping` at 3:5',
    ),
    yaml("related as null", "related: null", 'accepted: `{"related":null}`'),
    yaml("related as an empty list", "related: []", 'accepted: `{"related":[]}`'),
    yaml(
        "one bare related mapping",
        "related:\n  title: a",
        'accepted: `{"related":{"title":"a"}}`; warning `related_not_a_list` at 3:3',
    ),
    yaml(
        "related as a text", "related: a-slug", 'accepted: `{"related":"a-slug"}`; warning `related_not_a_list` at 2:10'
    ),
    yaml(
        "a bad date in a related item",
        "related:\n- title: b\n  publishedDateTime: 2021-02-30",
        'accepted: `{"related":[{"publishedDateTime":"2021-02-30","title":"b"}]}`; warning `invalid_date` at 4:22',
    ),
    yaml(
        "a wrong value behind an alias",
        "quality: &q high\nrelated: [{heat: *q}]",
        'accepted: `{"quality":"high","related":[{"heat":"high"}]}`; warning `wrong_type` at 2:10; warning `wrong_type` at 2:10',
    ),
)
