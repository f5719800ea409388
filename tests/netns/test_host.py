"""What a connection makes of the host it runs on, by the command, its engine and its steward: what leaves beside the
tunnel, which names are found, which way packets go; and that all of it is undone, whatever is killed."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

from lab.gateway import DNS, Gateway, settings
from lab.host import Host
from lab.packets import Uplink
from lab.shell import wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_HOST, OFFICE_NET

from netns.conftest import PSK, USERS

NAMES = pathlib.Path(__file__).parents[1] / "lab/names.py"
OWN_SERVER = "203.0.113.53"
RESOLV_CONF = f"# the home's own\nnameserver {OWN_SERVER}\noptions timeout:1 attempts:2\n"
ROUTER = "192.168.1.1"
IPV6 = "fd00:99::{}/64"

# A program that does not know of any tunnel: all it can do to get a packet out, fifty times a second.
NOISE = """
import socket, time
four, six = (socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6))
four.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
while True:
    for to in ("203.0.113.254", "203.0.113.1", "192.168.1.1", "192.168.1.255", "239.1.1.1"):
        for port in (9, 53, 500, 4500):
            try: four.sendto(b"noise", (to, port))
            except OSError: pass
    for to in ("fd00:99::1", "2001:db8::1", "ff02::fb%eth"):
        try: six.sendto(b"noise", (to, 53))
        except OSError: pass
    time.sleep(0.02)
"""


@pytest.fixture
def home(site, tmp_path):
    """A host in a home that has IPv6 as well."""
    router = site.world.add_home()
    computer = site.computer(router)
    router.run("ip", "address", "add", IPV6.format(1), "dev", "lan", "nodad")
    computer.run("ip", "address", "add", IPV6.format(2), "dev", "eth", "nodad")
    computer.run("ip", "route", "add", "default", "via", "fd00:99::1", "dev", "eth")
    made = Host(computer, tmp_path, PSK, USERS["alice"])
    made.file("/etc/resolv.conf").write_text(RESOLV_CONF)
    made.uplink = lambda: Uplink(router, computer.role)
    yield made
    made.close("office", "branch")


# ---- what leaves ----

def ports(packet):
    return int.from_bytes(packet[20:22], "big"), int.from_bytes(packet[22:24], "big")


def is_ours(packet, server=INTERNET_GATEWAY):
    """IKE and ESP in UDP to the server, from the engine's sockets: its payload is not that of the noise."""
    return packet[9] == 17 and ".".join(map(str, packet[16:20])) == server and ports(packet)[1] in (500, 4500) \
        and packet[28:33] != b"noise"


def is_of_the_link(protocol, packet):
    """ARP, DHCP and neighbour discovery, without which the link is lost."""
    if protocol == 0x0800:
        return packet[9] == 17 and ports(packet) == (68, 67)
    if protocol == 0x86dd:
        following = 48 if packet[6] == 0 else 40  # MLD comes behind a hop-by-hop header
        return packet[following] in (133, 135, 136, 131, 143) and 58 in (packet[6], packet[40])
    return protocol == 0x0806


def comes_from_the_gateway(packet):
    """Not what leaves: what was on its way when the client went."""
    return packet[12:16] == socket.inet_aton(INTERNET_GATEWAY)


def leaks(packets):
    return [(hex(protocol), packet[:64].hex()) for protocol, packet in packets if not is_of_the_link(protocol, packet)
            and not (protocol == 0x0800 and (is_ours(packet) or comes_from_the_gateway(packet)))]


def since_the_first_of_ours(packets):
    first = next(i for i, (protocol, packet) in enumerate(packets) if protocol == 0x0800 and is_ours(packet))
    return packets[first:]


def noise_leaves(home):
    uplink = home.uplink()
    return {protocol for protocol, packet in uplink.stop() if b"noise" in packet} == {0x0800, 0x86dd}


