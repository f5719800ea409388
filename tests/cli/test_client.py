"""`sekisho client status` and `sekisho disconnect`."""
import json
import re
import socket
import time

from lab.command import LINK, STEPS, UP, failed


def connected(command, *names, **link):
    for name in names:
        command.profile(name)
        command.script(*STEPS, UP, stays=True, link={**LINK, "since": int(time.time()) - 3700, **link})
        assert command.run("connect", name)[0] == 0


def stale(command, name):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(command.directory / f"sockets/{name}.sock"))
    left.close()


def test_one_connection_is_told_in_full(command):
    connected(command, "office")
    status, out, err = command.run("client", "status")
    assert (status, err) == (0, "")
    assert out == """\
office is connected, for 1h 1m.
  Server     vpn.example.net (203.0.113.5:4500), through NAT
  Address    172.16.2.7 on sekisho0, MTU 1382
  DNS        10.0.0.53, 10.0.0.54
  Routes     everything
  Login      alice, psk mschapv2
  Ciphers    IKE aes256-sha256-modp2048; ESP aes256-sha1
  Carried    1.5 kB in (512 B/s), 20 B out (0 B/s)
"""
    assert command.run("client", "status", "office")[1] == out
    assert json.loads(command.run("client", "status", "office", "--json")[1])["link"]["mtu"] == 1382


def test_a_connection_that_waits_tells_why(command):
    command.profile()
    command.script(failed("ike-no-answer", retry=60000), {"wait": 20},
                   link={**LINK, "state": "waiting", "retry_at": int(time.time()) + 30, "cause": "ike-no-answer",
                         "why": "The other side does not answer IKE.", "cure": "Check the address."})
    attempt = command.start("connect", "office")
    assert attempt.stdout.readline() and attempt.stdout.readline()
    out = command.run("client", "status")[1]
    assert re.match(r"office is not connected; the next attempt is in (29|30)s\.\n"
                    r"  Why: The other side does not answer IKE\.\n  Cure: Check the address\.\n", out)
    attempt.terminate()
    attempt.wait(10)


def test_several_are_a_table(command):
    connected(command, "office", "lab")
    out = command.run("client", "status")[1]
    assert out == ("NAME    STATE  SERVER           ADDRESS         IN   OUT\n"
                   "lab     up     vpn.example.net  172.16.2.7  1.5 kB  20 B\n"
                   "office  up     vpn.example.net  172.16.2.7  1.5 kB  20 B\n")
    assert [l["profile"] for l in json.loads(command.run("client", "status", "--json")[1])["links"]] == ["lab", "office"]
    assert command.run("disconnect")[0] == 2
    assert command.run("disconnect", "lab")[0] == 0
    assert command.run("disconnect")[1] == "office is disconnected.\n"


def test_the_status_is_told_anew_until_interrupted(command):
    connected(command, "office")
    seen = command.terminal("client", "status", "--watch")
    while seen.shown.count("office is connected") < 2:
        seen.read(2)
    seen.type("\x03")
    assert seen.wait() != 0
    assert seen.shown.startswith("\x1b[H\x1b[2J")


def test_nothing_is_connected(command):
    assert command.run("client", "status") == (3, "", "Nothing is connected.\n")
    assert command.run("client", "status", "office") == (
        3, "", "office is not connected. Connect with: sekisho connect office\n")
    assert json.loads(command.run("client", "status", "--json")[1]) == {"links": []}
    assert command.run("disconnect") == (0, "Nothing is connected.\n", "")


def test_what_a_dead_engine_left_is_undone(command):
    stale(command, "office")
    assert command.run("disconnect", "office") == (0, "office was not connected; nothing is left of it.\n", "")
    assert command.cleaned == ["office"]
    stale(command, "lab")
    assert command.run("disconnect")[0] == 0
    assert sorted(command.cleaned) == ["lab", "office", "office"]


def test_cleaning_up_that_fails_is_told(command):
    command.script(clean=1)
    assert command.run("disconnect", "office")[0] == 1


def test_an_engine_that_could_not_undo_all_says_so(command):
    command.profile()
    command.script(*STEPS, UP, stays=True,
                   disconnect={"ok": False, "error": {"code": "failed", "sentence": "The route is not ours any more."}})
    assert command.run("connect", "office")[0] == 0
    assert command.run("disconnect", "office")[::2] == (1, "The route is not ours any more.\n")
