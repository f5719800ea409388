"""Whole systems: TCP from client to office and back, through our gateway, wireguard-go and OpenVPN in user space.

All tunnels are up at once in one place; the office has an address for each, and routes choose. Everything shares the
machine's cores: client, gateway, and both ends of iperf3.
"""
import json
import subprocess

from lab.client import Client
from lab.shell import run, wait_for
from rig.place import CLIENT, PASSWORD, PSK, SERVER, USER, Place
from rig.report import heading, line

SECONDS = 3
OURS, WIREGUARD, OPENVPN, NOTHING = "172.16.0.10", "172.16.0.11", "172.16.0.12", "172.16.0.13"
NAMES = {OURS: "sekisho, AES-CBC-256 with SHA-1", WIREGUARD: "wireguard-go", OPENVPN: "OpenVPN, AES-256-GCM",
         NOTHING: "no tunnel"}
TARGET = 5
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def start_ours(place):
    place.start_gateway(alone=False)
    return Client(place.client, place.directory / "ours", USER, PASSWORD, PSK, "--encap", "force", "--route",
                  OURS + "/32", "--esp", "aes256-sha1", server=SERVER)


def start_wireguard(place):
    """A key pair each; the interfaces' names are the machine's, not the namespace's, so they hold ours."""
    ends = {"client": (place.client, "10.9.1.2"), "gateway": (place.middle, "10.9.1.1")}
    keys = {}
    for end in ends:
        private = run("wg", "genkey")
        keys[end] = (place.secret_file(f"wg-{end}", private), run("wg", "pubkey", stdin=private).strip())
    for (end, (namespace, address)), other in zip(ends.items(), ("gateway", "client")):
        device = f"skbench-{end[0]}"
        namespace.start("env", "WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1", "wireguard-go", "-f", device, **QUIET)
        wait_for(f"{device} is there", lambda: device in namespace.run("wg", "show", "interfaces", check=False))
        peer = ["peer", keys[other][1], "allowed-ips", "0.0.0.0/0"]
        if end == "client":
            peer += ["endpoint", f"{SERVER}:51820"]
        namespace.run("wg", "set", device, "listen-port", 51820, "private-key", keys[end][0], *peer)
        namespace.address(device, address + "/24")
        namespace.run("ip", "link", "set", device, "mtu", 1420)
    place.client.run("ip", "route", "add", WIREGUARD, "dev", "skbench-c")


def certificate(place, end):
    key, cert = place.directory / f"ovpn-{end}.key", place.directory / f"ovpn-{end}.crt"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
        "-subj", f"/CN={end}", "-keyout", key, "-out", cert)
    fingerprint = run("openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256")
    return key, cert, fingerprint.split("=")[1].strip()


def start_openvpn(place):
    ends = {"client": (place.client, "10.9.2.2", "10.9.2.1", "--tls-client", SERVER),
            "gateway": (place.middle, "10.9.2.1", "10.9.2.2", "--tls-server", CLIENT)}
    made = {end: certificate(place, end) for end in ends}
    for (end, (namespace, local, remote, role, peer)), other in zip(ends.items(), ("gateway", "client")):
        key, cert, _ = made[end]
        namespace.start("openvpn", "--dev", "ovpn0", "--dev-type", "tun", "--ifconfig", local, remote, "--remote", peer,
                        "--port", 1194, "--proto", "udp", role, "--dh", "none", "--key", key, "--cert", cert,
                        "--peer-fingerprint", made[other][2], "--data-ciphers", "AES-256-GCM", "--disable-dco", **QUIET)
    wait_for("OpenVPN is connected",
             lambda: "1 received" in place.client.run("ping", "-c1", "-W1", "10.9.2.1", check=False), 20)
    place.client.run("ip", "route", "add", OPENVPN, "dev", "ovpn0")


def speed(place, address, *options):
    said = place.client.run("iperf3", "-c", address, "-t", SECONDS, "-O", 0.5, "-C", "cubic", "-J", *options)
    return json.loads(said)["end"]["sum_received"]["bits_per_second"] / 1e9


def benchmark(rounds):
    heading(f"Whole systems: TCP, one stream, {SECONDS} s each")
    results = {address: {"to the office": [], "from the office": []} for address in NAMES}
    with Place() as place:
        place.office.address("lan", *(address + "/16" for address in (WIREGUARD, OPENVPN, NOTHING)))
        place.client.run("ip", "route", "add", NOTHING, "via", SERVER)
        start_ours(place)
        start_wireguard(place)
        start_openvpn(place)
        place.office.start("iperf3", "-s", **QUIET)
        wait_for("iperf3 listens", lambda: ":5201 " in place.office.run("ss", "-ltn"))
        for _ in range(rounds):
            for address, found in results.items():
                found["to the office"].append(speed(place, address))
                found["from the office"].append(speed(place, address, "-R"))
    for way in ("to the office", "from the office"):
        for address, name in NAMES.items():
            line(f"{name}, {way}: Gb/s", results[address][way])
        for address in (WIREGUARD, OPENVPN):
            ratios = [a / b for a, b in zip(results[OURS][way], results[address][way])]
            line(f"ours to {NAMES[address]}, {way}", ratios, TARGET)
