"""What `sekisho connect` shows, how it ends, and what it hands to its engine."""
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from lab.command import SEKISHO, STEPS, UP, failed

SUMMARY = """\
  Server     vpn.example.net (203.0.113.5:4500), through NAT
  Address    172.16.2.7 on sekisho0, MTU 1382
  DNS        10.0.0.53, 10.0.0.54
  Routes     everything
  Login      alice, psk mschapv2
  Ciphers    IKE aes256-sha256-modp2048; ESP aes256-sha1
"""

LINES = """\
   0.012 s  main mode message 1: proposals
   0.112 s  main mode message 2: choice (aes256-sha256-modp2048)
   1.380 s  user authentication (mschapv2)
"""


def test_a_line_a_stage_then_what_was_agreed(command):
    command.profile()
    command.script(*STEPS, UP, stays=True)
    status, out, err = command.run("connect", "office")
    assert (status, err) == (0, "")
    assert out == ("Connecting to vpn.example.net.\n" + LINES + "   1.512 s  connected\n" + SUMMARY +
                   "Disconnect with: sekisho disconnect office\n")


def test_the_engine_goes_on_by_itself(command):
    command.profile()
    command.script(*STEPS, UP, stays=True)
    assert command.run("connect", "office")[0] == 0
    assert command.started["session"]
    assert command.started["signals"] == ["SigBlk:\t0000000000000000"]
    assert os.path.exists(f"/proc/{command.started['pid']}")
    status, out, err = command.run("disconnect")
    assert (status, out, err) == (0, "office is disconnected.\n", "")
    assert command.disconnected


def test_steps_told_before_anybody_listened_are_not_lost(command):
    command.profile()
    command.script(*STEPS, {"wait": 0.3}, UP, stays=True, early=True)
    out = command.run("connect", "office")[1]
    assert LINES in out and out.count("main mode message 1") == 1


# The numbers are a contract with scripts: see sekisho(1).
@pytest.mark.parametrize("cause, status", [
    ("ike-no-answer", 10), ("natt-blocked", 11), ("wrong-psk", 12), ("no-ike-proposal", 13), ("no-esp-proposal", 13),
    ("cert-unknown-ca", 14), ("cert-expired", 14), ("cert-refused", 15), ("auth-refused", 16), ("wrong-password", 16),
    ("auth-method", 17), ("pool-empty", 18), ("l2tp-refused", 19), ("lcp-timeout", 20), ("name-unknown", 21),
    ("no-rights", 23), ("idle", 1), ("a-cause-of-tomorrow", 1)])
def test_each_cause_has_an_exit_status_of_its_own(command, cause, status):
    command.profile()
    command.script(STEPS[0], failed(cause))
    assert command.run("connect", "office")[0] == status


def test_a_failure_tells_stage_cause_and_cure(command):
    command.profile()
    command.script(STEPS[0], failed("auth-refused", "The server refused user name or password.", "Check both."))
    status, out, err = command.run("connect", "office")
    assert (status, err) == (16, "")
    assert out.endswith("   3.200 s  failed at: user authentication\n"
                        "            Why: The server refused user name or password.\n"
                        "            Cure: Check both.\n")


def test_an_attempt_that_is_repeated_is_waited_for(command):
    command.profile()
    command.script(failed("ike-no-answer", retry=1500), {"wait": 0.1}, UP, stays=True)
    status, out, _ = command.run("connect", "office")
    assert status == 0
    assert "            Trying again in 2s.\n" in out and "connected\n" in out


