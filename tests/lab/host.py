"""A computer as a person has it: a /run and an /etc of its own, and the command `sekisho` to connect with."""
import json
import os
import pathlib
import signal
import subprocess

from lab.gateway import SEKISHO
from lab.shell import check_sanitizers, stop, wait_for
from lab.world import INTERNET_GATEWAY

# Of /etc all but netns, where files of other tests' computers come and go.
OWN_FILES = ("mount -t tmpfs none /run && mkdir /run/etc && find /etc -mindepth 1 -maxdepth 1 ! -name netns -exec cp -a -t /run/etc {} + "
             "&& mount --bind /run/etc /etc && echo ready && exec sleep 600")


class Host:
    """What is run here sees the files of this host alone; so do the engine and its steward, which the command starts."""

    def __init__(self, computer, directory, psk, password):
        self.computer = computer
        self.directory = directory
        self.keeper = computer.start("unshare", "--mount", "sh", "-c", OWN_FILES, stdout=subprocess.PIPE)
        assert self.keeper.stdout.readline() == b"ready\n"
        self.psk = self.secret("psk", psk)
        self.password = self.secret("password", password)
        wait_for("addresses of IPv6 have settled", lambda: "local fe80" in self.run(*"ip -6 route show table all".split())[1]
                 and not self.run(*"ip -6 address show tentative".split())[1])

    def secret(self, name, text):
        path = self.directory / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return path

    def file(self, path):
        """A file of this host, such as /etc/resolv.conf, as it is seen from outside."""
        return pathlib.Path(f"/proc/{self.keeper.pid}/root") / path.lstrip("/")

    def words(self, *words):
        there = f"/proc/{self.keeper.pid}/ns"
        return ["nsenter", f"--mount={there}/mnt", f"--net={there}/net", *map(str, words)]

    def run(self, *words, timeout=40):
        done = subprocess.run(self.words(*words), capture_output=True, text=True, timeout=timeout, check=False)
        return done.returncode, done.stdout, done.stderr

    def start(self, *words, **options):
        process = subprocess.Popen(self.words(*words), **options)
        self.computer.processes.append(process)
        return process

    def sekisho(self, *words):
        return self.run(SEKISHO, *words)

    def connecting(self, *more, server=INTERNET_GATEWAY, name="office"):
        """The words of the command that connects."""
        return [SEKISHO, "connect", server, "--user", "alice", "--psk-file", self.psk, "--password-file", self.password,
                "--set", "run.user=nobody", "--name", name, *more]

    def connect(self, *more, **where):
        return self.run(*self.connecting(*more, **where))

    def link(self, name="office"):
        """What `sekisho client status` tells; {} when there is no engine."""
        status, out, _ = self.sekisho("client", "status", name, "--json")
        return json.loads(out)["link"] if status == 0 else {}

    def wait_up(self, timeout, name="office"):
        return wait_for(f"{name} is up", lambda: self.link(name).get("state") == "up", timeout, 0.2)

    def reaches(self, address):
        return self.run("ping", "-q", "-c", "1", "-W", "2", address)[0] == 0

    def state(self):
        """All that a connection may change on this host."""
        return [self.run(*words.split())[1] for words in
                ("ip -o link", "ip -4 -o address", "ip route show table all", "ip -6 route show table all", "ip rule",
                 "ip -6 rule", "nft list ruleset", "cat /etc/resolv.conf", "ls -a /etc")]

    def kill(self, steward=False, name="office"):
        """The engine, and its helper if asked, at one stroke."""
        pids = [int(self.link(name)["pid"])]
        if steward:
            pids += map(int, subprocess.run(["pgrep", "-P", str(pids[0])], capture_output=True, text=True,
                                            check=False).stdout.split())
        for pid in pids[1:] + pids[:1]:
            os.kill(pid, signal.SIGKILL)

    def close(self, *names):
        for name in names:
            self.sekisho("disconnect", name)
        said = [log.read_text(errors="replace") for log in self.file("/run/sekisho/client").glob("*.log")]
        stop(self.keeper)
        for text in said:
            check_sanitizers(text)
