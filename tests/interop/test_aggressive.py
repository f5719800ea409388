"""Aggressive mode at servers that are not ours: the client is known by the name of a group, and the key is found by it."""
import pytest

from clients import PSK
from lab.gateway import SENTENCES
from servers import SERVERS, TOLD_WITHIN, Service

LINES = {
    "strongswan": ("aggressive=yes", "leftid=@vpn.example.net", "rightid=@#6f6666696365"),
    "libreswan": ("aggressive=yes", "leftid=@vpn.example.net", "rightid=@[office]"),
}
IKE = "aes256-sha256-modp2048"


@pytest.fixture(scope="module")
def served(request, make_served):
    return make_served(SERVERS[request.param])


every_server = pytest.mark.parametrize("served", [
    pytest.param(stack, marks=pytest.mark.xdist_group(f"{stack}-aggressive")) for stack in LINES
], indirect=True)


def serve(served, **more):
    return served.server.offer(Service(ike=IKE, more=LINES[served.server.stack], **more))


def options(identity="@office", ike=IKE):
    return "--aggressive", "--identity", identity, "--ike", ike


@every_server
@pytest.mark.parametrize("place", ["direct", "napt"])
def test_a_client_connects_by_its_group(served, place):
    server = serve(served)
    client = served.connect(place, *options())
    assert "aggressive mode message 3" in client.said()
    client.ping(server.office)
    client.disconnect()
    server.heard_goodbye()


def refused(served, cause, *words, **more):
    client = served.connect("napt", *words, wait=False, **more)
    assert client.wait_failed(TOLD_WITHIN) != 0
    assert SENTENCES[cause] in client.said(), client.said()
    return client.told_after()


@every_server
def test_a_wrong_key_is_told_at_once(served):
    serve(served)
    assert refused(served, "wrong-psk", *options(), psk=PSK + "x") < 6


@pytest.mark.parametrize("served", [pytest.param("strongswan", marks=pytest.mark.xdist_group("strongswan-aggressive"))],
                         indirect=True)
def test_a_group_that_the_server_does_not_know_is_told(served):
    serve(served)
    assert refused(served, "ike-identity", *options("@elsewhere")) < 6


@every_server
def test_no_common_proposal_is_told(served):
    serve(served)
    refused(served, "no-ike-proposal", *options(ike="aes128-sha1-modp2048"))