def test_nothing_leaves_beside_the_tunnel_from_the_first_packet_to_the_last(site, home):
    before = home.state()
    home.start(sys.executable, "-c", NOISE)
    wait_for("the noise leaves", lambda: noise_leaves(home))
    uplink = home.uplink()
    os.kill(site.gateway.process.pid, signal.SIGSTOP)
    command = home.start(*home.connecting("--no-leak"), stdout=subprocess.DEVNULL)
    time.sleep(0.7)  # it asks in vain
    os.kill(site.gateway.process.pid, signal.SIGCONT)
    assert command.wait(20) == 0 and home.reaches(OFFICE_HOST)
    site.gateway.close()
    wait_for("the loss is noticed", lambda: home.link()["state"] != "up", 10)
    time.sleep(1.5)  # it tries in vain
    site.gateway.start()
    home.wait_up(40)
    assert home.reaches(OFFICE_HOST)
    seen = since_the_first_of_ours(uplink.stop())
    assert len(seen) > 20 and leaks(seen) == []
    assert home.sekisho("disconnect", "office")[0] == 0
    assert home.state() == before
    wait_for("the noise leaves", lambda: noise_leaves(home))


def test_the_guard_goes_with_the_engine_but_stays_when_nobody_is_left_to_undo_it(home):
    before = home.state()
    home.start(sys.executable, "-c", NOISE)
    assert home.connect("--no-leak")[0] == 0
    home.kill()
    wait_for("the steward has undone everything", lambda: home.state() == before)
    wait_for("the noise leaves", lambda: noise_leaves(home))
    assert home.connect("--no-leak")[0] == 0
    home.kill(steward=True)
    uplink = home.uplink()
    wait_for("the interface has gone", lambda: "sk-office" not in home.run("ip", "link")[1])
    assert leaks(uplink.stop()) == []
    status, out, err = home.sekisho("disconnect", "office")
    assert status == 0, out + err
    assert home.state() == before
    wait_for("the noise leaves", lambda: noise_leaves(home))


# ---- names ----

