"""Our client at servers that are not ours. One guest per stack serves every setting, one after the other."""
import pytest

from clients import PASSWORD, PSK, USER
from lab.gateway import SENTENCES
from lab.packets import Sniffer, is_esp, is_udp
from lab.shell import wait_for
from servers import FILE_BYTES, SERVERS, TAKE_PORT, TOLD_WITHIN, Service

IKE = ("aes256-sha1-modp2048", "aes128-sha256-ecp256", "aes256-sha256-modp2048")
ESP = ("aes256-sha1", "aes128-sha256", "aes256gcm16")


@pytest.fixture(scope="module")
def served(request, make_served):
    return make_served(SERVERS[request.param])


def every_server(test, group="server"):
    return pytest.mark.parametrize("served", [
        pytest.param(stack, marks=pytest.mark.xdist_group(f"{stack}-{group}")) for stack in SERVERS
    ], indirect=True)(test)


def every_server_that_lives_long(test):
    """With a guest of its own, because it takes long."""
    return every_server(test, "server-lives")


def roads(served, client):
    """(bare ESP packets, packets on UDP 4500) that a burst of pings causes at the server."""
    sniffer = Sniffer(*served.server.wire)
    client.ping(served.server.office, 10)
    packets = sniffer.stop()
    return sum(map(is_esp, packets)), sum(is_udp(packet, 4500) for packet in packets)


@every_server
@pytest.mark.parametrize("place", ["direct", "napt"])
@pytest.mark.parametrize("ike, esp", zip(IKE, ESP))
def test_the_client_works_at_the_server_and_leaves_it_clean(served, place, ike, esp):
    server = served.server.offer(Service(ike=ike, esp=esp))
    client = served.connect(place)
    assert client.dns == server.dns
    esp_packets, udp_packets = roads(served, client)
    assert (esp_packets >= 20, udp_packets >= 20) == ((True, False) if place == "direct" else (False, True))
    client.ping(server.office, size=1252)  # the largest that the server's MRU of 1280 lets through
    assert client.sha256_of(server.url) == server.sha256
    assert client.send(server.office, TAKE_PORT, served.upload) == served.upload_sha256
    client.disconnect()
    server.heard_goodbye()


@every_server
def test_perfect_forward_secrecy_works(served):
    server = served.server.offer(Service(pfs=True))
    client = served.connect("direct", "--pfs")
    client.ping(server.office)
    client.disconnect()
    server.heard_goodbye()


@every_server
@pytest.mark.parametrize("by", ["server", "client"])
def test_encapsulation_can_be_forced_by_either_side(served, by):
    server = served.server.offer(Service(forced=by == "server"))
    client = served.connect("direct", *(("--encap", "force") if by == "client" else ()))
    esp_packets, udp_packets = roads(served, client)
    assert esp_packets == 0 and udp_packets >= 20
    client.disconnect()
    server.heard_goodbye()


@every_server
@pytest.mark.parametrize("login, methods", [("chap", ("chap-md5",)), ("pap", ("mschapv2", "pap")), ("eap", ("eap-md5",))])
def test_other_ways_to_log_in_work(served, login, methods):
    server = served.server.offer(Service(login=login))
    client = served.connect("napt", profile={"ppp.methods": methods})
    client.ping(server.office)
    client.disconnect()
    server.heard_goodbye()


@every_server
@pytest.mark.parametrize("hidden", [False, True])
def test_a_tunnel_secret_is_known_to_both(served, hidden):
    server = served.server.offer(Service(tunnel_secret="under-the-bridge", hidden=hidden))
    client = served.connect("direct", profile={"l2tp.secret": "under-the-bridge"})
    client.ping(server.office)
    client.disconnect()
    server.heard_goodbye()


def refused(served, cause, *options, **more):
    """The client ends and tells this cause, soon."""
    client = served.connect("napt", *options, wait=False, **more)
    assert client.wait_failed(TOLD_WITHIN) != 0
    assert SENTENCES[cause] in client.said(), client.said()
    return client.said()


@every_server
def test_a_wrong_pre_shared_key_is_told(served):
    served.server.offer()
    said = refused(served, "wrong-psk", psk="five-winds-1867")
    assert "five-winds" not in said


@every_server
def test_a_wrong_password_is_told(served):
    served.server.offer()
    said = refused(served, "auth-refused", password="wonder-land-43")
    assert "wonder-land" not in said


@every_server
def test_an_unknown_user_is_told(served):
    served.server.offer()
    refused(served, "auth-refused", user="mallory")


@every_server
def test_no_common_ike_proposal_is_told(served):
    served.server.offer()
    refused(served, "no-ike-proposal", "--ike", "aes128-sha1-modp2048")


@every_server
def test_no_common_esp_proposal_is_told(served):
    served.server.offer()
    refused(served, "no-esp-proposal", "--esp", "aes128-sha1")


@every_server
def test_no_common_way_to_log_in_is_told(served):
    served.server.offer(Service(login="pap"))
    refused(served, "auth-method")


@every_server
def test_a_wrong_tunnel_secret_is_told(served):
    served.server.offer(Service(tunnel_secret="under-the-bridge"))
    client = served.connect("napt", wait=False, profile={"l2tp.secret": "over-the-bridge"})
    assert client.wait_failed(TOLD_WITHIN) != 0
    assert SENTENCES["l2tp-refused"] in client.said(), client.said()
    assert "the-bridge" not in client.said()


@every_server_that_lives_long
def test_new_keys_and_new_main_modes_of_the_server_lose_no_packet(served):
    server = served.server.offer(Service(restless=True))
    client = served.connect("napt")
    # libreswan begins its new main mode at port 500, where no NAT lets it in; after it our client begins one.
    client.ping(server.office, 260, interval=0.2)
    main_modes, quick_modes = server.established()
    assert main_modes >= 2 and quick_modes >= 3
    client.disconnect()
    server.heard_goodbye()


@every_server_that_lives_long
def test_new_keys_and_new_main_modes_of_the_client_lose_no_packet(served):
    server = served.server.offer()
    client = served.connect("napt", profile={"ike.lifetime": "30s", "ike.child_lifetime": "30s"})
    client.ping(server.office, 150, interval=0.2)
    assert server.established() == (2, 2)
    client.disconnect()
    server.heard_goodbye()


@pytest.mark.parametrize("served", [pytest.param("strongswan", marks=pytest.mark.xdist_group("strongswan-server"))],
                         indirect=True)
def test_the_client_comes_back_when_a_dead_server_does(served):
    server = served.server.offer()
    client = served.connect("napt", profile={"run.stay": "up"})
    server.kill()
    wait_for("the client knows that its server is gone", lambda: SENTENCES["peer-silent"] in client.said(), 40)
    server.start_ipsec()
    server.offer()
    client.wait_answer(server.office, 40)
    client.disconnect()
    server.heard_goodbye()
