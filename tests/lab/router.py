"""sekisho-router in a home's namespace, and the command that asks it."""
import json
import os
import pathlib
import subprocess
import time

from lab.shell import check_sanitizers, stop, wait_for

BUILD = pathlib.Path(os.environ.get("SEKISHO_BUILD", "build-check"))
PROGRAM = BUILD / "src/router/sekisho-router"


SANITIZED = bool(os.environ.get("SEKISHO_SANITIZED"))


class Router:
    """A router between `inside` and `outside` of a namespace; it is up when this returns."""

    def __init__(self, namespace, directory, *options, inside=("lan",), outside="wan", user="nobody"):
        self.namespace = namespace
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket = self.directory / "router.sock"
        self.state_file = self.directory / "router.state"
        self.log_file = self.directory / "router.log"
        self.words = [PROGRAM, "--outside", outside, "--socket", self.socket, "--run-as", user, *options]
        for name in inside:
            self.words += ["--inside", name]
        self.process = None
        self.start()

    def start(self):
        """Anew, too, after stop() or kill()."""
        said = len(self.log)
        with open(self.log_file, "ab") as log:
            self.process = self.namespace.start(*self.words, stdout=log, stderr=log)
        wait_for("the router is up", lambda: "Up: " in self.log[said:] or self.process.poll() is not None)
        assert self.process.poll() is None, self.log

    @property
    def log(self):
        return self.log_file.read_text() if self.log_file.exists() else ""

    def status(self):
        """Everything that it knows: router, hosts, servers, bindings, drops."""
        return json.loads(self.namespace.run(PROGRAM, "status", "--json", "--socket", self.socket))

    sanitized = SANITIZED

    def bindings(self, **wanted):
        return [one for one in self.status()["bindings"] if all(one[key] == value for key, value in wanted.items())]

    def wait_known(self, spis, timeout=60.0):
        """So many SPIs each way are bound, and the kernel has them."""
        wait_for(f"{spis} SPIs each way are bound", lambda: all(
            len(self.bindings(kind="esp", way=way, state="bound", in_kernel=True)) >= spis for way in ("out", "in")), timeout)

    def shortcut(self, *spis):
        """Whether all of these take the shortcut."""
        return all(self.bindings(id=f"{spi:08x}", shortcut=True) for spi in spis)

    def wait_kept(self):
        """What is known now is in the file of bindings."""
        now = time.time()
        wait_for("bindings are kept", lambda: self.state_file.stat().st_mtime > now)

    def dropped(self, word):
        return sum(one["count"] for one in self.status()["drops"] if one["word"] == word)

    def table(self, family="ip"):
        """The kernel's table as nft lists it; empty when there is none."""
        found = self.namespace.run("nft", "list", "table", family, "sekisho_router", check=False)
        return found if found.startswith(f"table {family}") else ""

    def stop(self):
        """In good order; gives the exit status."""
        stop(self.process)
        check_sanitizers(self.log)
        return self.process.returncode

    def kill(self, forget=False):
        """As a crash would end it; forget: and its memory, as a reboot would."""
        self.process.kill()
        self.process.wait()
        if forget:
            self.state_file.unlink(missing_ok=True)

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop()


def refusal(namespace, *words):
    """Exit status and words of a router that does not start."""
    done = subprocess.run(["ip", "netns", "exec", namespace.name, PROGRAM, *map(str, words)], capture_output=True,
                          text=True, timeout=30, check=False)
    return done.returncode, done.stderr
