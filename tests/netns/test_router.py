"""sekisho-router with bytes of ESP and IKE from simple senders: who gets what, who sees which address, what is counted.

        host .10 ----+                             +---- server 203.0.113.N
        host .11 ----+-- lan  router  wan ---------+
                       192.168.1.1   203.0.113.101 +---- another
"""
import pathlib
import re
import socket
import struct
import subprocess
import time

import pytest

from lab import packets
from lab.packets import Sniffer, ipv4, main_mode_1, open_socket, udp
from lab.router import Router, refusal
from lab.shell import run, stop, wait_for
from lab.world import World

OUTSIDE = "203.0.113.101"
ESP, ICMP, UDP = 50, 1, 17


def source(packet):
    return socket.inet_ntoa(packet[12:16])


def destination(packet):
    return socket.inet_ntoa(packet[16:20])


def spi(packet):
    return struct.unpack("!I", packet[20:24])[0]


def wait_a_moment(condition):
    end = time.monotonic() + 0.1
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


class End:
    """A host or a server: says ESP and IKE, and keeps what comes."""

    def __init__(self, namespace, address, device="eth"):
        self.namespace, self.address = namespace, address
        self.raw = open_socket(namespace, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.sequence = {}
        self.sniffer = Sniffer(namespace, device, lambda packet: destination(packet) == address)
        self.deaf()

    def deaf(self):
        """Its kernel shall not answer that nothing speaks ESP or IKE here."""
        self.namespace.nft("table ip deaf { chain in { type filter hook input priority 0\nip protocol esp drop\n"
                           "udp dport 500 drop\n}\n}\n")

    def send(self, to, protocol, payload, src=None, ttl=64, whole=False):
        packet = bytearray(ipv4(src or self.address, to, protocol, payload))
        packet[8] = ttl
        packet[6] |= 0x40 if whole else 0
        self.raw.sendto(packet, (to, 0))

    def esp(self, to, number, count=1, size=100, **more):
        for _ in range(count):
            self.sequence[number] = self.sequence.get(number, 0) + 1
            self.send(to, ESP, struct.pack("!II", number, self.sequence[number]) + bytes(size), **more)

    def ike(self, to, cookie, responder=bytes(8), **more):
        message = bytearray(main_mode_1(cookie))
        message[8:16] = responder
        self.send(to, UDP, udp(500, 500, bytes(message)), **more)

    def got(self, protocol, match=lambda packet: True):
        return [p for p in self.sniffer.packets if p[9] == protocol and match(p)]

    def got_esp(self, number):
        return self.got(ESP, lambda p: spi(p) == number)

    def got_ike(self, cookie):
        return self.got(UDP, lambda p: p[20:24] == struct.pack("!HH", 500, 500) and p[28:36] == cookie)

    def expect(self, what, count=1, timeout=5.0):
        wait_for("the packets come", lambda: len(what()) >= count, timeout, every=0.002)
        return what()

    def close(self):
        self.sniffer.stop()
        self.raw.close()


class Street:
    """One home behind a router, and servers."""

    def __init__(self, directory):
        self.world = World()
        self.ends = []
        try:
            self.home = self.world.add_home(napt=None)
            self.hosts = [self.add_end(self.home) for _ in range(2)]
            self.server = self.add_end()
        except BaseException:
            self.world.close()
            raise
        self.directory = directory
        self.router = None

    def add_end(self, home=None):
        namespace = self.world.add_computer(home)
        address = re.search(r"inet ([\d.]+)/24", namespace.run("ip", "-4", "address", "show", "eth"))[1]
        self.ends.append(End(namespace, address))
        return self.ends[-1]

    def start(self, *options, **more):
        self.router = Router(self.home, self.directory, *options, **more)
        return self.router

    def in_kernel(self, host, *spis):
        return sum(one["in_kernel"] and int(one["id"], 16) in spis
                   for one in self.router.bindings(host=host.address, kind="esp")) == len(spis)

    def by_shortcut(self, host, server, out, back, to=OUTSIDE):
        """Bound both ways, and taken in by the shortcut at the devices."""
        self.bind(host, server, out, back, to)

        def taken_in():
            host.esp(server.address, out)
            server.esp(to, back)
            return self.router.shortcut(out, back)

        wait_for("the shortcut has both", taken_in, 20, every=0.05)

    def bind(self, host, server, out, back, to=OUTSIDE):
        """A host asks and a server answers, until the kernel forwards both: once is no proof."""
        end = time.monotonic() + 30
        while not self.in_kernel(host, out, back):
            assert time.monotonic() < end, self.router.status()
            asked, answered = len(server.got_esp(out)), len(host.got_esp(back))
            host.esp(server.address, out)
            server.expect(lambda: server.got_esp(out), asked + 1)
            server.esp(to, back)
            if wait_a_moment(lambda: len(host.got_esp(back)) > answered):
                host.esp(server.address, out)

    def close(self):
        if self.router:
            self.router.close()
        for end in self.ends:
            end.close()
        self.world.close()


@pytest.fixture
def street(tmp_path):
    made = Street(tmp_path / "street")
    yield made
    made.close()


def test_esp_is_bound_both_ways_and_the_kernel_forwards_it(street):
    router, server, (host, _) = street.start(), street.server, street.hosts
    street.bind(host, server, 0x11110001, 0x22220001)
    seen = router.status()
    server.sniffer.packets.clear(), host.sniffer.packets.clear()
    host.esp(server.address, 0x11110001, 20)
    server.esp(OUTSIDE, 0x22220001, 30)
    server.expect(lambda: server.got_esp(0x11110001), 20)
    host.expect(lambda: host.got_esp(0x22220001), 30)
    assert {source(p) for p in server.got(ESP)} == {OUTSIDE}
    assert {p[8] for p in server.got(ESP)} == {63} and {p[8] for p in host.got(ESP)} == {63}
    now = router.status()
    assert now["router"]["packets_out"] - seen["router"]["packets_out"] == 20
    assert now["router"]["packets_in"] - seen["router"]["packets_in"] == 30
    assert now["router"]["bytes_in"] - seen["router"]["bytes_in"] == 30 * 128
    out, back = (one["packets"] for way in ("out", "in") for one in router.bindings(way=way, kind="esp"))
    assert (out, back) == (now["router"]["packets_out"], now["router"]["packets_in"])
    assert [(one["id"], one["host"], one["server"], one["state"]) for one in router.bindings(kind="esp")] == [
        ("11110001", host.address, server.address, "bound"), ("22220001", host.address, server.address, "bound")]
    assert [one["address"] for one in now["hosts"]] == [host.address] and now["hosts"][0]["bytes_out"] == out * 128
    assert [one["address"] for one in now["servers"]] == [server.address]
    assert f"bound way=in spi=22220001 host={host.address} server={server.address}" in router.log
    said = street.home.run(street.router.words[0], "status", "--socket", router.socket)
    assert "Passthrough   on" in said and re.search(rf"in +esp +22220001 +{host.address} .* bound +yes +{back} ", said)


def test_two_hosts_keep_port_500_and_get_their_own_answers(street):
    street.start()
    server = street.server
    for host, cookie in zip(street.hosts, (b"cookie-a", b"cookie-b")):
        host.ike(server.address, cookie)
        first = server.expect(lambda: server.got_ike(cookie))[0]
        assert source(first) == OUTSIDE
    for host, cookie in zip(street.hosts, (b"cookie-a", b"cookie-b")):
        server.ike(OUTSIDE, cookie, b"answered")
        host.expect(lambda: host.got_ike(cookie))
    for host, foreign in zip(street.hosts, (b"cookie-b", b"cookie-a")):
        assert not host.got_ike(foreign)
    assert {one["kind"] for one in street.router.status()["bindings"]} == {"ike"}


def test_checksums_of_ike_are_good_behind_the_router(street):
    """The senders' kernels are left out: a checksum that is there must fit the new addresses."""
    street.start()
    host, server = street.hosts[0], street.server
    with open_socket(host.namespace, socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind((host.address, 500)) # over a virtual cable its checksum is never finished by the sender
        plain.sendto(main_mode_1(b"checksum"), (server.address, 500))
    packet = server.expect(lambda: server.got_ike(b"checksum"))[0]
    datagram = packet[20:]
    pseudo = packet[12:20] + struct.pack("!BBH", 0, UDP, len(datagram))
    assert datagram[6:8] != b"\0\0" and packets.checksum(pseudo + datagram) == 0
    server.ike(OUTSIDE, b"checksum", b"answered")
    host.expect(lambda: host.got_ike(b"checksum"))


def test_tcp_udp_and_icmp_are_translated_as_ever(street):
    street.start()
    host, server = street.hosts[0], street.server
    host.namespace.run("ping", "-c", "1", "-W", "2", server.address)
    with open_socket(server.namespace, socket.AF_INET, socket.SOCK_STREAM) as listener, \
            open_socket(host.namespace, socket.AF_INET, socket.SOCK_STREAM) as caller:
        listener.bind((server.address, 7777))
        listener.listen()
        caller.settimeout(5)
        caller.connect((server.address, 7777))
        assert listener.accept()[1][0] == OUTSIDE
    with open_socket(server.namespace, socket.AF_INET, socket.SOCK_DGRAM) as listener, \
            open_socket(host.namespace, socket.AF_INET, socket.SOCK_DGRAM) as caller:
        listener.bind((server.address, 4500))
        listener.settimeout(5)
        caller.bind((host.address, 4500))
        caller.sendto(b"natt", (server.address, 4500))
        assert listener.recvfrom(100) == (b"natt", (OUTSIDE, 4500))


def test_the_end_takes_away_what_the_start_has_made_and_nothing_else(street):
    home = street.home
    home.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    home.nft("table ip theirs { chain c { type filter hook forward priority 0\nip daddr 10.9.8.7 drop\n}\n}\n")
    theirs = home.run("nft", "list", "table", "ip", "theirs")
    router = street.start()
    assert router.table() and home.run("sysctl", "-n", "net.ipv4.ip_forward") == "1\n"
    assert router.stop() == 0
    assert router.table() == "" and router.table("netdev") == "" and home.run("sysctl", "-n", "net.ipv4.ip_forward") == "0\n"
    assert home.run("nft", "list", "ruleset") == theirs
    assert not router.socket.exists() or "No router answers" in home.run(router.words[0], "status", "--socket",
                                                                         router.socket, check=False)
    home.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    router.start()
    assert router.stop() == 0
    assert home.run("sysctl", "-n", "net.ipv4.ip_forward") == "1\n"


def test_after_a_crash_the_kernel_goes_on_and_the_next_start_replaces_the_table(street):
    router, server, (host, _) = street.start(), street.server, street.hosts
    street.bind(host, server, 0x11110001, 0x22220001)
    router.kill(forget=True)
    server.sniffer.packets.clear(), host.sniffer.packets.clear()
    host.esp(server.address, 0x11110001, 5)
    server.esp(OUTSIDE, 0x22220001, 5)
    server.expect(lambda: server.got_esp(0x11110001), 5)
    host.expect(lambda: host.got_esp(0x22220001), 5)
    host.namespace.run("ping", "-c", "1", "-W", "2", server.address)
    router.start()
    assert not re.search(r"elements = \{[^}]*: 192\.168", router.table()), "what a dead process believed"
    assert router.bindings() == []
    street.bind(host, server, 0x11110001, 0x22220001)


def test_a_restart_in_mid_traffic_learns_two_hosts_at_one_server_again(street):
    router, server = street.start(), street.server
    pairs = [(host, 0x11110000 + n, 0x22220000 + n) for n, host in enumerate(street.hosts, 1)]
    for host, out, back in pairs:
        street.bind(host, server, out, back)
    router.kill(forget=True)
    router.start()
    end = time.monotonic() + 30

    def learnt():
        """Both tunnels talk: a host asks, its server answers each time something came."""
        for host, out, back in pairs:
            asked, answered = len(server.got_esp(out)), len(host.got_esp(back))
            host.esp(server.address, out)
            server.expect(lambda: server.got_esp(out), asked + 1)
            server.esp(OUTSIDE, back)
            if wait_a_moment(lambda: len(host.got_esp(back)) > answered):
                host.esp(server.address, out)
        time.sleep(0.6) # what is never silent proves nothing
        found = {int(one["id"], 16): one["host"] for one in router.bindings(way="in", kind="esp", state="bound")}
        return found == {back: host.address for host, _, back in pairs}

    while not learnt():
        assert time.monotonic() < end, router.status()
    for host, _, back in pairs:
        before = len(host.got_esp(back))
        server.esp(OUTSIDE, back, 10)
        host.expect(lambda: host.got_esp(back), before + 10)


def test_without_passthrough_esp_fails_by_name_and_the_rest_goes_on(street):
    router, server, (host, _) = street.start("--passthrough", "off"), street.server, street.hosts
    host.esp(server.address, 0x11110001, 7)
    server.esp(OUTSIDE, 0x22220001, 5)
    host.ike(server.address, b"plain-ik")
    server.expect(lambda: server.got_ike(b"plain-ik"))
    server.ike(OUTSIDE, b"plain-ik", b"answered")
    host.expect(lambda: host.got_ike(b"plain-ik"))
    host.namespace.run("ping", "-c", "1", "-W", "2", server.address)
    assert router.dropped("esp-no-ports") == 12
    assert not server.got(ESP) and not host.got(ESP)
    assert router.status()["bindings"] == [] and not router.status()["router"]["passthrough"]


def test_a_new_outside_address_is_followed(street):
    router, server, (host, _) = street.start(), street.server, street.hosts
    street.bind(host, server, 0x11110001, 0x22220001)
    street.home.run("ip", "address", "del", f"{OUTSIDE}/24", "dev", "wan")
    wait_for("the router has seen it go", lambda: router.status()["router"]["address"] == "")
    street.home.run("ip", "address", "add", "203.0.113.222/24", "dev", "wan")
    street.home.run("ip", "route", "replace", "default", "via", "203.0.113.254")
    wait_for("the router has seen the new one", lambda: router.status()["router"]["address"] == "203.0.113.222")
    assert f"wan has lost its address {OUTSIDE}." in router.log and "has the address 203.0.113.222." in router.log
    host.sniffer.packets.clear()
    host.esp(server.address, 0x11110001, 5)
    server.esp("203.0.113.222", 0x22220001, 5)
    server.expect(lambda: [p for p in server.got_esp(0x11110001) if source(p) == "203.0.113.222"], 5)
    host.expect(lambda: host.got_esp(0x22220001), 5)
    host.namespace.run("ping", "-c", "1", "-W", "2", server.address)


def quoted(kind, code, rest, original):
    message = struct.pack("!BBHI", kind, code, 0, rest) + original
    return message[:2] + struct.pack("!H", packets.checksum(message)) + message[4:]


def check_icmp(packet):
    """The quoted packet of an error whose checksums, its own and the quotation's header, are good."""
    assert packets.checksum(packet[:20]) == 0 and packets.checksum(packet[20:]) == 0
    assert packets.checksum(packet[28:48]) == 0
    return packet[28:]


@pytest.mark.parametrize("bound", [False, True], ids=["learning", "in the kernel"])
def test_an_icmp_error_from_outside_reaches_the_host_whose_packet_it_quotes(street, bound):
    street.start()
    host, other, server = *street.hosts, street.server
    on_the_way = street.add_end()
    if bound:
        street.bind(host, server, 0x11110001, 0x22220001)
    else:
        host.esp(server.address, 0x11110001)
    host.ike(server.address, b"cookie-a")
    esp = server.expect(lambda: server.got_esp(0x11110001))[-1]
    ike = server.expect(lambda: server.got_ike(b"cookie-a"))[0]
    on_the_way.send(OUTSIDE, ICMP, quoted(3, 4, 1400, esp[:28]))
    on_the_way.send(OUTSIDE, ICMP, quoted(3, 3, 0, ike[:60]))
    for packet in host.expect(lambda: host.got(ICMP), 2)[:2]:
        quote = check_icmp(packet)
        assert source(packet) == on_the_way.address
        assert (source(quote), destination(quote)) == (host.address, server.address)
    assert not other.got(ICMP)
    assert struct.unpack("!H", host.got(ICMP)[0][26:28])[0] == 1400
    stray = bytearray(esp[:28])
    stray[20:24] = b"\x99\x99\x99\x99"
    on_the_way.send(OUTSIDE, ICMP, quoted(3, 4, 576, bytes(stray)))
    wait_for("it is counted", lambda: street.router.dropped("icmp-stray") == 1)
    assert len(host.got(ICMP)) == 2


def test_an_icmp_error_from_inside_reaches_the_server_without_inside_addresses(street):
    street.start()
    host, other, server = *street.hosts, street.server
    street.bind(host, server, 0x11110001, 0x22220001)
    packet = host.got_esp(0x22220001)[-1]
    host.send(server.address, ICMP, quoted(3, 2, 0, packet[:28]))
    error = server.expect(lambda: server.got(ICMP))[0]
    quote = check_icmp(error)
    assert (source(error), source(quote), destination(quote)) == (OUTSIDE, server.address, OUTSIDE)
    forged = bytearray(packet[:28])
    forged[16:20] = socket.inet_aton(other.address)
    other.send(server.address, ICMP, quoted(3, 2, 0, bytes(forged)))
    wait_for("another's is refused", lambda: street.router.dropped("icmp-stray") == 1)


def test_the_router_itself_answers_for_ttl_and_size(street):
    """What it forwards in the kernel, and what it sends itself while it learns."""
    street.start()
    host, server = street.hosts[0], street.server
    street.home.run("ip", "link", "set", "lan", "mtu", "1280")
    host.esp(server.address, 0x11110001)
    server.expect(lambda: server.got_esp(0x11110001))
    for number, step in ((0x22220001, "learning"), (0x22220001, "bound")):
        if step == "bound":
            street.bind(host, server, 0x11110001, number)
        server.sniffer.packets.clear()
        server.esp(OUTSIDE, number, ttl=1)
        error = server.expect(lambda: server.got(ICMP))[0]
        assert (source(error), error[20]) == (OUTSIDE, 11) and destination(check_icmp(error)) == OUTSIDE, step
        server.sniffer.packets.clear()
        server.esp(OUTSIDE, number, size=1352, whole=True)
        error = server.expect(lambda: server.got(ICMP))[0]
        assert (error[20], error[21], struct.unpack("!H", error[26:28])[0]) == (3, 4, 1280), step
        assert destination(check_icmp(error)) == OUTSIDE, step
        host.sniffer.packets.clear()
        server.esp(OUTSIDE, number, size=1352)
        pieces = host.expect(lambda: host.got(ESP), 2)
        assert sum(len(p) - 20 for p in pieces) == 1360, step
    host.sniffer.packets.clear()
    host.esp(server.address, 0x11110001, ttl=1)
    assert host.expect(lambda: host.got(ICMP))[0][20] == 11


def test_pieces_of_esp_and_ike_are_put_together_before_they_are_judged(street):
    street.start()
    host, server = street.hosts[0], street.server
    host.namespace.run("ip", "link", "set", "eth", "mtu", "600")
    with open_socket(host.namespace, socket.AF_INET, socket.SOCK_RAW, ESP) as speaker:
        speaker.sendto(struct.pack("!II", 0x11110001, 1) + bytes(1392), (server.address, 0))
    with open_socket(host.namespace, socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.bind((host.address, 500))
        speaker.sendto(main_mode_1(b"in-parts") + bytes(1000), (server.address, 500))
    server.expect(lambda: server.got(ESP))
    wait_for("all of IKE has come", lambda: sum(len(p) - 20 for p in server.got(UDP)) >= 1008)
    assert {source(p) for p in server.got(ESP) + server.got(UDP)} == {OUTSIDE}
    assert sum(len(p) - 20 for p in server.got(ESP)) == 1400


def test_bound_esp_takes_the_shortcut_and_is_counted_there(street):
    router, server, (host, _) = street.start(), street.server, street.hosts
    # What passes the rules is seen here; what takes the shortcut is not.
    street.home.nft("table ip seen {\ncounter met { }\nchain c {\ntype filter hook forward priority -500\n"
                    "ip protocol esp counter name met\n}\n}\n")
    seen = lambda: int(re.search(r"packets (\d+)", street.home.run("nft", "list", "counter", "ip", "seen", "met"))[1])

    def by_the_devices():
        """The shortcut may have been emptied in between: then it is tried again."""
        street.by_shortcut(host, server, 0x11110001, 0x22220001)
        time.sleep(0.1)
        before, status = seen(), router.status()["router"]
        server.sniffer.packets.clear(), host.sniffer.packets.clear()
        host.esp(server.address, 0x11110001, 20)
        server.esp(OUTSIDE, 0x22220001, 30)
        server.expect(lambda: server.got_esp(0x11110001), 20)
        host.expect(lambda: host.got_esp(0x22220001), 30)
        now = router.status()["router"]
        counted = now["packets_out"] - status["packets_out"], now["packets_in"] - status["packets_in"]
        return counted == (20, 30) and seen() == before

    wait_for("none of them meets a rule, and all are counted", by_the_devices, 30)
    for packet in server.got_esp(0x11110001) + host.got_esp(0x22220001):
        assert packets.checksum(packet[:20]) == 0 and packet[8] == 63
    assert {source(p) for p in server.got_esp(0x11110001)} == {OUTSIDE}
    assert {destination(p) for p in host.got_esp(0x22220001)} == {host.address}
    said = street.home.run(router.words[0], "status", "--socket", router.socket)
    assert re.search(r"2 of them in the kernel, [012] by the shortcut", said)


def test_what_is_not_plain_goes_by_the_rules_though_it_is_bound(street):
    """Time to live, size, pieces and options: the kernel's own forwarding answers for them."""
    router, server, (host, other) = street.start(), street.server, street.hosts
    street.by_shortcut(host, server, 0x11110001, 0x22220001)
    host.sniffer.packets.clear(), server.sniffer.packets.clear()
    host.esp(server.address, 0x11110001, ttl=1)
    server.esp(OUTSIDE, 0x22220001, ttl=1)
    assert host.expect(lambda: host.got(ICMP))[0][20] == server.expect(lambda: server.got(ICMP))[0][20] == 11
    host.sniffer.packets.clear(), server.sniffer.packets.clear()
    for end in (host, server):
        end.namespace.run("ip", "link", "set", "eth", "mtu", "600")
        with open_socket(end.namespace, socket.AF_INET, socket.SOCK_RAW, ESP) as speaker:
            spi_here, to = (0x11110001, server.address) if end is host else (0x22220001, OUTSIDE)
            speaker.sendto(struct.pack("!II", spi_here, 1) + bytes(1392), (to, 0))
        end.namespace.run("ip", "link", "set", "eth", "mtu", "1500")
    for end in (host, server):
        wait_for("all has come", lambda: sum(len(p) - 20 for p in end.got(ESP)) >= 1400)
    assert {source(p) for p in server.got(ESP)} == {OUTSIDE}
    server.sniffer.packets.clear()
    header = bytearray(ipv4(host.address, server.address, ESP, struct.pack("!I", 0x01010101) +
                            struct.pack("!II", 0x11110001, 1) + bytes(100)))
    header[0] = 0x46 # a word of options, four times NOP
    host.raw.sendto(header, (server.address, 0))
    assert source(server.expect(lambda: server.got(ESP))[0]) == OUTSIDE
    # Nothing of another host or of another SPI is bound by that.
    host.sniffer.packets.clear(), server.sniffer.packets.clear()
    server.esp(OUTSIDE, 0x22220002, 3)
    other.esp(server.address, 0x11110001, 1, src=host.address[:-1] + "9")
    wait_for("they have come to be judged", lambda: router.dropped("spoofed-source") + router.dropped("no-candidate") +
             len(router.bindings(way="in", kind="esp")) >= 1)
    assert not [p for p in host.got(ESP) if spi(p) == 0x22220001]


def test_the_shortcut_follows_the_size_of_devices(street):
    street.start()
    host, server = street.hosts[0], street.server
    street.by_shortcut(host, server, 0x11110001, 0x22220001)
    street.home.run("ip", "link", "set", "lan", "mtu", "1280")
    street.by_shortcut(host, server, 0x11110001, 0x22220001)
    server.sniffer.packets.clear(), host.sniffer.packets.clear()
    server.esp(OUTSIDE, 0x22220001, size=1352, whole=True)
    error = server.expect(lambda: server.got(ICMP))[0]
    assert (error[20], error[21], struct.unpack("!H", error[26:28])[0]) == (3, 4, 1280)
    assert destination(check_icmp(error)) == OUTSIDE
    server.esp(OUTSIDE, 0x22220001, size=1352)
    host.expect(lambda: [p for p in host.got(ESP) if len(p) > 1200 or p[6] & 0x20], 1)


def test_the_shortcut_follows_routes_and_what_other_tables_forbid(street):
    router, server, (host, _) = street.start(), street.server, street.hosts
    gateway = street.add_end()
    street.by_shortcut(host, server, 0x11110001, 0x22220001)
    gateway.sniffer.want = lambda packet: True
    heard = lambda: [p for p in gateway.sniffer.packets if p[9] == ESP and spi(p) == 0x11110001]
    street.home.run("ip", "route", "add", server.address, "via", gateway.address, "dev", "wan")

    def by_the_gateway():
        host.esp(server.address, 0x11110001)
        return heard()

    wait_for("packets go by the new next hop", by_the_gateway, 10, every=0.05)
    wait_for("by the shortcut too", lambda: by_the_gateway() and router.shortcut(0x11110001), 20, every=0.05)
    direct = len(server.got_esp(0x11110001))
    before = len(heard())
    host.esp(server.address, 0x11110001, 10)
    gateway.expect(heard, before + 10)
    assert len(server.got_esp(0x11110001)) == direct
    street.home.nft("table ip theirs {\nchain c {\ntype filter hook forward priority 0\n"
                    f"ip saddr {host.address} ip protocol esp drop\nip daddr {host.address} ip protocol esp drop\n}}\n}}\n")
    street.home.run("ip", "route", "del", server.address) # all have to pass the rules again, sooner than in a minute
    wait_for("the shortcut is empty", lambda: not router.shortcut(0x11110001) and not router.shortcut(0x22220001), 10)
    server.sniffer.packets.clear(), host.sniffer.packets.clear()
    for _ in range(40):
        host.esp(server.address, 0x11110001)
        server.esp(OUTSIDE, 0x22220001)
        router.status() # which counts, and would take in what has passed
        time.sleep(0.01)
    assert not server.got(ESP) and not host.got(ESP)
    assert not router.shortcut(0x11110001) and not router.shortcut(0x22220001)


def test_without_the_shortcut_the_rules_do(street):
    """The kernel refuses it: here, since another program owns a table of that name."""
    owner = street.home.start("nft", "-i", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    owner.stdin.write("add table netdev sekisho_router { flags owner; }\n")
    owner.stdin.flush()
    wait_for("it has it", lambda: "sekisho_router" in street.home.run("nft", "list", "tables"))
    router, server, (host, _) = street.start(), street.server, street.hosts
    assert "No shortcut at the devices: " in router.log and "goes by all rules" in router.log
    street.bind(host, server, 0x11110001, 0x22220001)
    seen = len(server.got_esp(0x11110001)), len(host.got_esp(0x22220001))
    for _ in range(5):
        host.esp(server.address, 0x11110001)
        server.esp(OUTSIDE, 0x22220001)
    server.expect(lambda: server.got_esp(0x11110001), seen[0] + 5)
    host.expect(lambda: host.got_esp(0x22220001), seen[1] + 5)
    assert router.status()["router"]["shortcut"] == 0
    assert router.stop() == 0 and router.table() == ""
    stop(owner)


def test_a_shortcut_that_somebody_removed_is_done_without(street):
    router, server, (host, _) = street.start(), street.server, street.hosts
    street.by_shortcut(host, server, 0x11110001, 0x22220001)
    street.home.run("nft", "delete", "table", "netdev", "sekisho_router")
    wait_for("it is noticed", lambda: "somebody has removed the table netdev" in router.log)
    seen = len(host.got_esp(0x22220001))
    server.esp(OUTSIDE, 0x22220001, 5)
    host.expect(lambda: host.got_esp(0x22220001), seen + 5)
    assert router.stop() == 0


def test_what_nobody_asked_for_stays_outside(street):
    router, server, (host, _) = street.start(), street.server, street.hosts
    stranger = street.add_end()
    stranger.namespace.run("ip", "route", "add", "192.168.1.0/24", "via", OUTSIDE)
    stranger.esp(OUTSIDE, 0x22220009, 5)
    stranger.ike(OUTSIDE, b"stranger", b"answered")
    stranger.esp(host.address, 0x22220009, 3)
    stranger.send(host.address, UDP, udp(9, 9, b"hello"))
    host.send(server.address, UDP, udp(9, 9, b"hello"), src="10.1.2.3")
    host.esp(server.address, 0x11110009, src="10.1.2.3")
    wait_for("all are counted", lambda: (router.dropped("stranger"), router.dropped("unsolicited"),
                                         router.dropped("spoofed-source")) == (6, 4, 2))
    host.send(server.address, 47, bytes(40))
    wait_for("GRE has no ports", lambda: router.dropped("other-protocol") == 1)
    assert not host.got(ESP) and not host.got(UDP) and not server.got(ESP) and not server.got(47)
    assert router.status()["bindings"] == []


def test_a_flood_from_one_host_does_not_keep_another_from_its_server(street):
    router, server = street.start(), street.server
    flooder, host = street.hosts
    flood = [bytes(ipv4(flooder.address, server.address, ESP, struct.pack("!II", 0x40000000 + n, 1) + bytes(32)))
             for n in range(20000)]
    end, late = time.monotonic() + 2, time.monotonic() + 30
    sent = bound = 0
    while time.monotonic() < end or (bound < 5 and time.monotonic() < late):
        for packet in flood[sent % 20000:sent % 20000 + 500]:
            flooder.raw.sendto(packet, (server.address, 0))
        sent += 500
        if bound < 5 and sent % 2000 == 0:
            bound += 1
            street.bind(host, server, 0x11110000 + bound, 0x22220000 + bound)
    assert bound == 5 and sent > 5000
    assert {one["host"] for one in router.bindings(way="in", kind="esp", state="bound")} == {host.address}
    assert len(router.bindings(host=flooder.address, way="out")) < 100
    assert router.dropped("host-spis") + router.dropped("host-pace") > 1000


def test_the_routers_own_ike_goes_on_beside_its_hosts(street):
    """It began the talk itself, so connection tracking knows it."""
    street.start()
    host, server = street.hosts[0], street.server
    another = street.add_end()
    with open_socket(street.home, socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((OUTSIDE, 500))
        own.settimeout(5)
        own.sendto(main_mode_1(b"routers1"), (another.address, 500))
        another.expect(lambda: another.got_ike(b"routers1"))
        host.ike(server.address, b"cookie-a")
        server.expect(lambda: server.got_ike(b"cookie-a"))
        another.ike(OUTSIDE, b"routers1", b"answered")
        assert own.recv(2000)[:16] == b"routers1answered"
        server.ike(OUTSIDE, b"cookie-a", b"answered")
        host.expect(lambda: host.got_ike(b"cookie-a"))


def test_it_runs_with_few_rights_and_little_memory(street):
    router, server, (host, _) = street.start(), street.server, street.hosts
    for n in range(1, 30):
        host.esp(server.address, 0x11110000 + n)
        server.expect(lambda n=n: server.got_esp(0x11110000 + n))
        server.esp(OUTSIDE, 0x22220000 + n)
        host.expect(lambda n=n: host.got_esp(0x22220000 + n))
    assert len(router.bindings(kind="esp")) == 2 * 29
    status = pathlib.Path(f"/proc/{router.process.pid}/status").read_text()
    read = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert read["Uid"].split() == ["65534"] * 4 and read["NoNewPrivs"] == "1"
    assert int(read["CapEff"], 16) == int(read["CapPrm"], 16) == 1 << 12, "CAP_NET_ADMIN alone"
    if not router.sanitized:
        assert read["Seccomp"] == "2"
        assert int(read["VmRSS"].split()[0]) < 8000, "an OpenWrt-class box"
        libraries = run("ldd", router.words[0])
        assert "libmnl" in libraries and "crypto" not in libraries and "ssl" not in libraries


def test_a_table_that_somebody_removed_ends_the_router_with_a_sentence(street):
    router = street.start()
    street.home.run("nft", "flush", "ruleset")
    wait_for("it ends", lambda: router.process.poll() is not None)
    assert router.process.returncode == 1 and "Somebody has removed the table" in router.log


def test_a_start_that_cannot_be_is_refused_with_a_sentence_and_a_status(street):
    home, (host, _) = street.home, street.hosts
    elsewhere = ("--socket", street.directory / "other.sock")
    street.directory.mkdir()
    assert refusal(home, "--inside", "lan") [0] == 2
    assert refusal(home, "--inside", 'l"an', "--outside", "wan")[0] == 2
    status, said = refusal(home, "--inside", "lan", "--outside", "dsl0", *elsewhere)
    assert status == 24 and "There is no interface dsl0." in said
    status, said = refusal(host.namespace, "--inside", "lo", "--outside", "eth", "--run-as", "no-such-user", *elsewhere)
    assert status == 1 and "Cannot become the user no-such-user" in said
    assert "sekisho_router" not in host.namespace.run("nft", "list", "ruleset")
    host.namespace.run("ip", "address", "flush", "dev", "eth")
    status, said = refusal(host.namespace, "--inside", "lo", "--outside", "eth", *elsewhere)
    assert status == 24 and "has no IPv4 address yet" in said
    router = street.start()
    status, said = refusal(home, "--inside", "lan", "--outside", "wan", "--run-as", "nobody", *elsewhere)
    assert status == 1 and "Does a sekisho-router run already?" in said
    assert router.table()
    unprivileged = home.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *router.words, check=False)
    assert "It takes root" in unprivileged
