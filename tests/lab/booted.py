"""A computer of which systemd is the first process: the host's own systemd, in namespaces that vanish with it."""
import itertools
import os
import pathlib
import signal
import subprocess
import tempfile

from lab.shell import run, stop, wait_for

SCRIPT = pathlib.Path(__file__).parent / "boot.sh"
PATIENCE = 120  # seconds that a start may take where much else runs
_serial = itertools.count(1)


class Booted:
    """The computer of `namespace`, with the files below `tree` on it; it sees the directories `shown` of the host. Off at first."""

    def __init__(self, namespace, tree, *shown):
        self.namespace = namespace
        self.shown = shown
        self.group = f"sekisho-test.{os.getpid()}.{next(_serial)}"
        self.process = self.pid = None
        self.said = tempfile.TemporaryFile()
        self.disk = namespace.start("unshare", "--mount", "sh", SCRIPT, "disk", tree, stdout=subprocess.PIPE)
        assert self.disk.stdout.readline() == b"ready\n"

    def boot(self):
        """Switches it on, and waits until everything that is to run at the start does, or has failed."""
        self.process = self.namespace.start("nsenter", "--mount", f"--target={self.disk.pid}", "sh", SCRIPT, "on", self.group,
                                            *self.shown, stdout=subprocess.DEVNULL, stderr=self.said)
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")

        def first():
            assert self.process.poll() is None, self.said.seek(0) or self.said.read()
            for child in children.read_text().split():
                if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return child
            return None

        self.pid = wait_for("systemd starts", first, PATIENCE)
        wait_for("systemd can be asked", lambda: "No such file" not in self._state(), PATIENCE)
        return wait_for("the start is over", lambda: (s := self._state()) in ("running", "degraded") and s, PATIENCE)

    def _state(self):
        return self.run("systemctl", "is-system-running", check=False).strip()

    def words_of(self, *words):
        return ["nsenter", "--all", f"--target={self.pid}", "--", *map(str, words)]

    def run(self, *words, **options):
        return run(*self.words_of(*words), **options)

    def write(self, path, text, mode="600"):
        self.run("sh", "-c", f"mkdir -p $(dirname {path}); umask 077; cat >{path}; chmod {mode} {path}", stdin=text)

    def active(self, unit):
        return self.run("systemctl", "is-active", unit, check=False).strip()

    def properties(self, unit, *names):
        """What systemd knows of a unit."""
        said = self.run("systemctl", "show", unit, "--property", ",".join(names))
        return dict(line.split("=", 1) for line in said.splitlines())

    def journal(self, unit):
        """The lines that a unit's processes have written."""
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit", unit)

    def power_cut(self):
        if self.process is None:
            return
        if self.pid is None:
            stop(self.process)  # it has not come far
        else:
            os.kill(int(self.pid), signal.SIGKILL)
        self.process.wait()
        self.process = self.pid = None
        run("sh", SCRIPT, "off", self.group)

    def close(self):
        self.power_cut()
        stop(self.disk)
        self.disk.stdout.close()
        self.said.close()
