"""Stock Linux clients log in with every algorithm, direct and through a NAPT. One guest per stack and place does it all."""
import dataclasses
import itertools

import pytest

from clients import STACKS, Profile, StockClient
from lab.gateway import DNS

IKE = ["-".join(parts) for parts in itertools.product(("aes128", "aes256"), ("sha1", "sha256"),
                                                       ("modp2048", "ecp256", "ecp384"))]
ESP = ["aes128-sha1", "aes256-sha256", "aes128gcm16", "aes256-sha1", "aes128-sha256"]
# Every IKE proposal once, the ESP proposals in turn.
DIRECT = list(zip(IKE, itertools.cycle(ESP)))
# Behind a NAPT, what differs is ESP in UDP: every ESP proposal once.
NAPT = list(zip(IKE[::-2], ESP))
CASES = {"direct": DIRECT, "napt": NAPT}


@dataclasses.dataclass
class Connected:
    site: object
    client: StockClient


@pytest.fixture(scope="module")
def connected(request, make_site):
    """A site with one client of the wanted stack at the wanted place."""
    stack, place = request.param
    site = make_site()
    home = site.world.add_home() if place == "napt" else None
    return Connected(site, site.add_client(STACKS[stack], home))


def cases():
    for stack, place in itertools.product(STACKS, CASES):
        group = f"{stack}-{place}"
        where = (stack, place)  # one object for all: pytest keeps a guest for as long as its parameter is the very same
        for ike, esp in CASES[place]:
            yield pytest.param(where, ike, esp, marks=pytest.mark.xdist_group(group), id=f"{group}-{ike}+{esp}")


@pytest.mark.parametrize("connected, ike, esp", list(cases()), indirect=["connected"])
def test_a_stock_client_logs_in_and_reaches_the_office(connected, ike, esp):
    site, client = connected.site, connected.client
    profile = Profile(ike=ike, esp=esp)
    link = client.login(profile)
    try:
        assert link.address.startswith("10.99.0.")
        assert link.peer == "10.99.0.1"
        assert set(link.dns) == {DNS}
        client.ping("172.16.0.10")
        client.ping("172.16.0.10", size=1372)  # the largest that fits a tunnel of 1400 bytes
        sessions = site.gateway.sessions()
        assert [session["user"] for session in sessions] == [profile.user]
        assert sessions[0]["address"] == link.address
        assert site.url and client.sha256_of(site.url) == site.sha256
    finally:
        client.logout(profile)
