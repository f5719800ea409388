"""The writers of set-up files, and values that mean something to their readers."""
import os
import pathlib
import random
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITER = pathlib.Path(os.environ.get("SEKISHO_BUILD", ROOT / "build-check")) / "tests/handout/handout-write"

HOSTILE = [
    "alice",
    "it's",
    '"quoted"',
    "back\\slash\\",
    "$(touch /tmp/x) `id` ${HOME} $env:PATH",
    "<string>&amp;]]></dict>",
    "a;b|c&d>e<f#g%h!i^j~k",
    "-Force -rf --help",
    " both ends ",
    "= [section] ; key=value",
    "‘curly’ ‚low‛ “double”",
    "関所のユーザー",
    "مستخدم",
    "x" * 255,
    "'''",
    "''",
    "‘",
    "\\s\\n\\t",
    "{server} {key}",
    "@{a=1} $(1) @'",
    "%s%n",
]
REFUSED = ["", "a\nb", "a\rb", "a\tb", "\x1b[0m", "a\u202eb", "\ufeffa", "x" * 256, "a\u2028b"]
PIECES = list("'\"\\$`&<>;#=[]{}() %!@|*?-") + ["‘", "’", "‚", "‛", "é", "関", "a", "0", "\\n", "$(", "]]>", "😀", "א"]


def hostile_values(seed, count):
    """The list, and so many random ones of a seed."""
    rng = random.Random(seed)
    made = ("".join(rng.choice(PIECES) for _ in range(rng.randint(1, 30))) for _ in range(count))
    return HOSTILE + [text for text in made if text.strip()]


def write(device, language="en", **values):
    """(the file, "") or (None, the sentence of a refusal)."""
    words = [f"{name}={value}" for name, value in values.items()]
    done = subprocess.run([WRITER, device, language, *words], capture_output=True, check=False)
    assert done.returncode in (0, 1), done
    return (done.stdout, "") if done.returncode == 0 else (None, done.stderr.decode())


def written(device, language="en", **values):
    text, why = write(device, language, **values)
    assert text is not None, (values, why)
    return text
