"""Where secrets come from, and where they never are."""
import pathlib
import signal
import termios
import time

from lab.command import STEPS, UP

PLAIN = 'server = "vpn.example.net"\nuser = alice\n'


def given(command):
    """The secrets of the profile that the engine got."""
    lines = dict(line.split(" = ", 1) for line in command.started["profile"].splitlines() if " = " in line)
    return lines.get("psk", "").strip('"'), lines.get("password", "").strip('"')


def test_the_engine_has_them_in_no_place_that_others_can_look_into(command):
    command.profile(text=PLAIN)
    command.script(UP, stays=True)
    env = {"SEKISHO_PSK": "psk-in-the-environment", "SEKISHO_PASSWORD": "password-in-the-environment"}
    assert command.run("connect", "office", env=env)[0] == 0
    assert given(command) == ("psk-in-the-environment", "password-in-the-environment")
    place = pathlib.Path(f"/proc/{command.started['pid']}")
    for text in (command.started["environ"], " ".join(command.started["argv"]), (place / "environ").read_text(),
                 (place / "cmdline").read_text()):
        assert "in-the-environment" not in text
    assert [name for name in command.started["descriptors"] if str(command.directory) in name] == []


def test_the_commands_own_environment_forgets_them(command):
    command.profile(text=PLAIN)
    command.script(STEPS[0], {"wait": 20})
    running = command.start("connect", "office", env={"SEKISHO_PSK": "look-for-me", "SEKISHO_PASSWORD": "look-for-me"})
    assert running.stdout.readline() == "Connecting to vpn.example.net.\n"
    assert "proposals" in running.stdout.readline()
    assert b"look-for-me" not in pathlib.Path(f"/proc/{running.pid}/environ").read_bytes()
    running.terminate()
    assert running.wait(10) == 22


def test_files_and_standard_input(command):
    command.profile(text=PLAIN)
    command.script(UP, stays=True)
    status, _, err = command.run("connect", "office", "--psk-file", "-", "--password-file",
                                 command.file("p", "from a file\r\n"), stdin="from standard input\n")
    assert status == 0, err
    assert given(command) == ("from standard input", "from a file")


def test_the_nearest_source_wins(command):
    command.profile(text=PLAIN + f'psk = profile\npassword_file = "{command.file("p", "in the profile")}"\n')
    command.script(UP, stays=True)
    assert command.run("connect", "office", "--psk-file", command.file("k", "option\n"),
                       env={"SEKISHO_PSK": "environment", "SEKISHO_PASSWORD": "environment"})[0] == 0
    assert given(command) == ("option", "environment")


def test_the_service_managers_credentials(command):
    command.profile(text=PLAIN)
    command.script(UP, stays=True)
    store = command.directory / "credentials"
    store.mkdir()
    command.file("credentials/psk", "manager's key")
    command.file("credentials/password", "manager's password\n")
    assert command.run("connect", "office", env={"CREDENTIALS_DIRECTORY": str(store)})[0] == 0
    assert given(command) == ("manager's key", "manager's password")


def test_a_command_such_as_pass(command):
    command.profile(text=PLAIN + 'psk = k\npassword_command = "printf \'%s\\\\n\' stored second-line"\n')
    command.script(UP, stays=True)
    status, _, err = command.run("connect", "office")
    assert status == 0, err
    assert given(command)[1] == "stored"
    assert "password_command" not in command.started["profile"]


def test_a_command_that_fails_is_named(command):
    command.profile(text=PLAIN + 'psk = k\npassword_command = "false"\n')
    assert command.run("connect", "office")[::2] == (1, "password_command gave no password: false\n")


def test_a_password_on_the_command_line_is_warned_of_and_taken_from_sight(command):
    command.profile(text=PLAIN + "psk = k\n")
    command.script(STEPS[0], {"wait": 20})
    running = command.start("connect", "office", "--password-on-command-line", "look-for-me")
    assert running.stdout.readline() == "Connecting to vpn.example.net.\n"
    assert "proposals" in running.stdout.readline()
    assert b"look-for-me" not in pathlib.Path(f"/proc/{running.pid}/cmdline").read_bytes()
    running.terminate()
    assert running.wait(10) == 22
    assert running.stderr.read().startswith("Warning: a password on the command line can be seen")
    assert given(command)[1] == "look-for-me"


def test_secrets_in_files_that_others_may_read_are_refused(command):
    command.profile(text=PLAIN + f'psk_file = "{command.file("k", "k", 0o644)}"\n')
    status, _, err = command.run("connect", "office")
    assert status == 1 and "take that away with chmod o=" in err
    path = command.profile(text=PLAIN + "psk = k\n")
    path.chmod(0o644)
    assert "others may read it" in command.run("connect", "office")[2]


# ---- the terminal ----

def test_what_is_missing_is_asked_for_without_echo(command):
    command.script(UP, stays=True)
    seen = command.terminal("connect", "vpn.example.net")
    seen.expect("User name: ")
    seen.type("alice\n")
    seen.expect("Pre-shared key: ")
    seen.type("four winds\n")
    seen.expect("Password of alice: ")
    seen.type("wonderland\n")
    assert seen.wait() == 0
    assert "alice" in seen.shown and "four winds" not in seen.shown and "wonderland" not in seen.shown
    assert given(command) == ("four winds", "wonderland")


def test_a_locked_private_key_is_asked_for(command):
    command.file("alice.p12", "0\x01 this begins like PKCS#12")
    command.script(UP, stays=True)
    seen = command.terminal("connect", "vpn.example.net", "--user", "alice", "--certificate",
                            command.directory / "alice.p12")
    seen.expect("Password of the private key: ")
    seen.type("key\n")
    seen.expect("Password of alice: ")
    seen.type("login\n")
    assert seen.wait() == 0
    assert 'password = "key"' in command.started["profile"]


def test_an_interruption_at_the_question_gives_the_echo_back(command):
    command.profile(text=PLAIN + "psk = k\n")
    seen = command.terminal("connect", "office")
    seen.expect("Password of alice: ")
    assert not termios.tcgetattr(seen.fd)[3] & termios.ECHO
    seen.type("\x03")
    until = time.monotonic() + 10
    while not termios.tcgetattr(seen.fd)[3] & termios.ECHO and time.monotonic() < until:
        seen.read(0.05)
    assert termios.tcgetattr(seen.fd)[3] & termios.ECHO
    assert seen.wait() == -signal.SIGINT
    assert not (command.directory / "started.json").exists()


def test_without_a_terminal_it_is_said_what_is_missing(command):
    command.profile(text=PLAIN)
    status, _, err = command.run("connect", "office")
    assert status == 2
    assert err.startswith("The pre-shared key is missing, and there is no terminal to ask for it")
