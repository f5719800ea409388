"""A name server that knows the IPv4 addresses of a few names, read anew for each question from lines "ADDRESS NAME"."""
import socket
import struct
import sys

NO_SUCH_NAME = 3


def question(packet):
    """The name that is asked for, its type, and where the question ends (RFC 1035 4.1.2)."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack("!H", packet[at + 1:at + 3])[0], at + 5


def answer(packet, known):
    name, kind, end = question(packet)
    found = known.get(name) if kind == 1 else None
    head = struct.pack("!2sHHHHH", packet[:2], 0x8180 | (0 if name in known else NO_SUCH_NAME), 1, int(bool(found)), 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(found) if found else b""
    return head + packet[12:end] + record


def main(address, file):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, 53))
        print("ready", flush=True)
        while True:
            packet, asker = server.recvfrom(512)
            with open(file, encoding="ascii") as lines:
                known = {name: where for where, name in (line.split() for line in lines)}
            server.sendto(answer(packet, known), asker)


if __name__ == "__main__":
    main(*sys.argv[1:])
