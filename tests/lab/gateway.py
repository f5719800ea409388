"""The gateway under test: sekishod in a world's gateway namespace, and the command line that speaks to it."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess

from lab.shell import CommandFailed, check_sanitizers, run, stop, wait_for

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SEKISHO_BUILD", TREE / "build"))
SEKISHOD = BUILD / "src/gateway/sekishod"
SEKISHO = BUILD / "src/cli/sekisho"
CLIENT = BUILD / "src/client/sekisho-client"

POOL = "10.99.0.10-10.99.0.250"
POOL_NET = "10.99.0.0/24"
DNS = "172.16.0.53"


def settings(**changes):
    """The configuration of the tests, as {"section": {"key": text}}; `changes` are merged in."""
    base = {
        "": {},
        "ike": {},
        'pool "office"': {"range": f'"{POOL}"', "gateway": '"10.99.0.1"', "dns": f'{{"{DNS}"}}'},
        "net": {"masquerade": "off"},
        "log": {"level": '"debug"'},
        "run": {"user": '"root"'},
        "users": {},
        "control": {},
    }
    for section, keys in changes.items():
        base.setdefault(section, {}).update(keys)
    return base


def as_text(sections):
    """libconfuse's syntax; keys of the section named "" stand outside all sections."""
    lines = [f"{key} = {value}" for key, value in sections.get("", {}).items()]
    for section, keys in sections.items():
        if section and keys:
            lines += [section + " {", *(f"    {key} = {value}" for key, value in keys.items()), "}"]
    return "\n".join(lines) + "\n"


class Gateway:
    """Runs in `namespace` until closed; its files live in `directory`."""

    def __init__(self, namespace, directory, psk, users, sections=None):
        self.namespace = namespace
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket = self.directory / "control"
        self.config = self.directory / "sekisho.conf"
        self.log = self.directory / "log"
        self.sections = settings() if sections is None else sections
        self._secret("psk", psk)
        self.sections["ike"].setdefault("psk_file", f'"{self.directory}/psk"')
        self.sections["users"].update(database=f'"{self.directory}/users.db"', key_file=f'"{self.directory}/users.key"')
        self.sections["control"]["socket"] = f'"{self.socket}"'
        self.process = None
        try:
            self.start()
            for name, password in users.items():
                self.add_user(name, password)
        except BaseException:
            self.close()
            raise

    def _secret(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def write_config(self, **changes):
        for section, keys in changes.items():
            self.sections.setdefault(section, {}).update(keys)
        self.config.write_text(as_text(self.sections))
        self.config.chmod(0o600)

    def start(self):
        self.write_config()
        with open(self.log, "ab") as log:
            self.process = self.namespace.start(SEKISHOD, "--config", self.config, "--foreground", stdout=log,
                                                stderr=subprocess.STDOUT)
        wait_for(f"sekishod answers on {self.socket}\n{self.said()}", self._answers, 15)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"sekishod ended with {self.process.returncode}:\n{self.said()}")
        try:
            return self.ask("status")
        except CommandFailed:  # it may have its socket, and not listen yet
            return False

    def ask(self, *words, **options):
        """Runs `sekisho` against this gateway."""
        return run(SEKISHO, "--socket", self.socket, *words, **options)

    def verb(self, verb, **args):
        """The reply to a verb of the control socket, for which there need not be a command."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.socket))  # waits while many connect at once; with a timeout set it would fail
            s.settimeout(30)
            s.sendall(json.dumps({"v": 1, "verb": verb, "args": args}).encode() + b"\n")
            return json.loads(s.makefile().readline())

    def sessions(self):
        return json.loads(self.ask("--json", "session", "list"))["sessions"]

    def drops(self):
        """What was dropped, as {word: count}."""
        return {drop["word"]: drop["count"] for drop in json.loads(self.ask("--json", "status", "--drops"))["drops"]}

    def add_user(self, name, password):
        self.ask("user", "add", name, "--password-file", self._secret(f"password-{name}", password))

    def explain(self, whom="last"):
        return self.ask("explain", whom)

    def wait_explained(self, cause, whom="last", timeout=10.0):
        """Waits until the story of an attempt names this cause; gives the story."""
        def story():
            told = self.ask("explain", whom, check=False)
            return told if SENTENCES[cause] in told else None
        return wait_for(f"explain says '{SENTENCES[cause]}'", story, timeout)

    def reload(self):
        self.ask("config", "reload")

    def hangup(self):
        self.process.send_signal(signal.SIGHUP)

    def said(self):
        return self._log()[-6000:]

    def _log(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def close(self):
        stop(self.process)
        check_sanitizers(self._log())


def _sentences(table, macro):
    """cause word -> sentence, read from the table that the programs are built from."""
    text = (TREE / table).read_text()
    return dict(re.findall(rf'^{macro}"([\w-]+)",\s*"([^"]*)"', text, re.M))


SENTENCES = _sentences("src/base/causes.def", r"CAUSE\(\w+, ")
JAPANESE = _sentences("src/portal/causes_ja.def", r"CAUSE_JA\(")
