"""What bash completes, from the file that is installed; the file is what the command prints."""
import pathlib
import subprocess

import pytest

COMPLETION = pathlib.Path(__file__).resolve().parents[2] / "completions/sekisho"


def complete(line, root=""):
    """The words that bash offers where the line ends."""
    words = line.split(" ")
    script = (f"source {COMPLETION}\nCOMP_WORDS=({' '.join(repr(w) for w in words)})\nCOMP_CWORD={len(words) - 1}\n"
              f"_sekisho\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
    done = subprocess.run(["bash", "-c", script], env={"PATH": "/usr/bin:/bin", "SEKISHO_COMPLETION_ROOT": str(root)},
                          capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_the_installed_file_is_what_the_command_prints(command):
    assert command.run("completion")[1] == COMPLETION.read_text(), "run: sekisho completion > completions/sekisho"


@pytest.mark.parametrize("line, words", [
    ("sekisho con", {"config", "connect"}),
    ("sekisho user ", {"add", "set", "passwd", "list", "del", "profile", "invite", "grid", "totp", "unlock"}),
    ("sekisho client ", {"status"}),
    ("sekisho profile e", {"edit", "export"}),
    ("sekisho client status --w", {"--watch"}),
    ("sekisho --json client status --w", {"--watch"}),
    ("sekisho disconnect --", {"--help", "--json", "--socket"}),
    ("sekisho nonsense ", set())])
def test_words(line, words):
    assert complete(line) == words


def test_all_commands_are_offered():
    assert {"connect", "disconnect", "profile", "status", "user", "pki", "version"} <= complete("sekisho ")


def test_names_of_profiles_and_connections(tmp_path):
    for name in ("etc/sekisho/client/office.conf", "etc/sekisho/client/lab.conf", "run/sekisho/client/office.sock"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert complete("sekisho connect ", tmp_path) == {"office", "lab"}
    assert complete("sekisho profile show l", tmp_path) == {"lab"}
    assert complete("sekisho disconnect ", tmp_path) == {"office"}


def test_files_where_a_file_is_wanted(tmp_path):
    (tmp_path / "psk.txt").write_text("")
    assert complete(f"sekisho connect office --psk-file {tmp_path}/ps") == {f"{tmp_path}/psk.txt"}
    assert complete(f"sekisho profile import {tmp_path}/ps") == {f"{tmp_path}/psk.txt"}
