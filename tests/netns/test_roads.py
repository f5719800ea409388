"""ESP on its three roads: bare, in UDP because of a NAT, in UDP because it was asked for."""
import hashlib

import pytest

from lab.gateway import POOL_NET, settings
from lab.packets import Sniffer, is_esp, is_udp
from lab.sink import Sink
from lab.world import OFFICE_HOST

TAKE_PORT = 5555


def roads(site, client):
    """(bare ESP packets, packets on UDP 4500) that a burst of pings causes on the gateway's outer leg."""
    sniffer = Sniffer(site.world.gateway, "wan")
    client.ping(count=10)
    packets = sniffer.stop()
    return sum(map(is_esp, packets)), sum(is_udp(packet, 4500) for packet in packets)


def carry_both_ways(site, client, big_file):
    content = (big_file / "file").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert client.sha256_of(site.world.serve_files(big_file) + "/file") == digest
    sink = Sink(site.world.office, OFFICE_HOST, TAKE_PORT, len(content))
    try:
        assert client.send(OFFICE_HOST, TAKE_PORT, content) == digest
    finally:
        sink.close()


def test_without_a_nat_esp_is_bare(site, big_file):
    client = site.connect()
    esp, udp = roads(site, client)
    assert esp >= 20 and udp == 0
    carry_both_ways(site, client, big_file)


def test_behind_a_napt_esp_goes_in_udp(site, big_file):
    client = site.connect(site.computer(site.world.add_home()))
    esp, udp = roads(site, client)
    assert esp == 0 and udp >= 20
    carry_both_ways(site, client, big_file)


def test_forced_encapsulation_uses_udp_without_a_nat(make_site):
    site = make_site(settings(ike={"encapsulation": "force"}))
    client = site.connect()
    esp, udp = roads(site, client)
    assert esp == 0 and udp >= 20


def test_two_computers_behind_one_napt_and_one_with_a_public_address(site):
    home = site.world.add_home()
    pool = ("--route", POOL_NET)
    clients = [site.connect(site.computer(home), "alice", *pool), site.connect(site.computer(home), "bob", *pool),
               site.connect(None, "alice", *pool)]
    assert len({client.address for client in clients}) == 3
    for client in clients:
        client.ping(count=5)
    # Clients reach each other too, through the gateway.
    assert "Redirect" not in clients[0].ping(clients[1].address)


@pytest.mark.parametrize("ike", ["aes128-sha1-modp2048", "aes256-sha256-ecp256", "aes256-sha384-ecp384",
                                 "aes256-sha512-modp3072"])
@pytest.mark.parametrize("esp", ["aes128-sha1", "aes256-sha256", "aes256-sha512", "aes128gcm16", "aes256gcm16"])
def test_every_proposal_carries_packets(site, ike, esp):
    client = site.connect(None, "alice", "--ike", ike, "--esp", esp, "--pfs")
    client.ping(size=1000)