class NameServer:
    """In a namespace, at an address of its own there."""

    def __init__(self, namespace, device, address, file, **names):
        self.file = file
        self.tell(**names)
        namespace.run("ip", "address", "add", f"{address}/32", "dev", device)
        process = namespace.start(sys.executable, NAMES, address, file, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"

    def tell(self, **names):
        self.file.write_text("".join(f"{address} {name.replace('_', '.')}\n" for name, address in names.items()))


@pytest.fixture
def names(site, tmp_path):
    """The internet's, which knows the gateway; the office's knows what is in the office."""
    NameServer(site.world.office, "lan", DNS, tmp_path / "office-names", files_corp_test=OFFICE_HOST)
    return NameServer(site.world.internet, "net", OWN_SERVER, tmp_path / "names", vpn_test=INTERNET_GATEWAY)


def finds(host, name):
    return host.run("getent", "ahostsv4", name)[1].split(" ")[0]


@pytest.mark.long
def test_the_offices_names_are_found_and_the_moved_server_too(site, home, names):
    """With the guard up, which makes the lookup of the server an exception that must be made; and with a strict filter,
    which drops the replies of a server that it does not know."""
    assert home.run("sysctl", "-qw", "net.ipv4.conf.eth.rp_filter=1")[0] == 0
    before = home.state()
    assert (finds(home, "vpn.test"), finds(home, "files.corp.test")) == (INTERNET_GATEWAY, "")
    status, out, err = home.connect("--dns", "tunnel", "--no-leak", server="vpn.test")
    assert status == 0, out + err
    assert f"nameserver {DNS}\n" in home.file("/etc/resolv.conf").read_text()
    assert finds(home, "files.corp.test") == OFFICE_HOST
    wan = site.world.gateway
    wan.run("ip", "address", "flush", "dev", "wan")
    wan.run("ip", "address", "add", "203.0.113.2/24", "dev", "wan")
    wan.run("ip", "route", "add", "default", "via", "203.0.113.254")
    names.tell(vpn_test="203.0.113.2")
    site.gateway.close()
    site.gateway.start()
    wait_for("it is up at the new address", lambda: home.link().get("state") == "up"
             and home.link()["server_address"].startswith("203.0.113.2:"), 75, 0.2)
    assert finds(home, "files.corp.test") == OFFICE_HOST
    assert home.sekisho("disconnect", "office")[0] == 0
    assert home.state() == before


def test_a_guard_that_stood_before_the_network_came_up_lets_the_server_be_found(home, names):
    """At boot: neither a way nor a name server is there when the engine begins; DHCP brings both."""
    home.run("ip", "route", "del", "default")
    home.file("/etc/resolv.conf").write_text("")
    command = home.start(*home.connecting("--no-leak", "--set", "run.stay=always", server="vpn.test"),
                         stdout=subprocess.DEVNULL)
    wait_for("the name is not found", lambda: home.link().get("cause") == "name-unknown", 20)
    home.file("/etc/resolv.conf").write_text(RESOLV_CONF)
    home.run("ip", "route", "add", "default", "via", ROUTER)
    assert command.wait(60) == 0 and home.reaches(OFFICE_HOST)


def test_the_hosts_name_servers_are_back_after_a_kill(home):
    before = home.state()
    for steward in (False, True):
        assert home.connect("--dns", "tunnel")[0] == 0
        assert DNS in home.file("/etc/resolv.conf").read_text()
        home.kill(steward)
        if steward:
            assert home.sekisho("disconnect", "office")[0] == 0
        wait_for("all is as it was", lambda: home.state() == before)


# ---- ways ----

def way(host, address):
    """The device by which packets to this address leave."""
    words = host.run("ip", "route", "get", address)[1].split()
    return words[words.index("dev") + 1] if "dev" in words else None


def test_everything_but_the_local_network_goes_through_the_tunnel(home):
    assert home.connect()[0] == 0
    assert way(home, "198.51.100.1") == way(home, OFFICE_HOST) == "sk-office"
    assert way(home, ROUTER) == "eth" and home.reaches(ROUTER) and home.reaches(OFFICE_HOST)
    assert way(home, "2001:db8::1") is None
    assert home.reaches("203.0.113.254") is False  # the office knows no way there: it went into the tunnel


def test_routes_that_the_server_tells_and_none_at_all(make_site, tmp_path):
    site = make_site(settings(net={"routes": f'{{"{OFFICE_NET}", "10.200.0.0/16"}}'}))
    host = Host(site.computer(), tmp_path, PSK, USERS["alice"])
    try:
        assert host.connect("--routes", "ask", "--dns", "off")[0] == 0
        wait_for("the routes are there", lambda: way(host, OFFICE_HOST) == way(host, "10.200.7.7") == "sk-office", 10)
        assert way(host, "198.51.100.1") == "eth" and host.reaches(OFFICE_HOST)
        assert host.sekisho("disconnect")[0] == 0
        assert host.connect("--routes", "none", "--dns", "off")[0] == 0
        assert way(host, "10.99.0.1") == "sk-office" and way(host, OFFICE_HOST) == "eth"
        assert host.reaches("10.99.0.1")
    finally:
        host.close("office")


def test_two_tunnels_side_by_side(site, home, tmp_path):
    before = home.state()
    branch = site.world.namespace("gateway2")
    branch.cable("wan", site.world.internet, "gateway2", other_bridge="net")
    branch.address("wan", "203.0.113.3/24")
    branch.run("ip", "route", "add", "default", "via", "203.0.113.254")
    gateway = Gateway(branch, tmp_path / "gateway2", PSK, USERS, settings(
        **{'pool "office"': {"range": '"10.98.0.10-10.98.0.250"', "gateway": '"10.98.0.1"'}}))
    site.world.on_close(gateway.close)
    for name, server, network in (("office", INTERNET_GATEWAY, OFFICE_NET), ("branch", "203.0.113.3", "10.98.0.0/24")):
        status, out, err = home.connect("--routes", network, server=server, name=name)
        assert status == 0, out + err
    assert home.reaches(OFFICE_HOST) and home.reaches("10.98.0.1")
    assert (way(home, OFFICE_HOST), way(home, "10.98.0.9")) == ("sk-office", "sk-branch")
    assert home.sekisho("disconnect", "office")[0] == 0
    assert home.reaches("10.98.0.1") and not home.reaches(OFFICE_HOST)
    assert home.sekisho("disconnect", "branch")[0] == 0
    assert home.state() == before
