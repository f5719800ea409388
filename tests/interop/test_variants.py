"""What people switch on: UDP encapsulation without a NAT, perfect forward secrecy; and clients that leave without a word."""
import dataclasses

import pytest

from clients import STACKS, Profile, StockClient
from lab.packets import Sniffer, is_esp, is_udp


@dataclasses.dataclass
class Connected:
    site: object
    client: StockClient


@pytest.fixture(scope="module")
def connected(request, make_site):
    site = make_site()
    return Connected(site, site.add_client(STACKS[request.param], None))


def every_stack(test):
    return pytest.mark.parametrize("connected", [
        pytest.param(stack, marks=pytest.mark.xdist_group(f"{stack}-variants")) for stack in STACKS
    ], indirect=True)(test)


@every_stack
def test_forced_encapsulation_goes_in_udp_without_a_nat(connected):
    site, client = connected.site, connected.client
    profile = Profile(forced=True)
    client.login(profile)
    sniffer = Sniffer(site.world.gateway, "wan")
    client.ping("172.16.0.10", 10)
    packets = sniffer.stop()
    client.logout(profile)
    assert not any(map(is_esp, packets))
    assert sum(is_udp(packet, 4500) for packet in packets) >= 20


# libreswan has no elliptic curves for IKEv1's quick mode.
@pytest.mark.parametrize("connected, group", [
    pytest.param(stack, group, marks=pytest.mark.xdist_group(f"{stack}-variants"))
    for stack in STACKS for group in ("modp2048", "ecp256") if (stack, group) != ("libreswan", "ecp256")
], indirect=["connected"])
def test_perfect_forward_secrecy_works(connected, group):
    site, client = connected.site, connected.client
    profile = Profile(esp=f"aes256-sha256-{group}", pfs=True)
    client.login(profile)
    assert client.sha256_of(site.url) == site.sha256
    client.logout(profile)


@every_stack
def test_a_client_that_left_without_a_word_comes_back_at_once(connected):
    site, client = connected.site, connected.client
    client.login(Profile())
    client.ping("172.16.0.10")
    client.crash()
    client.login(Profile())
    client.ping("172.16.0.10", 5)
    client.logout(Profile())
