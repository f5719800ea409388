"""ESP through sekisho-router against the kernel's own NAPT of UDP: whole IP packets of one size, sent in the same way.

    host 192.168.1.10 ---- lan  router  wan ---- server 203.0.113.1

There are two such homes: one whose router only masquerades, one with sekisho-router. Virtual cables carry a packet on in
the sender's own time, so that what is measured is sender and router together; the sender costs the same both times.
"""
import re
import socket
import struct
import tempfile
import time

from lab.packets import ipv4, open_socket, udp
from lab.router import Router
from lab.world import Namespace, sweep
from rig.place import LOAD_CORE, on_core, program
from rig.report import heading, line

HOST, OUTSIDE, SERVER = "192.168.1.10", "203.0.113.101", "203.0.113.1"
PORT = 4600 << 16 | 4600
SPI_OUT, SPI_IN = 0x11110001, 0x22220001
PACKETS = 320000
TARGET = 1.0
MASQUERADE = "table ip nat {\nchain post {\ntype nat hook postrouting priority 100\noifname \"wan\" masquerade\n}\n}\n"
SINK = """table ip sink {{
counter got {{ }}
chain pre {{
type filter hook prerouting priority -310
{rule} counter name got drop
}}
}}
"""


class Home:
    """A host, a router, a server; what arrives is counted and dropped at once."""

    def __init__(self):
        self.namespaces = [Namespace(self, role) for role in ("host", "router", "server")]
        self.host, self.middle, self.server = self.namespaces
        self.host.cable("eth", self.middle, "lan")
        self.middle.cable("wan", self.server, "eth")
        self.host.address("eth", HOST + "/24")
        self.host.run("ip", "route", "add", "default", "via", "192.168.1.1")
        self.middle.address("lan", "192.168.1.1/24")
        self.middle.address("wan", OUTSIDE + "/24")
        self.server.address("eth", SERVER + "/24")
        self.middle.forward()
        self.host.run("ping", "-c", "1", "-W", "2", "192.168.1.1")
        self.server.run("ping", "-c", "1", "-W", "2", OUTSIDE)
        self.router = None

    def sink(self, rule):
        for end in (self.host, self.server):
            end.nft(SINK.format(rule=rule))

    def got(self, end):
        return int(re.search(r"packets (\d+)", end.run("nft", "list", "counter", "ip", "sink", "got"))[1])

    def send(self, end, source, destination, protocol, payload):
        with open_socket(end, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            raw.sendto(ipv4(source, destination, protocol, payload), (destination, 0))
        time.sleep(0.2)

    def masquerade(self):
        self.middle.nft(MASQUERADE)
        self.send(self.host, HOST, SERVER, 17, udp(4600, 4600, b"open"))

    def bind(self, directory):
        self.router = Router(self.middle, directory)
        for sequence in range(1, 20):
            self.send(self.host, HOST, SERVER, 50, struct.pack("!II", SPI_OUT, sequence) + bytes(32))
            self.send(self.server, SERVER, OUTSIDE, 50, struct.pack("!II", SPI_IN, sequence) + bytes(32))
            if self.router.status()["router"]["shortcut"] == 2:
                return
        raise AssertionError("the router has not learnt it")

    def blast(self, end, other, source, destination, protocol, word):
        """Nanoseconds a packet, of those that arrive."""
        before = self.got(other)
        each = float(end.run("nice", "-n", "-20", *on_core(LOAD_CORE, program("blast")), source, destination, protocol, f"{word:x}", PACKETS))
        got = self.got(other) - before
        if got < 0.9 * PACKETS:
            raise AssertionError(f"only {got} packets came through")
        return each * PACKETS / got

    def close(self):
        if self.router:
            self.router.close()
        for namespace in reversed(self.namespaces):
            namespace.close()


def benchmark(rounds):
    heading("A home's router, packets of 1400 bytes, one core: ESP by sekisho-router and UDP by the kernel's NAPT")
    sweep()
    plain, ours = Home(), Home()
    try:
        with tempfile.TemporaryDirectory(prefix="sekisho-bench.") as directory:
            plain.masquerade()
            ours.bind(directory)
            plain.sink("udp dport 4600")
            ours.sink("ip protocol esp")
            measure(rounds, plain, ours)
    finally:
        plain.close()
        ours.close()


def measure(rounds, plain, ours):
    ways = {
        "out": lambda home, *what: home.blast(home.host, home.server, HOST, SERVER, *what),
        "in": lambda home, *what: home.blast(home.server, home.host, SERVER, OUTSIDE, *what),
    }
    for way, blast in ways.items():
        udp_ns, esp_ns = [], []
        spi = SPI_OUT if way == "out" else SPI_IN
        blast(plain, "udp", PORT), blast(ours, "esp", spi)
        for _ in range(rounds):
            udp_ns.append(blast(plain, "udp", PORT))
            esp_ns.append(blast(ours, "esp", spi))
        line(f"{way}: UDP by NAPT, ns a packet with its sender", udp_ns)
        line(f"{way}: ESP by sekisho-router, ns a packet with its sender", esp_ns)
        line(f"{way}: ratio", [u / e for u, e in zip(udp_ns, esp_ns)], TARGET)
