"""Why a connection does not come about, as our client tells it: two failures that look alike on the wire."""
import pytest

from lab.gateway import SENTENCES

TOLD_WITHIN = 15.0
BLOCKED = "table inet blocked { chain forward { type filter hook forward priority 0; udp dport 4500 drop; }; }"


def told(client, cause):
    assert client.wait_failed(TOLD_WITHIN) != 0
    assert SENTENCES[cause] in client.said(), client.said()


@pytest.mark.parametrize("psk", ["four-winds-1867", "nonsense"])
def test_a_router_that_drops_port_4500_is_told_whatever_the_key(site, psk):
    home = site.world.add_home()
    home.nft(BLOCKED)
    told(site.connect(site.computer(home), wait=False, psk=psk), "natt-blocked")


def test_a_wrong_key_behind_a_nat_is_told_where_port_4500_is_open(site):
    told(site.connect(site.computer(site.world.add_home()), wait=False, psk="nonsense"), "wrong-psk")


def test_nobody_there_is_told(site):
    told(site.connect(wait=False, server="203.0.113.77"), "ike-no-answer")


def test_our_gateway_refuses_aggressive_mode_and_says_why(site):
    told(site.connect(site.computer(), "alice", "--aggressive", "--identity", "@office", wait=False), "ike-no-answer")
    site.gateway.wait_explained("ike-aggressive")
