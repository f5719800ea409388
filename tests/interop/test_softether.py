"""Our client at SoftEther VPN Server: another author's IKE, L2TP and PPP. One server serves all tests."""
import functools

import pytest

from lab.gateway import SENTENCES
from lab.packets import Sniffer, is_esp, is_udp
from servers import TAKE_PORT, TOLD_WITHIN
from softether import SoftEther

pytestmark = pytest.mark.xdist_group("softether")


@pytest.fixture(scope="module")
def served(make_served, office_file):
    return make_served(functools.partial(SoftEther, office_file=office_file))


def connect(served, place, *options, **more):
    """It leaves out zero bytes in front of its Diffie-Hellman values, so that one main mode in 256 fails and is tried again."""
    try:
        return served.connect(place, *options, **more)
    except AssertionError:
        if "quick mode message 1" in served.client.said():
            raise
        return served.connect(place, *options, **more)


@pytest.mark.parametrize("place, options", [
    ("direct", ()),
    ("napt", ()),
    ("direct", ("--ike", "aes128-sha256-modp2048", "--esp", "aes128-sha1")),
    ("napt", ("--ike", "aes256-sha1-modp2048", "--esp", "aes256-sha1", "--pfs")),
])
def test_the_client_works_at_softether_and_leaves_it_clean(served, place, options):
    server = served.server
    client = connect(served, place, *options)
    assert client.dns == server.dns
    # It always says that it is behind a NAT, so that ESP goes in UDP in any case.
    sniffer = Sniffer(*server.wire)
    client.ping(server.office, 10)
    packets = sniffer.stop()
    assert not any(map(is_esp, packets)) and sum(is_udp(packet, 4500) for packet in packets) >= 20
    assert client.sha256_of(server.url) == server.sha256
    assert client.send(server.office, TAKE_PORT, served.upload) == served.upload_sha256
    client.disconnect()
    server.heard_goodbye()


@pytest.mark.parametrize("cause, options, who", [
    ("wrong-psk", (), {"psk": "five-winds-1867"}),
    ("auth-refused", (), {"password": "wonder-land-43"}),
    ("auth-refused", (), {"user": "mallory"}),
    ("ike-no-answer", ("--ike", "aes256-sha1-ecp256"), {}),  # it never says that it takes none of them
    ("no-esp-proposal", ("--esp", "aes256gcm16"), {}),
])
def test_a_refusal_is_told(served, cause, options, who):
    client = served.connect("napt", *options, wait=False, **who)
    assert client.wait_failed(TOLD_WITHIN) != 0
    assert SENTENCES[cause] in client.said(), client.said()


def test_new_keys_and_new_main_modes_of_the_client_lose_no_packet(served):
    before = len(served.server.log())
    client = connect(served, "napt", profile={"ike.lifetime": "30s", "ike.child_lifetime": "30s"})
    client.ping(served.server.office, 150, interval=0.2)
    said = served.server.log()[before:]
    assert said.count("This IKE SA is established") == 2 and said.count("This IPsec SA is established") >= 2
    client.disconnect()
    served.server.heard_goodbye()
