"""`sekisho connect` from the command line to the gateway and back: the command, its engine, the steward."""
import fcntl
import json
import os
import pathlib
import pty
import termios

import pytest

from lab.gateway import settings
from lab.host import Host
from lab.shell import wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_NET

from netns.conftest import PSK, USERS


@pytest.fixture
def host(make_site, tmp_path):
    site = make_site()
    made = Host(site.computer(), tmp_path, PSK, USERS["alice"])
    yield made
    made.close("office")


def test_connect_use_and_disconnect_leave_the_host_as_it_was(host):
    before = host.state()
    status, out, err = host.connect("--routes", OFFICE_NET)
    assert status == 0, out + err
    assert "connected\n" in out and f"Routes     {OFFICE_NET}" in out
    assert host.run("ping", "-c", "2", "-W", "2", "172.16.0.10")[0] == 0
    status, out, _ = host.sekisho("client", "status", "--json", "office")
    link = json.loads(out)["link"]
    assert (status, link["state"], link["user"], link["server"]) == (0, "up", "alice", INTERNET_GATEWAY)
    assert link["bytes_in"] >= 2 * 84 and link["packets_out"] >= 2
    log = host.file("/run/sekisho/client/office.log")
    assert link["log"] == "/run/sekisho/client/office.log" and "  up (address 10.99.0." in log.read_text()
    assert host.connect()[1].startswith("office is connected already.\n")
    status, out, err = host.sekisho("disconnect")
    assert (status, out, err) == (0, "office is disconnected.\n", "")
    assert host.state() == before
    assert host.sekisho("client", "status")[0] == 3


def test_everything_goes_through_the_tunnel(host):
    before = host.state()
    status, out, err = host.connect()
    assert status == 0, out + err
    assert "Routes     everything" in out
    assert host.run("ping", "-c", "2", "-W", "2", "172.16.0.10")[0] == 0
    assert host.sekisho("disconnect", "office")[0] == 0
    assert host.state() == before


def test_no_secret_is_in_sight_of_others(host):
    assert host.connect("--routes", OFFICE_NET)[0] == 0
    for pid in host.run("pgrep", "-f", "profile-fd")[1].split():
        for name in ("cmdline", "environ"):
            seen = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            assert PSK.encode() not in seen and USERS["alice"].encode() not in seen


@pytest.mark.parametrize("what, status", [("password", 16), ("psk", 12)])
def test_what_is_wrong_has_its_status_and_its_cure(host, what, status):
    before = host.state()
    host.secret(what, "something else")
    got, out, err = host.connect()
    assert got == status, out + err
    assert " failed at: " in out and "Why: " in out and "Cure: " in out
    wait_for("the host is as it was", lambda: host.state() == before)


@pytest.mark.long
def test_a_server_that_is_not_there_is_told_soon(host):
    got, out, err = host.connect(server="203.0.113.99")
    assert got == 10, out + err
    got, out, err = host.connect(server="no-such-host.invalid")
    assert got == 21, out + err


def test_what_killed_programs_leave_is_undone(host):
    before = host.state()
    assert host.connect()[0] == 0
    host.kill(steward=True)
    status, out, err = host.sekisho("disconnect", "office")
    assert (status, out) == (0, "office was not connected; nothing is left of it.\n"), err
    assert host.state() == before


# ---- questions of the server ----

GTC = ("--routes", OFFICE_NET, "--set", "ppp.methods=eap-gtc", "--set", "ppp.answer_prompts=off")


@pytest.fixture
def asking(make_site, tmp_path):
    """A host whose gateway asks by EAP-GTC; the password that is kept there is not the answer."""
    site = make_site(settings(ppp={"auth": '{"eap-gtc"}'}))
    made = Host(site.computer(), tmp_path, PSK, "not the answer")
    yield made
    made.close("office")


class Terminal:
    """The command at a terminal of its own; what it shows, and what a person types."""

    def __init__(self, host, *words):
        self.ours, theirs = pty.openpty()
        self.shown = b""
        self.command = host.start(*words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                                  preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(theirs)

    def see(self, text):
        while text not in self.shown:
            self.shown += os.read(self.ours, 4096)

    def type(self, text):
        os.write(self.ours, text)

    def end(self):
        status = self.command.wait(10)
        os.close(self.ours)
        return status


def test_what_the_server_asks_is_shown_and_the_answer_typed_unseen(asking):
    terminal = Terminal(asking, *asking.connecting(*GTC))
    terminal.see(b"Password: ")
    terminal.type(USERS["alice"].encode() + b"\n")
    terminal.see(b"Disconnect with")
    assert terminal.end() == 0 and USERS["alice"].encode() not in terminal.shown
    assert asking.link()["auth"] == "eap-gtc" and asking.reaches("172.16.0.10")


def test_who_does_not_want_to_answer_presses_ctrl_c(asking):
    before = asking.state()
    terminal = Terminal(asking, *asking.connecting(*GTC))
    terminal.see(b"Password: ")
    terminal.type(b"\x03")
    assert terminal.end() == 22
    wait_for("the host is as it was", lambda: asking.state() == before, 5)


def test_a_question_without_a_terminal_is_told(asking):
    before = asking.state()
    status, _, err = asking.run("setsid", "--wait", *asking.connecting(*GTC))
    assert status == 2 and "there is no terminal to answer at" in err, err
    wait_for("the host is as it was", lambda: asking.state() == before, 5)
