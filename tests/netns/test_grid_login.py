"""A grid in band: `sekisho connect` shows what the gateway asks by EAP-GTC, and takes what stands on the cells."""
import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time

import pytest

from lab.gateway import SEKISHO, settings
from lab.host import Host
from lab.shell import wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_NET

from netns.conftest import PSK, USERS
from netns.test_grid import enrol, read_drawn

GRID = ("--routes", OFFICE_NET, "--grid")
QUESTION = "What stands on your cells, or your password: "
PATIENCE = 60


class Terminal:
    """The command at a terminal of its own; what it shows, and what a person types."""

    def __init__(self, host, *words):
        self.ours, theirs = pty.openpty()
        self.shown = self.all = ""
        self.command = host.start(*words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                  preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)

    def see(self, text):
        """What was shown up to this text; it is not looked at again."""
        until = time.monotonic() + PATIENCE
        while text not in self.shown:
            assert select.select([self.ours], [], [], max(0, until - time.monotonic()))[0], self.all
            try:
                more = os.read(self.ours, 4096).decode()
            except OSError:
                raise AssertionError(f"the command ended without '{text}':\n{self.all}") from None
            self.shown += more
            self.all += more
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, text):
        os.write(self.ours, text.encode() + b"\n")

    def end(self):
        """Its exit status, once all it shows has been read."""
        until = time.monotonic() + PATIENCE
        while select.select([self.ours], [], [], max(0, until - time.monotonic()))[0]:
            try:
                self.all += os.read(self.ours, 4096).decode()
            except OSError:
                break
        os.close(self.ours)
        return self.command.wait(PATIENCE)


@pytest.fixture
def site(make_site):
    made = make_site(settings(grid={"enabled": "on", "reconnect": "0"}, ppp={"auth": '{"mschapv2", "eap-gtc"}'},
                              net={"server": f'"{INTERNET_GATEWAY}"', "routes": f'{{"{OFFICE_NET}"}}'}))
    enrol(made, "alice")
    return made


@pytest.fixture
def host(site, tmp_path):
    made = Host(site.computer(), tmp_path, PSK, "not the answer")
    yield made
    made.close("office")


def test_a_grid_is_shown_and_what_stands_on_the_cells_opens_once(site, host):
    terminal = Terminal(host, *host.connecting(*GRID))
    drawn = terminal.see(QUESTION)
    assert re.search(r"Grid \d\d", drawn)
    typed = read_drawn(drawn)
    terminal.type(typed)
    terminal.see("Disconnect with")
    assert terminal.end() == 0 and typed not in terminal.all
    assert host.link()["auth"] == "eap-gtc" and host.reaches("172.16.0.10")
    assert site.gateway.sessions()[0]["user"] == "alice"
    assert host.sekisho("disconnect", "office")[0] == 0
    wait_for("the session is over", lambda: site.gateway.sessions() == [], 30)
    terminal = Terminal(host, *host.connecting(*GRID))
    again = read_drawn(terminal.see(QUESTION))
    assert again != typed
    terminal.type(typed)  # those were good once
    second = read_drawn(terminal.see(QUESTION))
    terminal.type(second)
    terminal.see("Disconnect with")
    assert terminal.end() == 0


def test_the_profile_that_is_handed_out_shows_the_grid_to_whom_it_belongs(site, host):
    """--> sekisho user profile, for who has a pattern and who has none; <-- sekisho profile import, and no option at all."""
    for name, wanted in (("alice", "eap-gtc"), ("bob", "mschapv2, eap-gtc")):
        file = host.directory / f"{name}.conf"
        site.gateway.ask("user", "profile", name, "--for", "sekisho", "--output", file)
        status, out, err = host.sekisho("profile", "import", file, "--name", f"of-{name}", "--replace")
        assert status == 0, out + err
        assert host.sekisho("profile", "set", f"of-{name}", "--set", "run.user=nobody")[0] == 0
        shown = host.sekisho("profile", "show", f"of-{name}")[1]
        assert re.search(f"^ppp.methods +{wanted}$", shown, re.M), shown
        assert ("ppp.answer_prompts" in shown) == (name == "alice")
    terminal = Terminal(host, SEKISHO, "connect", "of-alice")
    typed = read_drawn(terminal.see(QUESTION))
    terminal.type(typed)
    terminal.see("Disconnect with")
    assert terminal.end() == 0
    assert host.link("of-alice")["auth"] == "eap-gtc" and host.reaches("172.16.0.10")
    host.sekisho("disconnect", "of-alice")


