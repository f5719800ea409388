"""Network namespaces joined by virtual cables.

                       203.0.113.0/24                            172.16.0.0/16
    direct client ----+--- internet (a bridge) ---+--- gateway --------------- office (web server, iperf3)
    home router 1 ----+                           |    .1      .0.1        .0.10
      192.168.1.0/24 (NAPT)                       |
    home router 2 ----+  (equal inner addresses)

Nothing is made in the host's own namespace, so that any number of worlds live side by side.
"""
import itertools
import os
import pathlib
import signal
import subprocess

from lab.shell import run, stop, wait_for

TREE = pathlib.Path(__file__).resolve().parents[2]
PREFIX = "sekisho-test"
INTERNET_GATEWAY = "203.0.113.1"
OFFICE_HOST = "172.16.0.10"
OFFICE_NET = "172.16.0.0/16"
# 'random' gives each mapping a port of its own, as most routers for homes do, so that 500 does not stay 500.
NAPT = '''table ip nat {
    chain post {
        type nat hook postrouting priority 100
        oifname "wan" masquerade random
    }
}
'''
_serial = itertools.count(1)


def sweep():
    """Removes what a killed run left behind: namespaces whose maker no longer lives."""
    for line in run("ip", "netns", "list").splitlines():
        name = line.split()[0]
        if not name.startswith(PREFIX + "."):
            continue
        maker = name.split(".")[1]
        if not pathlib.Path("/proc", maker).exists():
            _remove(name)


def _remove(name):
    for pid in run("ip", "netns", "pids", name, check=False).split():
        if pid.isdigit():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
    run("ip", "netns", "del", name, check=False)


class Namespace:
    """One network namespace and the processes started in it."""

    def __init__(self, world, role):
        self.world = world
        self.role = role
        self.name = f"{PREFIX}.{os.getpid()}.{next(_serial)}.{role}"
        self.processes = []
        run("ip", "netns", "add", self.name)
        # Addresses of IPv6 are there at once, or they would change in the middle of a test. No kernel must have IPv6.
        self.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0", check=False)
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *words, **options):
        return run("ip", "netns", "exec", self.name, *words, **options)

    def start(self, *words, **options):
        """Starts a process that ends with the world at the latest. `ip netns exec` execs, so the pid is its own."""
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(["ip", "netns", "exec", self.name, *map(str, words)], **options)
        self.processes.append(process)
        return process

    def address(self, device, *addresses):
        for address in addresses:
            self.run("ip", "address", "add", address, "dev", device)
        self.run("ip", "link", "set", device, "up")

    def bridge(self, device, *addresses):
        """Its hardware address is set: left alone it follows the ports, and neighbours would send to the old one."""
        mac = f"02:00:5e:00:53:{next(_serial) % 256:02x}"
        self.run("ip", "link", "add", device, "address", mac, "type", "bridge")
        self.address(device, *addresses)

    def tap(self, device, bridge):
        """Makes the cable of a guest: a TAP on a bridge of this namespace."""
        self.run("ip", "tuntap", "add", "dev", device, "mode", "tap")
        self.run("ip", "link", "set", device, "master", bridge, "up")

    def cable(self, device, other, other_device, bridge=None, other_bridge=None):
        """Joins two namespaces with a veth pair; an end may be plugged into a bridge."""
        run("ip", "link", "add", device, "netns", self.name, "type", "veth", "peer", "name", other_device, "netns",
            other.name)
        for end, name, plug in ((self, device, bridge), (other, other_device, other_bridge)):
            end.run("ip", "link", "set", name, *(("master", plug) if plug else ()), "up")

    def forward(self):
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")

    def nft(self, rules):
        self.run("nft", "-f", "-", stdin=rules)

    def close(self):
        for process in self.processes:
            stop(process)
        _remove(self.name)


class World:
    """The internet, a gateway's place, an office; homes and clients are added by the test that wants them."""

    def __init__(self):
        self.namespaces = []
        self.closers = []
        self.homes = 0
        self.computers = itertools.count(10)
        try:
            self.internet = self.namespace("internet")
            self.internet.bridge("net", "203.0.113.254/24")
        except BaseException:
            self.close()
            raise

    def namespace(self, role):
        made = Namespace(self, role)
        self.namespaces.append(made)
        return made

    def add_gateway_and_office(self):
        """The usual place of the gateway: one leg in the internet, one in the office."""
        self.gateway = self.namespace("gateway")
        self.gateway.cable("wan", self.internet, "gateway", other_bridge="net")
        self.gateway.address("wan", INTERNET_GATEWAY + "/24")
        self.gateway.run("ip", "route", "add", "default", "via", "203.0.113.254")
        self.gateway.forward()
        self.office = self.namespace("office")
        self.gateway.cable("lan", self.office, "lan")
        self.gateway.address("lan", "172.16.0.1/16")
        self.office.address("lan", OFFICE_HOST + "/16")
        self.office.run("ip", "route", "add", "default", "via", "172.16.0.1")

    def add_home(self, lan="192.168.1", napt=NAPT):
        """A home: a router that masquerades (NAPT) everything behind one public address, unless another does that."""
        self.homes += 1
        home = self.namespace(f"home{self.homes}")
        home.cable("wan", self.internet, f"home{self.homes}", other_bridge="net")
        home.address("wan", f"203.0.113.{100 + self.homes}/24")
        home.run("ip", "route", "add", "default", "via", "203.0.113.254")
        home.bridge("lan", f"{lan}.1/24")
        home.forward()
        if napt:
            home.nft(napt)
        return home

    def add_computer(self, home=None):
        """A computer with a public address, or one in a home."""
        number = next(self.computers)
        made = self.namespace(f"pc{number}")
        where, bridge, net = (home, "lan", "192.168.1") if home else (self.internet, "net", "203.0.113")
        made.cable("eth", where, f"pc{number}", other_bridge=bridge)
        made.address("eth", f"{net}.{number}/24")
        made.run("ip", "route", "add", "default", "via", f"{net}.{1 if home else 254}")
        return made

    def serve_files(self, directory, namespace=None, address=OFFICE_HOST):
        """A web server in the office; gives back the URL of its root."""
        where = namespace or self.office
        where.start(TREE / "tools/web-server", address, directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the office web server listens", lambda: ":80 " in where.run("ss", "-ltn"))
        return f"http://{address}"

    def on_close(self, what):
        self.closers.append(what)

    def close(self):
        for closer in reversed(self.closers):
            closer()
        for namespace in reversed(self.namespaces):
            namespace.close()
        self.closers, self.namespaces = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
