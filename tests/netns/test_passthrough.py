"""A home behind sekisho-router: raw ESP through it, with NAT traversal switched off at either end or at both."""
import concurrent.futures
import hashlib
import os
import subprocess
import time

import pytest

from lab import pings
from lab.gateway import Gateway, SENTENCES, settings
from lab.packets import Sniffer, is_esp, is_udp, udp_ports
from lab.router import Router
from lab.shell import stop, wait_for
from lab.world import OFFICE_HOST

from netns.conftest import PSK, USERS

TOLD_WITHIN = 15.0  # seconds of the client's; the machine may need some more to start it
ON, OFF = "auto", "off"


class Home:
    """A site whose gateway and clients speak NAT traversal or not, and a home with a router of ours."""

    def __init__(self, make_site, tmp_path, passthrough="on", gateway=OFF, client=OFF):
        self.encapsulation = client
        self.site = make_site(settings(ike={"encapsulation": gateway}))
        self.home = self.site.world.add_home(napt=False)
        self.router = Router(self.home, tmp_path / "router", "--passthrough", passthrough)
        self.site.world.on_close(self.router.close)

    def connect(self, computer=None, user="alice", **more):
        profile = {"ike.encapsulation": self.encapsulation, **more.pop("profile", {})}
        return self.site.connect(computer or self.site.computer(self.home), user, profile=profile, **more)

    def watch(self):
        """What passes between the router and the internet."""
        return Sniffer(self.home, "wan")


@pytest.fixture
def make_home(make_site, tmp_path):
    return lambda *args, **how: Home(make_site, tmp_path, *args, **how)


def esp_was_bare(packets):
    """ESP as IP protocol 50 both ways, and IKE from port 500 to port 500 and nothing else in UDP."""
    assert {(packet[12:16], packet[16:20]) for packet in packets if is_esp(packet)} >= {
        (here, there) for packet in packets if is_esp(packet)
        for here, there in ((packet[12:16], packet[16:20]), (packet[16:20], packet[12:16]))}
    assert sum(map(is_esp, packets)) >= 20
    assert {udp_ports(packet) for packet in packets if packet[9] == 17} == {(500, 500)}


def pinging(client, seconds, host=OFFICE_HOST, every=0.1):
    """Pings that go on meanwhile; lost() of it tells how many got no answer."""
    count = int(seconds / every)
    pinger = client.namespace.start(*pings.words(host, count, interval=every), stdout=subprocess.PIPE, text=True)
    pinger.count = count
    return pinger


def lost_ones(pinger):
    return pings.missing(pinger.communicate(timeout=200)[0], pinger.count)


def lost(pinger):
    return len(lost_ones(pinger))


# ---- the four cases, and NAT traversal of one side alone ----

@pytest.mark.parametrize("gateway, client", [(OFF, OFF), (OFF, ON), (ON, OFF)])
def test_plain_napt_without_nat_traversal_fails_and_both_say_why(make_home, gateway, client):
    home = make_home("off", gateway=gateway, client=client)
    began = time.monotonic()
    failed = home.connect(wait=False)
    assert failed.wait_end(TOLD_WITHIN + 5) == 11
    assert time.monotonic() - began < TOLD_WITHIN + 2
    assert SENTENCES["esp-nat"] in failed.said(), failed.said()
    story = home.site.gateway.wait_explained("esp-nat")
    assert "the client calls itself 192.168.1.10 and is heard from 203.0.113.101" in story, story
    who = {(OFF, OFF): "neither side offers it", (OFF, ON): "it is switched off here",
           (ON, OFF): "the other side does not offer it"}[gateway, client]
    assert who in story, story
    assert home.router.dropped("esp-no-ports") > 0


@pytest.mark.parametrize("gateway, client", [(OFF, OFF), (OFF, ON), (ON, OFF)])
def test_passthrough_carries_bare_esp_without_nat_traversal(make_home, big_file, gateway, client):
    home = make_home("on", gateway=gateway, client=client)
    wire = home.watch()
    connected = home.connect()
    connected.ping(count=20)
    url = home.site.world.serve_files(big_file) + "/file"
    assert connected.sha256_of(url) == hashlib.sha256((big_file / "file").read_bytes()).hexdigest()
    connected.disconnect()
    esp_was_bare(wire.stop())


@pytest.mark.parametrize("passthrough", ["off", "on"])
def test_nat_traversal_goes_through_either_router(make_home, passthrough):
    home = make_home(passthrough, gateway=ON, client=ON)
    wire = home.watch()
    clients = [home.connect(user=user) for user in ("alice", "bob")]
    for client in clients:
        client.ping(count=10)
    packets = wire.stop()
    assert not any(map(is_esp, packets)) and sum(is_udp(packet, 4500) for packet in packets) >= 40


# ---- several of everything ----

def test_two_clients_use_one_server_at_the_same_time(make_home, big_file):
    home = make_home()
    wire = home.watch()
    clients = [home.connect(user=user) for user in ("alice", "bob")]
    url = home.site.world.serve_files(big_file) + "/file"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        sums = list(pool.map(lambda client: client.sha256_of(url), clients))
    assert set(sums) == {hashlib.sha256((big_file / "file").read_bytes()).hexdigest()}
    assert len({client.address for client in clients}) == 2
    assert len(home.site.gateway.sessions()) == 2
    # The office speaks first, to either.
    for client in clients:
        assert " 0% packet loss" in home.site.office.run("ping", "-q", "-c", "5", "-i", "0.1", client.address)
    # One leaves; the other does not notice.
    clients[0].disconnect()
    clients[1].ping(count=10)
    esp_was_bare(wire.stop())