def test_programs_get_a_line_of_json_each(command):
    command.profile()
    command.script(*STEPS, UP, stays=True)
    status, out, err = command.run("connect", "office", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert [line["progress"]["type"] for line in lines[:-1]] == ["step", "step", "step", "up"]
    assert lines[1]["progress"]["detail"] == "aes256-sha256-modp2048"
    assert lines[-1]["link"]["address"] == "172.16.2.7" and lines[-1]["link"]["state"] == "up"


def test_programs_see_a_failure_too(command):
    command.profile()
    command.script(failed("wrong-psk"))
    status, out, _ = command.run("connect", "office", "--json")
    assert status == 12
    assert json.loads(out.splitlines()[-1])["progress"]["cause"] == "wrong-psk"


# ---- a terminal ----

def test_a_spinner_turns_while_a_person_waits(command):
    command.profile()
    command.script(STEPS[0], {"wait": 0.8}, STEPS[1], STEPS[2], UP, stays=True)
    seen = command.terminal("connect", "office")
    assert seen.wait() == 0
    turned = "".join(re.findall(r"\r\x1b\[K  (.) ", seen.shown))  # how far depends on how busy the machine is
    assert len(turned) > 1 and turned == ("|/-\\" * len(turned))[:len(turned)]
    assert "\x1b[32mconnected\x1b[0m" in seen.shown
    assert seen.screen == ("Connecting to vpn.example.net.\n" + LINES + "   1.512 s  connected\n" + SUMMARY +
                           "Disconnect with: sekisho disconnect office\n")


def test_colours_are_left_out_where_they_are_not_wanted(command):
    command.profile()
    command.script(*STEPS, UP, stays=True)
    seen = command.terminal("connect", "office", env={"NO_COLOR": "1"})
    assert seen.wait() == 0
    assert "\x1b[3" not in seen.shown and "\x1b[2m" not in seen.shown


def test_what_a_server_says_cannot_steer_the_terminal(command):
    command.profile()
    command.script({**STEPS[0], "detail": "\x1b[2Jhello\x07"}, UP, stays=True)
    out = command.run("connect", "office")[1]
    assert "(?[2Jhello?)" in out


# ---- interruptions ----

def test_ctrl_c_ends_the_attempt_and_undoes_it(command):
    command.profile()
    command.script(STEPS[0], {"wait": 20}, undoing=0.3)
    seen = command.terminal("connect", "office")
    seen.expect("proposals")
    seen.type("\x03")
    assert seen.wait() == 22
    assert command.disconnected
    assert "Interrupted; what was begun is undone." in seen.screen


def test_a_signal_does_the_same(command):
    command.profile()
    command.script(STEPS[0], {"wait": 20})
    running = command.start("connect", "office")
    assert running.stdout.readline() == "Connecting to vpn.example.net.\n"
    assert "proposals" in running.stdout.readline()
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 22
    assert command.disconnected


def test_in_the_foreground_it_tells_what_happens_until_it_is_ended(command):
    command.profile()
    lost = {"type": "lost", "at": 9000, "sentence": "first data packet", "cause": "peer-silent",
            "why": "The peer stopped answering.", "retry": 1000}
    command.script(*STEPS, UP, {"wait": 0.2}, lost, {"wait": 0.2}, {**UP, "at": 11000}, stays=True)
    seen = command.terminal("connect", "office", "--foreground")
    seen.expect("connection lost")
    seen.expect("11.000")
    assert "Disconnect with" not in seen.shown
    seen.type("\x03")
    assert seen.wait() == 0
    assert "Disconnecting." in seen.screen and command.disconnected


def test_in_the_foreground_a_connection_that_ends_for_good_ends_the_command(command):
    command.profile()
    command.script(UP, {"wait": 0.2}, {"type": "lost", "cause": "peer-silent", "why": "It is silent.", "retry": 0})
    assert command.run("connect", "office", "--foreground")[0] == 1


# ---- engines that run already, or die ----

def test_a_connection_that_is_up_is_shown_not_made_twice(command):
    command.profile()
    command.script(*STEPS, UP, stays=True)
    assert command.run("connect", "office")[0] == 0
    pid = command.started["pid"]
    status, out, _ = command.run("connect", "office")
    assert status == 0
    assert out.startswith("office is connected already.\n") and SUMMARY in out
    assert command.started["pid"] == pid


def test_an_interruption_leaves_the_engine_of_somebody_else_alone(command):
    command.profile()
    command.script(STEPS[0], {"wait": 20}, stays=True)
    first = command.start("connect", "office")
    assert first.stdout.readline() and first.stdout.readline()
    second = command.terminal("connect", "office")
    second.expect("being connected already")
    second.expect("proposals")
    second.type("\x03")
    assert second.wait() == 22
    assert not command.disconnected and first.poll() is None
    first.send_signal(signal.SIGINT)
    assert first.wait(10) == 22


def test_a_socket_without_an_engine_is_no_hindrance(command):
    command.profile()
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(command.directory / "sockets/office.sock"))
    stale.close()
    command.script(*STEPS, UP, stays=True)
    assert command.run("connect", "office")[0] == 0


def test_an_engine_that_dies_is_cleaned_up_after(command):
    command.profile()
    command.script(STEPS[0], {"wait": 0.2}, {"crash": True})
    status, _, err = command.run("connect", "office")
    assert status == 1
    log = command.directory / "sockets/office.log"
    assert err == f"The connection's engine has ended without a word. What it left is undone. Its log: {log}\n"
    assert command.cleaned == ["office"]


