"""The command in a place of its own: an engine that follows a script, profiles and sockets in a directory of the test."""
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import time

SEKISHO = pathlib.Path(os.environ["SEKISHO_BUILD"]) / "tests/cli/sekisho-test"
ENGINE = pathlib.Path(__file__).parent.parent / "cli/engine.py"

STEPS = [
    {"type": "step", "at": 12, "stage": "ike-1", "sentence": "main mode message 1: proposals"},
    {"type": "step", "at": 112, "stage": "ike-2", "sentence": "main mode message 2: choice",
     "detail": "aes256-sha256-modp2048"},
    {"type": "step", "at": 1380, "stage": "auth", "sentence": "user authentication", "detail": "mschapv2"},
]
UP = {"type": "up", "at": 1512, "stage": "data", "sentence": "first data packet", "address": "172.16.2.7"}
LINK = {"pid": 1, "user": "alice", "server": "vpn.example.net", "server_address": "203.0.113.5:4500",
        "address": "172.16.2.7", "remote": "172.16.2.1", "interface": "sekisho0", "since": 1700000000,
        "bytes_in": 1536, "bytes_out": 20, "rate_in": 512, "rate_out": 0, "ike": "aes256-sha256-modp2048",
        "esp": "aes256-sha1", "auth": "psk mschapv2", "nat": True, "mtu": 1382, "dns": "10.0.0.53, 10.0.0.54",
        "routes": "everything", "cause": "none"}


def failed(cause, why="Something.", cure="Mend it.", retry=0):
    return {"type": "failed", "at": 3200, "stage": "auth", "sentence": "user authentication", "cause": cause, "why": why,
            "cure": cure, "retry": retry}


class Command:
    """`sekisho` with its places in `directory`."""

    def __init__(self, directory):
        self.directory = directory
        self.profiles = directory / "profiles"
        (directory / "sockets").mkdir()
        self.engine = directory / "sekisho-client"
        shutil.copy(ENGINE, self.engine)
        self.environment = {"PATH": os.environ["PATH"], "TEST_ENGINE": str(self.engine),
                            "TEST_PROFILES": str(self.profiles), "TEST_SOCKETS": str(directory / "sockets"),
                            **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
        self.script()

    def script(self, *steps, **more):
        more.setdefault("link", LINK)
        (self.directory / "script.json").write_text(json.dumps({"steps": steps, **more}))

    def file(self, name, text, mode=0o600):
        path = self.directory / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def profile(self, name="office", text='server = "vpn.example.net"\nuser = alice\npassword = p\npsk = k\n'):
        self.profiles.mkdir(exist_ok=True)
        return self.file(f"profiles/{name}.conf", text)

    def run(self, *words, stdin="", env=None, timeout=30):
        """Status, standard output, standard error; without a terminal."""
        done = subprocess.run([SEKISHO, *map(str, words)], input=stdin, env={**self.environment, **(env or {})}, text=True,
                              capture_output=True, timeout=timeout, start_new_session=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def start(self, *words, env=None, **options):
        return subprocess.Popen([SEKISHO, *map(str, words)], env={**self.environment, **(env or {})}, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def ask(self, verb, name="office", **args):
        """What the engine replies to a verb of its socket."""
        with socket.socket(socket.AF_UNIX) as engine:
            engine.connect(str(self.directory / f"sockets/{name}.sock"))
            engine.sendall(json.dumps({"v": 1, "verb": verb, "args": args}).encode() + b"\n")
            with engine.makefile("rb") as lines:
                return json.loads(lines.readline())

    def terminal(self, *words, env=None):
        return Terminal([str(SEKISHO), *map(str, words)], {**self.environment, "TERM": "xterm", **(env or {})})

    @property
    def started(self):
        return json.loads((self.directory / "started.json").read_text())

    @property
    def cleaned(self):
        path = self.directory / "cleaned"
        return path.read_text().split() if path.exists() else []

    @property
    def answers(self):
        """What the engine's questions were answered with."""
        path = self.directory / "answers"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def disconnected(self):
        return (self.directory / "disconnected").exists()

    def close(self):
        if (self.directory / "started.json").exists():
            try:
                os.kill(self.started["pid"], signal.SIGKILL)
            except ProcessLookupError:
                pass


class Terminal:
    """A person at a terminal: reads what is shown, types answers."""

    def __init__(self, words, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(words[0], words, environment)
        self.shown = ""

    def read(self, wait):
        ready, _, _ = select.select([self.fd], [], [], wait)
        if not ready:
            return False
        try:
            piece = os.read(self.fd, 4096)
        except OSError:
            return False
        self.shown += piece.decode()
        return bool(piece)

    def expect(self, text, timeout=10.0):
        end = time.monotonic() + timeout
        while text not in self.shown and time.monotonic() < end:
            self.read(0.1)
        assert text in self.shown, self.shown

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self, timeout=15.0):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            while self.read(0.05):
                pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0):
                    pass
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"it did not end: {self.shown}")

    @property
    def screen(self):
        """What is left to see, lines that were written over taken away."""
        lines = []
        for line in self.shown.replace("\r\n", "\n").split("\n"):
            line = line.rsplit("\r\x1b[K", 1)[-1]
            lines.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
        return "\n".join(lines)
