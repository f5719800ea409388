"""The PowerShell script: its strings by PowerShell's rules, and the whole by a grammar of the language."""
import base64
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from handout.readers import hostile_values, write, written

HERE = pathlib.Path(__file__).parent
QUOTES = "'\u2018\u2019\u201a\u201b"  # any of them opens and closes; any two are one of the second


def read_string(text, at):
    """The value of the single-quoted string that begins at `at`, and where it ends."""
    assert text[at] in QUOTES
    value, at = "", at + 1
    while True:
        if text[at] in QUOTES:
            if text[at + 1 : at + 2] == "" or text[at + 1] not in QUOTES:
                return value, at + 1
            at += 1
        value += text[at]
        at += 1


def assignments(script):
    """{name: value} of the lines `$name = '...'` before the body, each of which must be nothing else."""
    assert script.startswith(b"\xef\xbb\xbf")
    text = script.decode("utf-8-sig")
    head = text[text.index("\n\n") + 2 : text.index("$text = @{")]
    found, at = {}, 0
    while at < len(head):
        name = re.compile(r"\$(\w+) = ").match(head, at)
        assert name, head[at : at + 80]
        at = name.end()
        if head[at] in QUOTES:
            found[name[1]], at = read_string(head, at)
        else:
            line = re.compile(r"\$true|\$false|@\((?:'[\w./:-]*'(?:, '[\w./:-]*')*)?\)").match(head, at)
            assert line, head[at : at + 80]
            found[name[1]], at = re.findall(r"'([^']*)'", line[0]) if line[0][0] == "@" else line[0] == "$true", line.end()
        assert head[at] == "\n", head[at : at + 80]
        at += 1
    return found


def test_every_value_comes_back_the_same():
    taken = 0
    for value in hostile_values(3, 150):
        script, why = write("windows", name=value)
        if script is None:
            assert "Windows takes no connection" in why and (set(value) & set('\\/:*?"<>|') or value[0] == ".")
        else:
            taken += 1
            assert assignments(script)["connection"] == value
    assert taken > 20


def test_every_key_that_can_be_typed_comes_back_the_same():
    for value in hostile_values(4, 100):
        script, why = write("windows", psk=value.encode().hex())
        if script is None:
            assert not value.isascii() and "printable ASCII" in why
        else:
            assert assignments(script)["key"] == value


def test_what_the_connection_is_like():
    found = assignments(written("windows"))
    assert found["server"] == "vpn.example.net" and found["logins"] == ["MSChapv2"] and found["split"] is True
    assert found["routes"] == ["10.0.0.0/8", "192.168.7.0/24"]
    assert found["domains"] == [".corp.example", ".lab.example"] and found["dns"] == ["10.0.0.53"]
    found = assignments(written("windows", routes=""))
    assert found["split"] is False and found["routes"] == found["domains"] == found["dns"] == []
    found = assignments(written("windows", psk="", p12="container", password="it's"))
    assert base64.b64decode(found["pkcs12"]) == b"container" and found["password"] == "it's" and found["key"] == ""
    assert assignments(written("windows", logins="eap-mschapv2"))["logins"] == ["Eap"]


def test_the_body_is_the_same_for_everybody():
    bodies = {written("windows", name=name).split(b"\n}\n\n", 1)[1] for name in ("a", "it's", "$(x)")}
    assert bodies == {(HERE.parents[1] / "src/handout/windows.ps1").read_bytes()}


@pytest.fixture(scope="session", name="grammar")
def fixture_grammar(tmp_path_factory):
    """A parser of PowerShell; a package of npm, fetched once for the tests."""
    where = tmp_path_factory.mktemp("grammar")
    for file in ("package.json", "parse.mjs"):
        shutil.copy(HERE / file, where)
    done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=where, check=False,
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()

    def parse(scripts):
        names = []
        for i, script in enumerate(scripts):
            (where / f"{i}.ps1").write_bytes(script)
            names.append(f"{i}.ps1")
        done = subprocess.run(["node", "parse.mjs", *names], cwd=where, check=True, capture_output=True)
        return json.loads(done.stdout)

    return parse


def test_a_grammar_of_powershell_takes_it(grammar):
    scripts = [written("windows"), written("windows", "ja", routes=""), written("windows", psk="", p12="x", password="it's")]
    names = [name for name in hostile_values(5, 20) if not set(name) & set('\\/:*?"<>|') and name[0] != "."]
    scripts += [written("windows", name=name) for name in names]
    for script, errors in zip(scripts, grammar(scripts)):
        assert errors == [], script.decode()[:400]


def test_the_grammar_would_see_a_broken_one(grammar):
    broken = written("windows").replace(b"function Test-Nat {", b"function Test-Nat")
    assert grammar([broken, b"$x = 'a\n"]) != [[], []] and all(grammar([broken, b"$x = 'a\n"]))