def test_two_servers_are_used_at_the_same_time(make_home, tmp_path):
    home = make_home()
    world = home.site.world
    place = world.namespace("gateway2")
    place.cable("wan", world.internet, "gateway2", other_bridge="net")
    place.address("wan", "203.0.113.2/24")
    place.run("ip", "route", "add", "default", "via", "203.0.113.254")
    place.forward()
    other = Gateway(place, tmp_path / "gateway2", PSK, USERS, settings(
        ike={"encapsulation": OFF}, **{'pool "office"': {"range": '"10.98.0.10-10.98.0.20"', "gateway": '"10.98.0.1"'}}))
    world.on_close(other.close)
    here = home.connect()
    there = home.connect(server="203.0.113.2", profile={"net.routes": ("10.98.0.0/24", "172.16.0.0/16")})
    at_work = [pinging(here, 3), pinging(there, 3, "10.98.0.1")]
    assert [lost(pinger) for pinger in at_work] == [0, 0]
    assert len(home.site.gateway.sessions()) == len(other.sessions()) == 1


def test_eight_clients_start_within_one_second(make_home):
    home = make_home()
    computers = [home.site.computer(home.home) for _ in range(8)]
    began = time.monotonic()
    clients = [home.connect(computer, wait=False) for computer in computers]
    assert time.monotonic() - began < 1.0 or os.environ.get("SEKISHO_SANITIZED")
    for client in clients:
        client.wait_up(30)
    assert len({client.address for client in clients}) == 8
    at_work = [pinging(client, 5) for client in clients]
    assert [lost(pinger) for pinger in at_work] == [0] * 8


# ---- as time goes by ----

@pytest.mark.long
def test_rekeys_during_traffic_lose_no_packet(make_home):
    home = make_home()
    clients = [home.connect(user=user, profile={"ike.lifetime": life, "ike.child_lifetime": life})
               for user, life in (("alice", "30s"), ("bob", "35s"))]
    wire = home.watch()
    at_work = [pinging(client, 75) for client in clients]
    assert [lost(pinger) for pinger in at_work] == [0, 0], home.router.log
    packets = wire.stop()
    esp_was_bare(packets)
    # Each client has spoken with its first pair and with two that followed it, and so has the gateway.
    assert len({(packet[12:16], packet[20:24]) for packet in packets if is_esp(packet)}) >= 2 * 2 * 3


def test_a_client_that_reboots_is_back_and_its_neighbour_does_not_notice(make_home):
    home = make_home()
    neighbour = home.connect(user="bob")
    computer = home.site.computer(home.home)
    first = home.connect(computer)
    first.ping()
    at_work = pinging(neighbour, 10)
    first.process.kill()
    first.process.wait()
    home.connect(computer).ping(count=20)
    assert lost(at_work) == 0


def restart(router, how):
    if how == "stopped":
        router.stop()
        assert not router.table()
    else:
        router.kill()
    router.start()


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_router_that_restarts_in_mid_traffic_goes_on_where_it_was(make_home, how):
    home = make_home()
    clients = [home.connect(user=user) for user in ("alice", "bob")]
    at_work = [pinging(client, 10) for client in clients]
    home.router.wait_known(2)
    if how == "killed":
        home.router.wait_kept()
    restart(home.router, how)
    assert "restored: 6 " in home.router.log, home.router.log  # ESP both ways and IKE, of two
    home.router.wait_known(2, timeout=10)
    for pinger in at_work:
        gap = lost_ones(pinger)
        # What came while there was no router, and nothing after it.
        assert gap == list(range(gap[0], gap[-1] + 1)) if gap else True, (gap, home.router.log)


@pytest.mark.parametrize("damage", [b"", b"SKRB and then nothing that makes sense"])
def test_a_damaged_file_of_bindings_is_said_and_left_out(make_home, damage):
    home = make_home()
    client = home.connect()
    client.ping()
    home.router.stop()
    assert home.router.state_file.stat().st_mode & 0o777 == 0o600
    home.router.state_file.write_bytes(damage)
    home.router.start()
    assert ("cannot be read. They are learnt again" in home.router.log) == bool(damage)
    client.wait_answer()
    client.ping(count=10)


@pytest.mark.parametrize("how", ["stopped", "killed", "robbed of its table too"])
def test_a_router_that_lost_its_memory_tells_hosts_in_step_apart_within_seconds(make_home, how):
    """As after a reboot of the box: both ping ten times a second, in step."""
    home = make_home()
    clients = [home.connect(user=user) for user in ("alice", "bob")]
    home.router.wait_known(2)
    at_work = [pinging(client, 60) for client in clients]
    if how == "stopped":
        home.router.stop()
    else:
        home.router.kill()
    if how not in ("stopped", "killed"):
        home.home.run("nft", "flush", "ruleset")
    home.router.state_file.unlink()
    home.router.start()
    assert "restored" not in home.router.log, home.router.log
    home.router.wait_known(2)
    for pinger in at_work:
        stop(pinger)
    at_work = [pinging(client, 3) for client in clients]
    assert [lost(pinger) for pinger in at_work] == [0, 0], home.router.log
