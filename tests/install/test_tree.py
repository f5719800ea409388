"""What `meson install` puts where: all that the documents name, in units that systemd takes."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["SEKISHO_BUILD"])
PROGRAMS = {"sekisho": "bin", "sekishod": "sbin", "sekisho-client": "sbin", "sekisho-portal": "sbin", "sekisho-router": "sbin"}
UNITS = ["sekishod.service", "sekisho-portal.service", "sekisho-router.service", "sekisho-client@.service"]


def run(*words, **how):
    done = subprocess.run(words, capture_output=True, text=True, check=False, **how)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout + done.stderr


@pytest.fixture(scope="module", name="tree")
def fixture_tree(tmp_path_factory):
    """The root of an installation below a scratch directory."""
    where = tmp_path_factory.mktemp("tree")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", where)
    return where


@pytest.fixture(scope="module", name="usr")
def fixture_usr(tree):
    """Where the prefix is, in the scratch directory."""
    program, = tree.rglob("sbin/sekishod")
    return program.parents[1]


def inside(tree, path):
    return "/" + str(path.relative_to(tree))


def test_every_program_is_there_and_starts(usr):
    for name, directory in PROGRAMS.items():
        assert run(usr / directory / name, "--help" if name in ("sekisho", "sekisho-client") else "--version").strip()


def test_every_page_that_is_referred_to_is_there(usr):
    installed = {path.name for path in usr.glob("share/man/man*/*")}
    assert installed == {path.name for path in (ROOT / "man").iterdir()}
    for path in usr.glob("share/man/man*/*"):
        assert path.parent.name == "man" + path.suffix[1:]
        for name, section in re.findall(r"^\.Xr (sekisho\S*) (\d)", path.read_text(), re.M):
            assert f"{name}.{section}" in installed, (path.name, name)
    named = re.findall(r"`(sekisho[\w.-]*)\((\d)\)`", (ROOT / "README.md").read_text())
    assert {f"{name}.{section}" for name, section in named} == installed


def test_bash_completes_every_program(usr):
    completions = usr / "share/bash-completion/completions"
    assert {path.name for path in completions.iterdir()} == set(PROGRAMS)
    script = f"source {completions}/$1; COMP_WORDS=($1 --v); COMP_CWORD=1; $2; echo ${{COMPREPLY[@]}}"
    for name in ("sekishod", "sekisho-portal"):
        assert run("bash", "-c", script, "bash", name, "_sekisho_program") == "--version\n"


@pytest.mark.parametrize("name", ["sekishod", "sekisho-client"])
def test_completions_have_the_options_that_the_help_tells(usr, name):
    told = set(re.findall(r"--[a-z-]+", run(usr / PROGRAMS[name] / name, "--help")))
    text = (usr / "share/bash-completion/completions" / name).read_text()
    assert told and told <= set(re.findall(r"--[a-z-]+", text))


def test_the_example_has_every_setting(usr):
    example = (usr / "share/doc/sekisho/examples/sekisho.conf").read_text()
    assert example == run(usr / "sbin/sekishod", "--print-config") and "portal {" in example


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_takes_the_unit(tree, usr, tmp_path, unit):
    text = (usr / "lib/systemd/system" / unit).read_text()
    for program in set(re.findall(r"^Exec\w+=(/\S*sekisho\S*)", text, re.M)):
        assert (tree / program[1:]).is_file(), program
        text = text.replace(program + " ", f"{tree / program[1:]} ")
    assert str(tree) in text and not re.search(r"@\w+@", text)
    for page in re.findall(r"man:(\S+)\((\d)\)", text):
        assert (usr / f"share/man/man{page[1]}" / ".".join(page)).is_file()
    judged = tmp_path / unit.replace("@.", "@office.")
    judged.write_text(text)
    assert run("systemd-analyze", "verify", "--man=no", judged) == ""


def test_users_and_directories_are_what_the_programs_ask_for(tree, usr):
    """Made by systemd's own programs in the scratch directory."""
    (tree / "etc").mkdir()
    run("systemd-sysusers", f"--root={tree}", usr / "lib/sysusers.d/sekisho.conf")
    run("systemd-tmpfiles", f"--root={tree}", "--create", usr / "lib/tmpfiles.d/sekisho.conf")
    users = {line.split(":")[0]: line.split(":") for line in (tree / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: line.split(":")[2] for line in (tree / "etc/group").read_text().splitlines()}
    settings = run(usr / "sbin/sekishod", "--print-config")
    for name in re.findall(r"^\s*#?\s*user = \"?([\w-]+)", settings, re.M):
        assert users[name][6].endswith("nologin")
    assert "sekisho-admin" in groups
    etc, state = (tree / "etc/sekisho").stat(), (tree / "var/lib/sekisho").stat()
    assert (etc.st_mode & 0o7777, etc.st_uid, str(etc.st_gid)) == (0o750, 0, groups["sekisho"])
    assert (state.st_mode & 0o7777, str(state.st_uid)) == (0o700, users["sekisho"][2])


def test_nobody_but_root_may_change_what_is_installed(tree):
    for path in tree.rglob("*"):
        assert path.is_symlink() or path.is_relative_to(tree / "var") or not path.stat().st_mode & 0o22, inside(tree, path)
