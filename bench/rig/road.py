"""The whole road: what a packet costs the gateway from ESP to the TUN and back, against bare cryptography.

The gateway has a core for itself and is loaded to the full from the other. Its processor time is that of all its
threads, including what the kernel does in them: receiving, forwarding, delivering to the next namespace.
"""
import json
import signal
import subprocess
import time

from rig.esp import bare_ns
from rig.place import CLIENT, LOAD_CORE, OFFICE, PASSWORD, PSK, SERVER, USER, Place, cpu_seconds, on_core, program
from rig.report import heading, line

VOLLEY = 120000
BACKLOG = 4000
BLAST_SECONDS = 0.5
TARGET = 0.30
SINKS = """table ip sink {{
    chain pre {{
        type filter hook prerouting priority -300
        {rule} drop
    }}
}}
"""


class Road:
    """A gateway with one client that can fire volleys."""

    def __init__(self, place, volley=VOLLEY, *options):
        self.place = place
        self.gateway = place.start_gateway(ike={"encapsulation": "force"})
        place.office.nft(SINKS.format(rule="udp dport 9"))
        place.client.nft(SINKS.format(rule="udp dport 4500 meta length > 1000"))
        self.volley = place.client.start(
            *on_core(LOAD_CORE, program("volley")), "--local", CLIENT, "--server", SERVER, "--target", OFFICE, "--psk",
            PSK, "--user", USER, "--password", PASSWORD, "--packets", volley, *options, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        if self.volley.stdout.readline() != "ready\n":
            raise AssertionError("the load generator got no session")
        self.address = self.gateway.sessions()[0]["address"]

    def _measure(self, direction, load):
        """Nanoseconds of the gateway a packet, while load() runs."""
        before, used = self._packets(direction), cpu_seconds(self.gateway.process.pid)
        load()
        time.sleep(0.05)
        used = cpu_seconds(self.gateway.process.pid) - used
        packets = self._packets(direction) - before
        if packets < 1000:
            raise AssertionError(f"only {packets} packets came through")
        return used / packets * 1e9

    def _packets(self, direction):
        return json.loads(self.gateway.ask("--json", "status"))["status"][f"packets_{direction}"]

    def _fire(self):
        self.volley.stdin.write("fire\n")
        self.volley.stdin.flush()
        self.volley.stdout.readline()

    def open_ns(self):
        return self._measure("in", self._fire)

    def backlog_ns(self):
        def load():
            process = self.gateway.process
            process.send_signal(signal.SIGSTOP)
            self._fire()
            process.send_signal(signal.SIGCONT)
        return self._measure("in", load)

    def seal_ns(self):
        def load():
            self.place.office.run(*on_core(LOAD_CORE, program("blast")), self.address, BLAST_SECONDS)
        return self._measure("out", load)


def benchmark(rounds):
    whole_road(rounds)
    one_by_one(rounds)


def one_by_one(rounds):
    """Sending single datagrams costs more than receiving them: so the gateway sleeps until its socket is full."""
    with Place() as place:
        road = Road(place, BACKLOG, "--singly")
        road.backlog_ns()
        line("ESP to TUN, each packet a datagram of its own: ns a packet",
             [min(road.backlog_ns() for _ in range(10)) for _ in range(rounds)])


def whole_road(rounds):
    heading("The road, AES-CBC-256 with SHA-1, inner packets of 1400 bytes, one core")
    bare, road = {"open": [], "seal": []}, {"open": [], "seal": []}
    with Place() as place:
        gateway = Road(place)
        gateway.open_ns(), gateway.seal_ns()
        for _ in range(rounds):
            alone = bare_ns()
            for side, measure in (("open", gateway.open_ns), ("seal", gateway.seal_ns)):
                bare[side].append(alone[side])
                road[side].append(measure())
    for side, title in (("open", "ESP to TUN"), ("seal", "TUN to ESP")):
        line(f"{title}: ns a packet", road[side])
        line(f"{title}: Gb/s of one core", [1400 * 8 / ns for ns in road[side]])
        line(f"{title}: bare libipsec-mb, ns a packet", bare[side])
        line(f"{title}: ratio", [b / r for b, r in zip(bare[side], road[side])], TARGET)