def test_without_a_terminal_nothing_is_left_of_the_attempt(site, host):
    before = host.state()
    command = host.start(*host.connecting(*GRID), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, start_new_session=True)
    out, err = command.communicate(timeout=PATIENCE)
    assert command.returncode == 2, out + err
    assert err == f'The server asks "{QUESTION.strip()}", and there is no terminal to answer at.\n'
    wait_for("the host is as it was", lambda: host.state() == before, 30)


def test_a_gateway_that_does_not_ask_is_told_and_nothing_weaker_is_tried(make_site, tmp_path):
    site = make_site(settings(ppp={"auth": '{"mschapv2", "pap"}'}))
    host = Host(site.computer(), tmp_path, PSK, USERS["alice"])
    try:
        status, out, err = host.connect(*GRID)
        assert status == 17, out + err
        assert "no login method in common" in out and site.gateway.sessions() == []
    finally:
        host.close("office")


def test_three_wrong_answers_end_the_login_and_are_told(site, host):
    terminal = Terminal(host, *host.connecting(*GRID))
    seen = set()
    for _ in range(3):
        seen.add(read_drawn(terminal.see(QUESTION)))
        terminal.type("00000000")
    terminal.see("failed")
    assert terminal.end() == 16
    assert len(seen) == 3  # each answer has used its grid up
    site.gateway.wait_explained("grid-wrong", "alice")


@pytest.mark.parametrize("name", ["bob", "nobody"])
def test_other_names_see_a_grid_as_well(site, host, name):
    terminal = Terminal(host, *host.connecting(*GRID, "--user", name))
    shown = terminal.see(QUESTION)
    assert len(read_drawn(shown)) == 8
    if name == "bob":  # who has no pattern, and logs in by the password
        terminal.type(USERS["bob"])
        terminal.see("Disconnect with")
        assert terminal.end() == 0 and site.gateway.sessions()[0]["user"] == "bob"
        return
    for _ in range(2):
        terminal.type("00000000")
        assert len(read_drawn(terminal.see(QUESTION))) == 8
    terminal.type("00000000")
    terminal.see("failed")
    assert terminal.end() == 16


def test_a_connection_that_comes_back_needs_nobody_while_the_gateway_takes_the_answer(make_site, tmp_path):
    site = make_site(settings(grid={"enabled": "on"}, ppp={"auth": '{"mschapv2", "eap-gtc"}'}))
    enrol(site, "alice")
    host = Host(site.computer(), tmp_path, PSK, "not the answer")
    try:
        terminal = Terminal(host, *host.connecting(*GRID))
        terminal.type(read_drawn(terminal.see(QUESTION)))
        terminal.see("Disconnect with")
        assert terminal.end() == 0
        site.gateway.ask("session", "kick", site.gateway.sessions()[0]["id"])
        log = host.file("/run/sekisho/client/office.log")
        wait_for("it was answered as before", lambda: "answered as at the login before" in log.read_text(), PATIENCE)
        host.wait_up(PATIENCE)
        site.gateway.ask("user", "grid", "off", "alice")  # what was typed is forgotten there
        site.gateway.ask("session", "kick", site.gateway.sessions()[0]["id"])
        wait_for("somebody is asked", lambda: host.link().get("state") == "asking", PATIENCE, 0.2)
        assert "waits for an answer" in host.sekisho("client", "status", "office")[1]
        terminal = Terminal(host, *host.connecting(*GRID))  # which shows what runs already
        terminal.see(QUESTION)
        terminal.type(USERS["alice"])
        terminal.see("Disconnect with")
        assert terminal.end() == 0
        host.wait_up(PATIENCE)
    finally:
        host.close("office")
