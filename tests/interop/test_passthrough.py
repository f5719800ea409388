"""Bare ESP through sekisho-router: strongSwan and libreswan side by side at our gateway, and our client at their servers."""
import dataclasses
import re
import socket

import pytest

from clients import PASSWORD, PSK, USER, Libreswan, Profile, StrongSwan
from lab.client import Client
from lab.gateway import SENTENCES, Gateway, settings
from lab.packets import Sniffer, is_esp, udp_ports
from lab.router import Router
from lab.world import INTERNET_GATEWAY
from servers import SERVERS, TAKE_PORT, TOLD_WITHIN, Service
from test_long_lives import LIVES, MAIN_MODE, QUICK_MODE
from test_neighbours import together

USERS = {USER: PASSWORD, "bob": "builder-77-hats"}
OFF = {"encapsulation": "off"}
ALICE = Profile()
BOB = Profile(user="bob", password=USERS["bob"], esp="aes128-sha256")


class Family:
    """A home with one strongSwan and one libreswan, and what passes between its router and the internet."""

    def __init__(self, site, directory):
        self.site = site
        self.home = site.world.add_home(napt=False)
        self.router = Router(self.home, directory)
        site.world.on_close(self.router.close)
        self.first, self.second = together(
            lambda: site.add_client(StrongSwan, self.home, "first", "192.168.1.2"),
            lambda: site.add_client(Libreswan, self.home, "second", "192.168.1.3"))

    def login(self, alice=ALICE, bob=BOB):
        return together(lambda: self.first.login(alice), lambda: self.second.login(bob))

    def both(self, what):
        return together(lambda: what(self.first), lambda: what(self.second))


@pytest.fixture(scope="module")
def family(make_site, tmp_path_factory):
    site = make_site(users=USERS, sections=settings(ike=OFF))
    return Family(site, tmp_path_factory.mktemp("router"))


def checksum_errors(client):
    """How many UDP datagrams the guest's kernel has thrown away for their checksum."""
    names, values = re.findall(r"^Udp: (.*)$", client.guest.run("cat /proc/net/snmp"), re.M)
    return int(dict(zip(names.split(), values.split()))["InCsumErrors"])


@pytest.mark.xdist_group("passthrough-clients")
def test_both_stacks_use_one_server_at_the_same_time(family):
    wire = Sniffer(family.home, "wan")
    links = family.login()
    assert links[0].address != links[1].address
    family.both(lambda client: client.ping("172.16.0.10", 10))
    assert family.both(lambda client: client.sha256_of(family.site.url)) == [family.site.sha256] * 2
    packets = wire.stop()
    assert sum(map(is_esp, packets)) > 1000
    assert {udp_ports(packet) for packet in packets if packet[9] == 17} == {(500, 500)}
    # Their checksums are of inside addresses, and nobody minds; ours are none, and so theirs finds no fault.
    assert family.both(checksum_errors) == [0, 0]
    # One leaves; the other does not notice.
    family.first.logout(ALICE)
    family.second.ping("172.16.0.10", 5)
    assert [session["user"] for session in family.site.gateway.sessions()] == ["bob"]
    family.second.logout(BOB)


@pytest.mark.xdist_group("passthrough-clients")
def test_eight_clients_start_at_once(family, tmp_path):
    """The two of others and six of ours."""
    computers = [family.site.world.add_computer(family.home) for _ in range(6)]

    def connect(computer):
        return Client(computer, tmp_path, USER, PASSWORD, PSK, profile={"ike.encapsulation": "off"})

    ours = together(lambda: family.first.login(ALICE), lambda: family.second.login(BOB),
                    *(lambda computer=computer: connect(computer) for computer in computers))[2:]
    assert len({session["address"] for session in family.site.gateway.sessions()}) == 8
    together(*(lambda client=client: client.ping("172.16.0.10", 20) for client in (family.first, family.second, *ours)))
    for client in ours:
        client.disconnect()
    family.first.logout(ALICE)
    family.second.logout(BOB)


@pytest.mark.xdist_group("passthrough-clients")
def test_new_keys_and_new_main_modes_lose_no_packet(family):
    """Not in the same second: of two hosts that rekey and ping in step the router may first guess the wrong one."""
    alice = dataclasses.replace(ALICE, more=LIVES["strongswan"])  # every 15 s, main modes every 30 s
    bob = dataclasses.replace(BOB, more=("salifetime=39s", "rekeymargin=15s", "rekeyfuzz=0%", "ikelifetime=51s"))
    family.login(alice, bob)
    told = len(family.site.gateway.log.read_text())
    family.both(lambda client: client.ping("172.16.0.10", 400, interval=0.2))
    log = family.site.gateway.log.read_text()[told:]
    assert log.count(MAIN_MODE) >= 3 and log.count(QUICK_MODE) >= 6
    family.first.logout(alice)
    family.second.logout(bob)


