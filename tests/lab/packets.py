"""Raw looks at the wire, and bytes that no honest client sends. Sockets live in the namespace where they are opened."""
import ctypes
import os
import socket
import struct
import threading
import time

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 0x0003
ETH_P_IP = 0x0800
SOL_PACKET = 263  # these three are not in Python's socket module
PACKET_STATISTICS = 6
SO_RCVBUFFORCE = 33
_libc = ctypes.CDLL(None, use_errno=True)


def open_socket(namespace, *kind):
    """socket.socket(*kind), opened in `namespace`: a thread goes there, opens it, and ends."""
    got = []

    def work():
        with open(f"/run/netns/{namespace.name}", "rb") as where:
            if _libc.setns(where.fileno(), CLONE_NEWNET) != 0:
                got.append(OSError(ctypes.get_errno(), "setns"))
                return
        try:
            got.append(socket.socket(*kind))
        except OSError as failure:
            got.append(failure)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(got[0], OSError):
        raise got[0]
    return got[0]


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, destination, protocol, payload, ident=0):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, 0, 64, protocol, 0,
                         socket.inet_aton(source), socket.inet_aton(destination))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def udp(source_port, port, payload):
    """Without a checksum, as IPv4 allows."""
    return struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload


def main_mode_1(cookie):
    """A well-formed first message of main mode: AES-256, SHA-1, MODP-2048, pre-shared key."""
    attributes = b"".join(struct.pack("!HH", 0x8000 | kind, value)
                          for kind, value in ((1, 7), (14, 256), (2, 2), (4, 14), (3, 1), (11, 1), (12, 28800)))
    transform = struct.pack("!BBHBBH", 0, 0, 8 + len(attributes), 1, 1, 0) + attributes
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(transform), 1, 1, 0, 1) + transform
    sa = struct.pack("!BBHII", 0, 0, 12 + len(proposal), 1, 1) + proposal
    return cookie + bytes(8) + struct.pack("!BBBBII", 1, 0x10, 2, 0, 0, 28 + len(sa)) + sa


class Flood:
    """Bad and half-finished packets from ever new addresses, until stopped. They leave from the internet."""

    def __init__(self, namespace, server, a_second=3000, seed=1867):
        self.socket = open_socket(namespace, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.server = server
        self.pause = 50 / a_second
        self.seed = seed
        self.sent = 0
        self.running = True
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _packet(self, number):
        """In turn: a first message, ESP out of nowhere, plain noise, L2TP in clear, a lie about the length."""
        rng = struct.Struct("!QQ").pack((number + self.seed) * 0x9e3779b97f4a7c15 % 2**64, number * 0xbf58476d1ce4e5b9 % 2**64)
        source = f"100.{64 + number % 64}.{number // 64 % 256}.{1 + number % 250}"
        kind = number % 6
        if kind == 0:
            return ipv4(source, self.server, 17, udp(500, 500, main_mode_1(rng[:7] + b"\1")))
        if kind == 1:
            return ipv4(source, self.server, 17, udp(4500, 4500, bytes(4) + main_mode_1(rng[:7] + b"\2")))
        if kind == 2:
            return ipv4(source, self.server, 17, udp(4500, 4500, rng + bytes(60)))
        if kind == 3:
            return ipv4(source, self.server, 50, rng + bytes(80))
        if kind == 4:
            return ipv4(source, self.server, 17, udp(500, 500, rng * 4))
        lie = bytearray(main_mode_1(rng[:7] + b"\3"))
        lie[30 + number % (len(lie) - 30)] ^= 0xff
        return ipv4(source, self.server, 17, udp(500, 500, bytes(lie)))

    def _work(self):
        while self.running:
            for _ in range(50):
                self.socket.sendto(self._packet(self.sent), (self.server, 0))
                self.sent += 1
            time.sleep(self.pause)

    def stop(self):
        self.running = False
        self.thread.join()
        self.socket.close()
        return self.sent


class Sniffer:
    """Collects IPv4 packets that pass a device, both ways (only a socket for all protocols sees what leaves)."""

    def __init__(self, namespace, device, want=lambda packet: True):
        self.socket = open_socket(namespace, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)  # a busy machine reads late
        self.socket.bind((device, ETH_P_ALL))
        self.socket.settimeout(0.1)
        self.want = want
        self.packets = []
        self.read = 0
        self.running = True
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self):
        while self.running:
            try:
                self._read()
            except OSError:  # nothing for a moment, or the device went down
                continue

    def _read(self):
        packet, (_, protocol, kind, *_) = self.socket.recvfrom(65536)
        self.read += 1
        self._take(packet, protocol, kind)

    def _take(self, packet, protocol, _):
        if protocol == ETH_P_IP and self.want(packet):
            self.packets.append(packet)

    def stop(self):
        """Everything that the kernel has seen pass by now, whether or not our thread had the time to read it."""
        time.sleep(0.15)
        self.running = False
        self.thread.join()
        seen, lost = struct.unpack("=II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        assert lost == 0, f"the sniffer's buffer was full for {lost} packets"
        while self.read < seen:
            self._read()
        self.socket.close()
        return self.packets


class Uplink(Sniffer):
    """Everything that a computer sends, of whatever protocol: `device` is the other end of its cable."""

    def _take(self, packet, protocol, kind):
        if kind != socket.PACKET_OUTGOING:
            self.packets.append((protocol, packet))


def is_udp(packet, port):
    return packet[9] == 17 and port in struct.unpack("!HH", packet[20:24])


def udp_ports(packet):
    """(source, destination)"""
    at = (packet[0] & 0xf) * 4
    return struct.unpack("!HH", packet[at:at + 4])


def is_esp(packet):
    return packet[9] == 50


def is_syn(packet):
    return packet[9] == 6 and packet[33] & 0x02


def mss(packet):
    """The MSS option of a TCP SYN."""
    options = packet[40:20 + (packet[32] >> 4) * 4]
    while options:
        if options[0] == 2:
            return struct.unpack("!H", options[2:4])[0]
        options = options[1:] if options[0] == 1 else options[options[1]:]
    return None


def forget_mappings(namespace):
    """Flushes the connection table of a NAT, as a restarted router does: the next packet gets another port."""
    nfnetlink_delete_all = struct.pack("=IHHIIBBH", 20, (1 << 8) | 2, 0x5, 1, 0, socket.AF_UNSPEC, 0, 0)
    netlink = open_socket(namespace, socket.AF_NETLINK, socket.SOCK_RAW, 12)
    with netlink:
        netlink.bind((0, 0))
        netlink.send(nfnetlink_delete_all)
        answer = netlink.recv(4096)
        status = struct.unpack("=i", answer[16:20])[0]
        if status != 0:
            raise OSError(-status, os.strerror(-status))
