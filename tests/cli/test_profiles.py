"""`sekisho profile`: connections under names."""
import json
import stat

import pytest

from lab.command import STEPS, UP

NM = """\
[connection]
id=Office
type=vpn
autoconnect=true
[vpn]
gateway=vpn.example.net
user=alice
ipsec-enabled=yes
service-type=org.freedesktop.NetworkManager.l2tp
[vpn-secrets]
ipsec-psk=0sZm91ciB3aW5kcw==
password=wonderland
"""


def test_a_profile_is_added_listed_shown_and_removed(command):
    status, out, err = command.run("profile", "add", "office", "--server", "vpn.example.net", "--user", "alice",
                                   "--psk-file", command.file("psk", "k\n"), "--set", "ike.policy=legacy")
    assert (status, err) == (0, "")
    assert out == "Connect with: sudo sekisho connect office\nThe profile office was added.\n"
    path = command.profiles / "office.conf"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(command.profiles.stat().st_mode) == 0o700
    assert f'\npsk_file = "{command.directory}/psk"\n' in path.read_text()
    assert [p.name for p in command.profiles.iterdir()] == ["office.conf"]
    assert command.run("profile", "list")[1] == ("NAME    SERVER           USER   STATE\n"
                                                 "office  vpn.example.net  alice  \n")
    assert command.run("profile", "show", "office")[1] == (
        "server                     vpn.example.net\nuser                       alice\n"
        f"psk_file                   {command.directory}/psk\nike.policy                 legacy\n")
    assert command.run("profile", "del", "office")[:2] == (0, "The profile office was removed.\n")
    assert command.run("profile", "list")[1].startswith("There is no profile.")
    assert command.run("profile", "del", "office")[::2] == (1, "There is no profile office.\n")


def test_a_profile_is_not_written_over_unawares(command):
    path = command.profile()
    before = path.read_text()
    status, _, err = command.run("profile", "add", "office", "--server", "other")
    assert (status, err) == (1, "The profile office is there already; --replace writes over it.\n")
    assert path.read_text() == before
    assert command.run("profile", "add", "office", "--server", "other.example", "--replace")[0] == 0
    assert "other.example" in path.read_text()


def test_what_is_wrong_leaves_nothing_behind(command):
    status, _, err = command.run("profile", "add", "office", "--user", "alice")
    assert status == 2 and "server: The server is missing" in err
    assert command.run("profile", "add", "../office", "--server", "a")[0] == 2
    assert not command.profiles.exists()


def test_one_setting_is_changed_and_the_rest_stays(command):
    path = command.profile()
    assert command.run("profile", "set", "office", "--routes", "ask")[0] == 0
    text = path.read_text()
    assert '    routes = "ask"\n' in text and 'password = "p"\n' in text
    assert command.run("profile", "set", "office", "--set", "ppp.mtu=99999")[0] == 2
    assert path.read_text() == text


def test_secrets_are_asked_for_on_a_terminal_and_may_be_left_out(command):
    seen = command.terminal("profile", "add", "office", "--server", "vpn.example.net", "--user", "alice")
    seen.expect("Pre-shared key (Enter: ask each time): ")
    seen.type("four winds\n")
    seen.expect("Password (Enter: ask each time): ")
    seen.type("\n")
    assert seen.wait() == 0
    text = (command.profiles / "office.conf").read_text()
    assert 'psk = "four winds"\n' in text and '\n#password = ' in text
    assert "four winds" not in seen.shown


def test_secrets_are_neither_shown_nor_exported_unasked(command):
    command.profile(text='server = a\npsk = look-for-me\npassword = me-too\n')
    for words in (["show", "office"], ["show", "office", "--json"], ["export", "office"], ["list", "--json"]):
        status, out, _ = command.run("profile", *words)
        assert status == 0 and "look-for-me" not in out and "me-too" not in out, words
    assert json.loads(command.run("profile", "show", "office", "--json")[1])["profile"]["psk"] == "(set)"
    assert command.run("profile", "export", "office", "--secrets")[1] == ('server = "a"\npassword = "me-too"\n'
                                                                          'psk = "look-for-me"\n')


def test_a_connection_of_networkmanager_is_taken_over_and_connects(command):
    status, out, err = command.run("profile", "import", command.file("My Office.nmconnection", NM))
    assert (status, out) == (0, "The profile My-Office was imported.\n")
    assert err == "It connected by itself; for that: systemctl enable --now sekisho-client@NAME\n"
    command.script(*STEPS, UP, stays=True)
    assert command.run("connect", "My-Office")[0] == 0
    assert command.started["profile"].startswith('server = "vpn.example.net"\nuser = "alice"\n'
                                                 'password = "wonderland"\npsk = "four winds"\n')


def test_a_profile_from_elsewhere_is_taken_over(command):
    given = command.file("handed-out.conf", "# for Alice [from us]\nserver = a\npsk = b\n")
    assert command.run("profile", "import", given, "--name", "work")[:2] == (0, "The profile work was imported.\n")
    assert 'server = "a"\n' in (command.profiles / "work.conf").read_text()
    assert command.run("profile", "import", given, "--name", "work")[0] == 1
    assert command.run("profile", "import", given, "--name", "work", "--replace")[0] == 0


@pytest.mark.parametrize("text, sentence", [
    ("[vpn]\nservice-type=org.freedesktop.NetworkManager.openvpn\n", "only L2TP can be taken"),
    ("sarver = a\n", 'There is no key "sarver" here; "server" may be meant.'),
    ("", "The server is missing")])
def test_what_is_no_profile_is_refused(command, text, sentence):
    status, _, err = command.run("profile", "import", command.file("x.conf", text))
    assert status == 1 and sentence in err
    assert not command.profiles.exists()


def test_an_edited_profile_is_taken_back_only_when_it_is_right(command):
    path = command.profile()
    before = path.read_text()
    assert command.run("profile", "edit", "office", env={"EDITOR": "sed -i s/alice/bob/"})[0] == 0
    assert path.read_text() == before.replace("alice", "bob")
    status, _, err = command.run("profile", "edit", "office", env={"EDITOR": "sed -i s/user/usr/"})
    assert status == 1 and 'There is no key "usr"' in err and "Nothing was changed" in err
    assert path.read_text() == before.replace("alice", "bob")
    assert "usr = bob" in (command.profiles / "office.conf.edit").read_text()
    assert command.run("profile", "edit", "office", env={"EDITOR": "false"})[0] == 1


def test_a_broken_profile_is_listed_with_what_is_wrong(command):
    command.profile("broken", "sarver = a\n")
    assert "There is no key" in command.run("profile", "list")[1]
    assert json.loads(command.run("profile", "list", "--json")[1])["profiles"][0]["good"] is False
