"""Grids from end to end: a pattern given at the terminal, logins by what stands on its cells, and what is refused."""
import fcntl
import os
import pty
import re
import termios

import pytest

from lab.gateway import SEKISHO, settings
from lab.shell import wait_for

CELLS = [0, 22, 45, 11, 17, 35, 28, 6]


@pytest.fixture
def grid_site(make_site):
    return make_site(settings(grid={"enabled": "on", "reconnect": "0"}, ppp={"auth": '{"mschapv2", "pap", "eap-gtc"}'}))


class Terminal:
    """The command at a terminal of its own; what it shows, and what a person types."""

    def __init__(self, *words):
        ours, theirs = pty.openpty()
        self.ours, self.shown = ours, ""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(theirs, fd)
            os.execv(words[0], [str(word) for word in words])
        os.close(theirs)

    def see(self, text):
        """What was shown up to this text; it is not looked at again."""
        while text not in self.shown:
            try:
                self.shown += os.read(self.ours, 4096).decode()
            except OSError:
                raise AssertionError(f"the command ended without '{text}':\n{self.shown}") from None
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, text):
        os.write(self.ours, text.encode() + b"\n")

    def end(self):
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.ours)
        return status


def good(reply):
    assert reply["ok"], reply
    return reply["data"]


def read_cells(grid):
    return "".join(grid["cells"][cell] for cell in CELLS)


def read_drawn(text):
    """The same from a grid as the terminal shows it: rows of three blocks of four."""
    rows = [line.split() for line in text.replace("\r", "").split("\n") if len(line.split()) == 12]
    assert len(rows) >= 4, text
    rows = rows[-4:]
    return "".join(rows[cell % 16 // 4][cell // 16 * 4 + cell % 4] for cell in CELLS)


def outer_address(computer):
    return re.search(r"inet ([\d.]+)/", computer.run(*"ip -4 -o address show scope global".split()))[1]


def enrol(site, name):
    data = good(site.gateway.verb("grid.enrol", user=name, cells=",".join(map(str, CELLS))))
    assert data["enrolment"]["accepted"] and data["problems"] == []
    while data["enrolment"]["rounds"] > 0:
        data = good(site.gateway.verb("grid.practise", user=name, code=data["grid"]["code"], answer=read_cells(data["grid"])))
        assert data["enrolment"]["accepted"]


def fetch(site, name, source="198.51.100.1"):
    return good(site.gateway.verb("grid.show", user=name, source=source))["grid"]


def test_a_pattern_is_given_at_the_terminal_and_opens(grid_site):
    command = (SEKISHO, "--socket", grid_site.gateway.socket)
    terminal = Terminal(*command, "user", "grid", "enrol", "alice")
    assert "44 45 46 47" in terminal.see("The cells of the pattern in order")
    terminal.type(" ".join(map(str, CELLS)))
    terminal.see("nothing: ")
    terminal.type("")
    for _ in range(2):
        drawn = terminal.see("to go): ")
        terminal.type(read_drawn(drawn))
    terminal.see("The user alice logs in by the new pattern.")
    assert terminal.end() == 0
    shown = grid_site.gateway.ask("grid", "show", "alice")
    client = grid_site.connect(password=read_drawn(shown))
    client.ping()
    assert grid_site.gateway.sessions()[0]["auth"] == "mschapv2"


def test_a_weak_pattern_is_refused_at_the_terminal_with_its_reasons(grid_site):
    terminal = Terminal(SEKISHO, "--socket", grid_site.gateway.socket, "user", "grid", "enrol", "alice")
    terminal.see("in order")
    terminal.type("0 1 2 3 4 5 6 7")
    terminal.see("nothing: ")
    terminal.type("")
    terminal.see("leaves out blocks of the grid.")
    terminal.see("Nothing was changed.")
    assert terminal.end() == 1
    assert good(grid_site.gateway.verb("user.list", name="alice"))["users"][0]["login"] == "password"


@pytest.mark.parametrize("method", ["mschapv2", "pap", "eap-gtc"])
def test_what_stands_on_the_cells_opens_once_by_every_method(grid_site, method):
    enrol(grid_site, "alice")
    profile = {"ppp.methods": method}
    typed = read_cells(fetch(grid_site, "alice"))
    client = grid_site.connect(password=typed, profile=profile)
    client.ping()
    assert grid_site.gateway.sessions()[0]["auth"] == method
    client.close()
    wait_for("the session is over", lambda: grid_site.gateway.sessions() == [], 10)
    again = grid_site.connect(password=typed, profile=profile, wait=False)
    assert again.wait_end(20) != 0
    # by EAP-GTC a new grid was shown, from which it was not read
    grid_site.gateway.wait_explained("grid-wrong" if method == "eap-gtc" else "grid-expired", "alice")


def test_passwords_and_wrong_answers_do_not_open_and_a_wrong_one_uses_the_grid_up(grid_site):
    enrol(grid_site, "alice")
    assert grid_site.connect(wait=False).wait_end(20) != 0
    grid_site.gateway.wait_explained("grid-none-open", "alice")
    computer = grid_site.computer()
    grid = fetch(grid_site, "alice", outer_address(computer))
    assert grid_site.connect(computer, password="00000000", wait=False).wait_end(20) != 0
    grid_site.gateway.wait_explained("grid-wrong", "alice")
    assert fetch(grid_site, "alice", outer_address(computer))["code"] != grid["code"]
    grid_site.connect(user="bob").ping()  # who has no pattern goes on with the password


def test_the_same_answer_for_everybody(grid_site):
    enrol(grid_site, "alice")
    for name in ("alice", "bob", "nobody"):
        grid = fetch(grid_site, name)
        assert fetch(grid_site, name) == grid
        refusal = grid_site.gateway.verb("grid.check", user=name, source="198.51.100.1", code=grid["code"], answer="00000000")
        assert not refusal["ok"] and refusal["error"]["code"] == "refused"
        assert refusal["error"]["sentence"].startswith("The name or what was typed is wrong")
        assert fetch(grid_site, name)["code"] != grid["code"]
