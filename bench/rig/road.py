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
BACKLOG = 4000 # packets
TUN_QUEUE = 500
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

    def _while_asleep(self, load):
        self.gateway.process.send_signal(signal.SIGSTOP)
        load()
        self.gateway.process.send_signal(signal.SIGCONT)

    def open_backlog_ns(self):
        return self._measure("in", lambda: self._while_asleep(self._fire))

    def seal_backlog_ns(self):
        def queue_of_tun():
            self.place.office.run(*on_core(LOAD_CORE, program("blast")), self.address, "packets", TUN_QUEUE)

        def load():
            for _ in range(BACKLOG // TUN_QUEUE):
                self._while_asleep(queue_of_tun)
                time.sleep(0.01)
        return self._measure("out", load)

    def seal_ns(self):
        def load():
            self.place.office.run(*on_core(LOAD_CORE, program("blast")), self.address, "trains", BLAST_SECONDS)
        return self._measure("out", load)


def benchmark(rounds):
    whole_road(rounds)
    one_by_one(rounds)


def one_by_one(rounds):
    """Sending single datagrams costs more than taking them: so the gateway sleeps until its queue is full."""
    with Place() as place:
        road = Road(place, BACKLOG, "--singly")
        for title, measure in (("ESP to TUN", road.open_backlog_ns), ("TUN to ESP", road.seal_backlog_ns)):
            measure()
            line(f"{title}, each packet by itself: ns a packet", [measure() for _ in range(rounds)])


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
