"""Our own client program in a namespace: the quick counterpart of a guest with a stock client."""
import pathlib
import re
import signal
import socket
import subprocess

from lab import pings
from lab.gateway import CLIENT, as_text
from lab.packets import open_socket
from lab.shell import check_sanitizers, stop, wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_HOST, OFFICE_NET


def host_state(computer):
    """All of a computer that a client might change, as text to compare."""
    return "\n".join(computer.run(*command.split(), check=False) for command in (
        "ip -o address show", "ip route show table all", "ip -6 route show table all", "ip rule show", "ip -6 rule show",
        "nft list ruleset", "cat /etc/resolv.conf"))


def settled_state(computer):
    """The same before anything has been done: the kernel makes IPv6's own addresses a moment after the link is up."""
    wait_for("IPv6 has settled", lambda: "local fe80" in computer.run("ip", "-6", "route", "show", "table", "all"))
    return host_state(computer)


class Client:
    """Connects on construction, unless told not to wait. `namespace` is a computer with a way to the gateway.

    With `profile`, settings as {"ike.lifetime": "30s"} (a list is a tuple), it runs by a profile that has these too; without a key when
    psk is None.
    """

    def __init__(self, namespace, directory, user, password, psk, *options, server=INTERNET_GATEWAY, tun="vpn0",
                 profile=None, wait=True):
        self.namespace = namespace
        self.tun = tun
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / f"client-{namespace.role}-{tun}.log"
        files = {}
        for name, text in (("psk", psk), ("password", password)):
            if text is None:
                continue
            files[name] = directory / f"{name}-{namespace.role}-{tun}"
            files[name].write_text(text)
            files[name].chmod(0o600)
        if profile is None:
            words = ("--server", server, "--psk-file", files["psk"], "--user", user, "--password-file", files["password"],
                     "--tun", tun, "--route", OFFICE_NET)
        else:
            words = ("--profile", self._write_profile(directory, files, profile, server=server, user=user))
        with open(self.log, "wb") as log:
            self.process = namespace.start(
                CLIENT, *words, "--name", f"{namespace.name}.{tun}"[-60:].lstrip("."), *options, stdout=log,
                stderr=subprocess.STDOUT)
        if wait:
            self.wait_up()

    def _write_profile(self, directory, files, more, **connection):
        settings = {
            **connection, **{f"{name}_file": path for name, path in files.items()}, "net.routes": (OFFICE_NET,),
            "net.interface": self.tun, "net.dns": "off", "run.stay": "never", "run.user": "root", **more}
        sections = {"": {}}
        for key, value in settings.items():
            section, _, word = key.rpartition(".")
            text = "{" + ", ".join(f'"{item}"' for item in value) + "}" if isinstance(value, tuple) else f'"{value}"'
            sections.setdefault(section, {})[word] = text
        path = directory / f"profile-{self.namespace.role}-{self.tun}.conf"
        path.write_text(as_text(sections))
        path.chmod(0o600)
        return path

    def wait_up(self, timeout=60.0):
        """Waits until the kernel sends what is for the office into the tunnel: the route stands a moment before the rule."""
        wait_for(f"{self.tun} has address and route", lambda: self.address and OFFICE_NET in self.routes() and
                 f"dev {self.tun} " in self.namespace.run("ip", "route", "get", OFFICE_HOST, check=False), timeout, 0.1)

    def routes(self):
        return self.namespace.run("ip", "-4", "route", "show", "table", "all", "dev", self.tun, check=False)

    @property
    def address(self):
        """The inner address, or None."""
        if not self.running:
            raise AssertionError(f"the client ended with {self.process.returncode}:\n{self.said()}")
        said = self.namespace.run("ip", "-4", "-o", "address", "show", "dev", self.tun, check=False)
        found = re.search(r"inet ([\d.]+)", said)
        return found and found[1]

    @property
    def running(self):
        return self.process.poll() is None

    def wait_end(self, timeout=30.0):
        wait_for("the client ends", lambda: not self.running, timeout)
        return self.process.returncode

    def told_after(self):
        """Seconds of the client's own clock from its first step to its last: making the world does not count."""
        return max(float(line[1:line.index(" s")]) for line in self.log.read_text().splitlines() if line.startswith("+"))

    def wait_failed(self, within):
        """Waits for the end of a connection that does not come up; `within` are seconds of the client's own clock."""
        status = self.wait_end(60)
        assert self.told_after() <= within, self.said()
        return status

    def ping(self, host="172.16.0.10", count=3, size=56, interval=0.05, extra=()):
        """Pings through the tunnel; every packet must come back."""
        return pings.ping(self.namespace, host, count, size=size, interval=interval, extra=extra)

    def wait_answer(self, host="172.16.0.10", timeout=60.0):
        """Pings until the far end answers: pppd opens its interface a moment after the client's."""
        wait_for(f"{host} answers through {self.tun}", lambda: " 1 received" in self.namespace.run(
            "ping", "-q", "-c", 1, "-W", 1, host, check=False), timeout, 0)

    @property
    def dns(self):
        """The name servers that the server told, in its order."""
        return tuple(re.findall(r"DNS server ([\d.]+)", self.said()))

    def sha256_of(self, url, seconds=60):
        """Fetches a file through the tunnel and gives its SHA-256."""
        said = self.namespace.run("sh", "-c", f"curl -sSf -m {seconds} {url} | sha256sum", timeout=seconds + 10)
        return said.split()[0]

    def send(self, host, port, content, seconds=60):
        """Sends bytes through the tunnel to a server that knows how many they are and answers with their SHA-256."""
        with open_socket(self.namespace, socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            connection.connect((host, port))
            connection.sendall(content)
            return connection.recv(200).decode().split()[0]

    def disconnect(self):
        """Leaves as a person does who presses Ctrl-C; the status must be that of success."""
        self.process.send_signal(signal.SIGINT)
        assert self.wait_end() == 0, self.said()

    def said(self):
        return self.log.read_text(errors="replace")[-6000:]

    def close(self):
        stop(self.process)
        check_sanitizers(self.log.read_text(errors="replace"))