def test_an_engine_that_cannot_start_says_why(command):
    command.profile()
    command.script(refuses={"code": "failed", "sentence": "UDP port 500 is in use."})
    assert command.run("connect", "office") == (1, "Connecting to vpn.example.net.\n", "UDP port 500 is in use.\n")
    command.script(refuses={"code": "denied", "sentence": "It lacks the rights."})
    assert command.run("connect", "office")[0] == 23
    command.script(dies=9)
    status, _, err = command.run("connect", "office")
    assert (status, err) == (1, "The connection's engine did not start; it ended with status 9.\n")
    command.engine.unlink()
    status, _, err = command.run("connect", "office")
    assert (status, err) == (1, "The program sekisho-client is not installed beside this one.\n")


# ---- where to ----

def test_everything_in_one_line(command):
    command.script(*STEPS, UP, stays=True)
    status, out, _ = command.run("connect", "vpn.example.net", "--user", "alice", "--psk-file",
                                 command.file("psk", "open sesame\n"), "--password-file",
                                 command.file("password", "geheim\n"), "--routes", "10.0.0.0/8,192.168.0.0/16", "--dns",
                                 "off", "--set", "ike.policy=legacy", "--set", "ppp.mtu=1300")
    assert status == 0, out
    assert out.endswith("sekisho disconnect vpn.example.net\n")
    assert command.started["profile"] == (
        'server = "vpn.example.net"\nuser = "alice"\npassword = "geheim"\npsk = "open sesame"\n'
        'ike {\n    policy = legacy\n}\nppp {\n    mtu = 1300\n}\n'
        'net {\n    routes = { "10.0.0.0/8", "192.168.0.0/16" }\n    dns = "off"\n}\n')


def test_a_server_by_its_ipv6_address_has_a_name_for_a_file(command):
    command.script(UP, stays=True)
    given = ["--user", "a", "--psk-file", command.file("k", "k\n"), "--password-file", command.file("p", "p\n")]
    assert command.run("connect", "2001:db8::1", *given)[1].endswith("sekisho disconnect 2001-db8--1\n")
    assert command.started["argv"][-2] == "2001-db8--1"


def test_a_profile_in_any_file(command):
    command.script(UP, stays=True)
    path = command.file("handed-out.conf", "server = a\nuser = b\npassword = c\npsk = d\n")
    assert command.run("connect", "work", "--profile", path)[1].endswith("sekisho disconnect work\n")
    assert command.started["argv"][-2] == "work"


def test_options_go_before_the_profile(command):
    command.profile(text='server = a\nuser = b\npassword = c\npsk = d\nnet { routes = ask }\n')
    command.script(UP, stays=True)
    assert command.run("connect", "office", "--user", "eve", "--no-leak", "--routes", "everything")[0] == 0
    assert command.started["profile"] == ('server = "a"\nuser = "eve"\npassword = "c"\npsk = "d"\n'
                                          'net {\n    no_leak = on\n}\n')


def test_what_is_wrong_is_said_before_anything_is_asked(command):
    command.profile("broken", "server = a\nusr = b\n")
    for words, status, text in [
            (["connect", "nowhere"], 1, "There is no profile nowhere. Add it with: sekisho profile add nowhere"),
            (["connect", "broken"], 1, 'broken.conf:2: There is no key "usr" here; "user" may be meant.'),
            (["connect", "a.example", "--routes", "10.0.0.1/8"], 2, 'net.routes: "10.0.0.1/8" is no IPv4 network'),
            (["connect", "a.example", "--set", "colour=red"], 2, 'There is no key "colour"'),
            (["connect", "a.example", "--set", "password=x"], 2, "A secret does not belong on the command line"),
            (["connect", "a.example", "--set", "nothing"], 2, "--set wants KEY=VALUE"),
            (["connect", "a.example", "--certificate", "/nonexistent"], 1, "The file /nonexistent cannot be read"),
            (["connect", "../x", "--user", "a"], 1, "This is no host's name or address"),
            (["connect"], 2, "WHERE is missing")]:
        got, _, err = command.run(*words)
        assert (got, text in err) == (status, True), (words, got, err)
    assert not (command.directory / "started.json").exists()


def test_aggressive_mode_is_warned_of(command):
    command.profile()
    command.script(UP, stays=True)
    assert "aggressive mode lets everybody" in command.run("connect", "office", "--set", "ike.aggressive=on")[2]


def test_without_rights_one_sentence_says_what_to_do(command):
    command.profile()
    del command.environment["TEST_ENGINE"]
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--"]
    done = subprocess.run([*(nobody if os.geteuid() == 0 else []), SEKISHO, "connect", "office"], env=command.environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (23, "This needs the rights of root: sudo sekisho connect office\n")
