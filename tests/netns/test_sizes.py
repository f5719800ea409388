"""Packets that are too big: TCP is told in time by its MSS, others by ICMP."""
import time

import pytest

from lab.packets import Sniffer, is_syn, mss
from lab.pings import ping
from lab.shell import wait_for

MTU = 1400
FITS = MTU - 28  # bytes of ping


@pytest.fixture
def connected(site):
    return site, site.connect(site.computer(site.world.add_home()))


def test_the_largest_packet_passes_both_ways(connected):
    site, client = connected
    client.ping(size=FITS, extra=("-M", "do"))
    ping(site.office, client.address, size=FITS, extra=("-M", "do"))


def test_one_byte_more_with_dont_fragment_is_answered_with_icmp(connected):
    site, client = connected
    said = site.office.run("ping", "-c", "1", "-W", "2", "-s", FITS + 1, "-M", "do", client.address, check=False)
    assert f"mtu = {MTU}" in said or f"mtu={MTU}" in said, said


def test_big_packets_that_may_be_cut_arrive(connected):
    site, client = connected
    ping(site.office, client.address, size=1472, extra=("-M", "dont"))


def test_mss_is_clamped_in_both_directions(connected):
    site, client = connected
    site.world.serve_files(site.directory)
    # The client's own interface would clamp by its MTU; a route with a lie shows that the gateway does.
    client.namespace.run("ip", "link", "set", client.tun, "mtu", "1500")
    client.namespace.run("ip", "route", "replace", "172.16.0.0/16", "dev", client.tun, "advmss", "1460")
    at_office = Sniffer(site.office, "lan", is_syn)
    at_client = Sniffer(client.namespace, client.tun, is_syn)
    client.namespace.run("curl", "-sS", "-m", "5", "-o", "/dev/null", "http://172.16.0.10/none")
    there = [mss(packet) for packet in at_office.stop() if packet[33] == 0x02]
    back = [mss(packet) for packet in at_client.stop() if packet[33] == 0x12]
    assert there and all(value <= MTU - 40 for value in there)
    assert back and all(value <= MTU - 40 for value in back)


def test_clamped_segments_carry_a_whole_checksum(connected):
    """A server that checks sums sees the connection; data both ways proves that the rewritten header was right."""
    site, client = connected
    with_echo = site.office.start("/usr/bin/python3", "-c", ECHO)
    client.namespace.run("/usr/bin/python3", "-c", TALK, timeout=20)
    assert with_echo.wait(5) == 0


def interface_mtu(client):
    said = client.namespace.run("cat", f"/sys/class/net/{client.tun}/mtu", check=False).strip()
    return int(said or 0)


SILENCE = """table ip silence {
    chain said {
        type filter hook output priority 0
        icmp type destination-unreachable drop
    }
}
"""


@pytest.mark.parametrize("passes", [1280, 1400])
def test_a_path_that_drops_large_packets_without_a_word(site, passes):
    """The link of a home is smaller than the internet's, and its router tells nobody: no ICMP leaves it, and what comes in
    too large is gone. The client finds what passes, and uses no more."""
    home = site.world.add_home()
    home.run("ip", "link", "set", "wan", "mtu", passes)
    home.nft(SILENCE)
    client = site.connect(site.computer(home))
    wait_for("the client has found what passes", lambda: 576 < interface_mtu(client) < passes, 30)
    found = interface_mtu(client)
    assert passes - 110 <= found <= passes - 60  # IP, UDP, ESP, UDP, L2TP and PPP take the rest
    client.ping(size=found - 28, extra=("-M", "do"))
    (site.directory / "large").write_bytes(bytes(range(256)) * 4096)
    url = site.world.serve_files(site.directory) + "/large"
    got = client.namespace.run("curl", "-sS", "-m", "20", "-o", "/dev/null", "-w", "%{size_download}", url)
    assert got.endswith("1048576")


def test_an_open_path_keeps_the_usual_size(connected):
    _, client = connected
    client.ping()
    time.sleep(3)
    assert interface_mtu(client) == MTU


ECHO = """
import socket
server = socket.create_server(("172.16.0.10", 7))
peer, _ = server.accept()
while data := peer.recv(65536):
    peer.sendall(data)
"""
TALK = """
import socket, time, os
for _ in range(50):
    try:
        peer = socket.create_connection(("172.16.0.10", 7), 5)
        break
    except ConnectionRefusedError:
        time.sleep(0.1)
said, heard = os.urandom(200000), b""
peer.settimeout(10)
import threading
threading.Thread(target=lambda: peer.sendall(said)).start()
while len(heard) < len(said):
    heard += peer.recv(65536)
assert heard == said
"""