@pytest.mark.xdist_group("passthrough-clients")
def test_each_uses_a_server_of_its_own(family, tmp_path):
    world = family.site.world
    place = world.namespace("gateway2")
    place.cable("wan", world.internet, "gateway2", other_bridge="net")
    place.address("wan", "203.0.113.2/24")
    place.address("lo", "172.16.0.10/32")  # as the office of the other
    place.run("ip", "route", "add", "default", "via", "203.0.113.254")
    place.forward()
    other = Gateway(place, tmp_path / "gateway2", PSK, USERS, settings(ike=OFF))
    world.on_close(other.close)
    family.second.aim("203.0.113.2")
    family.login()
    family.both(lambda client: client.ping("172.16.0.10", 20))
    assert [[session["user"] for session in gateway.sessions()] for gateway in (family.site.gateway, other)] == [
        ["alice"], ["bob"]]
    family.first.logout(ALICE)
    family.second.logout(BOB)
    family.second.aim(INTERNET_GATEWAY)


@pytest.mark.xdist_group("passthrough-clients")
def test_a_client_that_crashes_is_back_and_its_neighbour_does_not_notice(family):
    family.login()
    family.first.crash()
    family.second.ping("172.16.0.10", 10)
    family.first.login(ALICE)
    family.both(lambda client: client.ping("172.16.0.10", 10))
    family.first.logout(ALICE)
    family.second.logout(BOB)


@pytest.mark.xdist_group("passthrough-clients")
def test_a_router_that_loses_all_it_knows_learns_again(family):
    family.login()
    family.router.kill()
    family.home.run("nft", "flush", "ruleset")
    family.router.start()
    family.both(lambda client: client.guest.run("for i in 1 2 3 4 5 6 7 8; do ping -c 1 -W 1 172.16.0.10 && exit 0; done; exit 1"))
    family.both(lambda client: client.ping("172.16.0.10", 10))
    family.first.logout(ALICE)
    family.second.logout(BOB)


# ---- our client, NAT traversal off, at servers of others ----

class Away:
    """A server of theirs, and our client in a home behind the router."""

    def __init__(self, served, directory):
        self.served = served
        home = served.world.add_home(napt=False)
        router = Router(home, directory)
        served.world.on_close(router.close)
        served.places["home"] = served.world.add_computer(home)

    def connect(self, **more):
        profile = {"ike.encapsulation": "off", **more.pop("profile", {})}
        return self.served.connect("home", profile=profile, **more)


@pytest.fixture(scope="module")
def away(request, make_served, tmp_path_factory):
    return Away(make_served(SERVERS[request.param]), tmp_path_factory.mktemp("router"))


def at(stack):
    return pytest.mark.parametrize("away", [pytest.param(stack, marks=pytest.mark.xdist_group(f"passthrough-{stack}"))],
                                   indirect=True)


@at("strongswan")
def test_our_client_speaks_bare_esp_with_a_server_that_wants_the_address_it_sees(away):
    """strongSwan refuses the selector of an inside address, and takes the same quick mode without selectors."""
    server = away.served.server.offer(Service())
    wire = Sniffer(*server.wire)
    client = away.connect()
    client.ping(server.office, 20)
    assert client.sha256_of(server.url) == server.sha256
    assert client.send(server.office, TAKE_PORT, away.served.upload) == away.served.upload_sha256
    client.disconnect()
    server.heard_goodbye()
    packets = wire.stop()
    assert sum(map(is_esp, packets)) > 1000
    ours = [packet for packet in packets if packet[16:20] == socket.inet_aton(INTERNET_GATEWAY)]  # it says goodbye in clear
    assert {udp_ports(packet) for packet in ours if packet[9] == 17} == {(500, 500)}
    assert checksum_errors(server) == 0  # ours has none


@at("strongswan")
def test_new_keys_that_the_server_asks_for_lose_no_packet(away):
    server = away.served.server.offer(Service(restless=True))
    client = away.connect()
    client.ping(server.office, 180, interval=0.2)
    main_modes, quick_modes = server.established()
    assert main_modes >= 2 and quick_modes >= 3
    client.disconnect()
    server.heard_goodbye()


@at("libreswan")
def test_a_server_that_takes_only_addresses_it_sees_is_told_of_as_what_nat_traversal_is_missing(away):
    away.served.server.offer(Service())
    client = away.connect(wait=False)
    assert client.wait_end(TOLD_WITHIN) == 11
    assert SENTENCES["esp-nat"] in client.said(), client.said()
