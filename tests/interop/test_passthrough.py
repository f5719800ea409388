"""Real stacks behind sekisho-router, NAT traversal off at the gateway: bare ESP of strongSwan and libreswan side by side."""
import re

import pytest

from clients import PASSWORD, USER, Libreswan, Profile, StrongSwan
from lab.gateway import settings
from lab.packets import Sniffer, is_esp, udp_ports
from lab.router import Router
from test_neighbours import together

USERS = {USER: PASSWORD, "bob": "builder-77-hats"}
ALICE = Profile()
BOB = Profile(user="bob", password=USERS["bob"], esp="aes128-sha256")
pytestmark = pytest.mark.xdist_group("passthrough-clients")


class Family:
    """A home with one strongSwan and one libreswan, and what passes between its router and the internet."""

    def __init__(self, site, directory):
        self.site = site
        self.home = site.world.add_home(napt=False)
        self.router = Router(self.home, directory)
        site.world.on_close(self.router.close)
        self.first, self.second = together(
            lambda: site.add_client(StrongSwan, self.home, "first", "192.168.1.10"),
            lambda: site.add_client(Libreswan, self.home, "second", "192.168.1.11"))

    def login(self):
        return together(lambda: self.first.login(ALICE), lambda: self.second.login(BOB))

    def both(self, what):
        return together(lambda: what(self.first), lambda: what(self.second))


@pytest.fixture(scope="module")
def family(make_site, tmp_path_factory):
    site = make_site(users=USERS, sections=settings(ike={"encapsulation": "off"}))
    return Family(site, tmp_path_factory.mktemp("router"))


def checksum_errors(client):
    """How many UDP datagrams the guest's kernel has thrown away for their checksum."""
    names, values = re.findall(r"^Udp: (.*)$", client.guest.run("cat /proc/net/snmp"), re.M)
    return int(dict(zip(names.split(), values.split()))["InCsumErrors"])


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


def test_a_client_that_crashes_is_back_and_its_neighbour_does_not_notice(family):
    family.login()
    family.first.crash()
    family.second.ping("172.16.0.10", 10)
    family.first.login(ALICE)
    family.both(lambda client: client.ping("172.16.0.10", 10))
    family.first.logout(ALICE)
    family.second.logout(BOB)


def test_a_router_that_loses_all_it_knows_learns_again(family):
    family.login()
    family.router.kill()
    family.home.run("nft", "flush", "ruleset")
    family.router.start()
    family.both(lambda client: client.guest.run("for i in 1 2 3 4 5 6 7 8; do ping -c 1 -W 1 172.16.0.10 && exit 0; done; exit 1"))
    family.both(lambda client: client.ping("172.16.0.10", 10))
    family.first.logout(ALICE)
    family.second.logout(BOB)
