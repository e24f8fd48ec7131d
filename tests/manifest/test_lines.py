"""The lines of values in a TOML file are those at which a reader sees them."""

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deploy.toml_lines import KeyPath, locate_values

TEXT = """\
# a comment with "quotes", [brackets] and = signs
name = "mysite"  # [not.a.table]
quoted."a key" = 'it''s'
text = \"\"\"
[fake]
key = 1 \\\"\"\" still inside
\"\"\"\"
literal = '''
"[x]"
'''
ports = [ 8001, # first
  8002,
  # 8003,
  [1, 2],
]
inline = { run = "npm ci", deep = { x = [ "a", "b" ] } }

[env]
hosts = "H"
[processes.worker]
  run = "celery"
[[build]]
run = "one"
[[build]]
run = "two"
[build.more]
x = 1
"""


def test_each_value_has_its_line() -> None:
    text = TEXT.replace("'it''s'", "'its'")
    tomllib.loads(text)
    lines = locate_values(text)
    assert lines[("name",)] == 2
    assert lines[("quoted", "a key")] == 3
    assert lines[("text",)] == 4
    assert ("fake",) not in lines
    assert lines[("literal",)] == 8
    assert [lines[("ports", position)] for position in range(3)] == [11, 12, 14]
    assert lines[("inline", "deep", "x", 1)] == 16
    assert lines[("env", "hosts")] == 19
    assert lines[("processes", "worker")] == 20
    assert lines[("processes", "worker", "run")] == 21
    assert lines[("build", 0, "run")] == 23
    assert lines[("build", 1, "run")] == 25
    assert lines[("build", 1, "more", "x")] == 27


def paths_of(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from paths_of(each, (*path, key))
    elif isinstance(value, list):
        for position, each in enumerate(value):
            yield from paths_of(each, (*path, position))


KEYS = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
TEXTS = st.text(st.sampled_from("ab\"'\\#[]{}=,. "), max_size=8)


def show(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {show(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[\n" + "".join(f"  {show(each)}, # ]\n" for each in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


VALUES = st.recursive(
    st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_value_that_tomllib_finds_has_a_line(document: dict[str, Any]) -> None:
    lines: dict[str, int] = {}
    text = ""
    for key, value in document.items():
        text += f"# {key} = [\n"
        lines[key] = text.count("\n") + 1
        # An inline table has to stand on one line.
        text += (
            f"{key} = {show(value)}\n"
            if not isinstance(value, dict)
            else f"{key} = {show(value)}\n".replace("\n", " ").replace("# ]", "") + "\n"
        )
    parsed = tomllib.loads(text)
    located = locate_values(text)
    assert set(located) == set(paths_of(parsed))
    assert {key: located[(key,)] for key in document} == lines
