"""NetworkManager's connections, ONC of ChromeOS, RouterOS and OpenWrt, each by a reader that is not ours or by its rules."""
import base64
import json
import os
import re
import shutil
import subprocess

import pytest

from handout.readers import hostile_values, write, written

# ---- NetworkManager ----


def keyfile(text):
    """{group: {key: value}} of what NetworkManager wrote; values by the rules of GLib's key files."""
    found, group = {}, None
    for line in text.splitlines():
        if line.startswith("["):
            group = found.setdefault(line[1:-1], {})
        elif "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            escapes = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
            group[key] = re.sub(r"\\(.)", lambda m: escapes[m[1]], value)
    return found


def networkmanager(text):
    """The connection as NetworkManager's own library reads it and writes it again."""
    done = subprocess.run(["nmcli", "--offline", "connection", "modify", "connection.autoconnect", "no"], input=text,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return keyfile(done.stdout.decode())


def test_networkmanager_reads_every_value():
    for value in hostile_values(6, 40):
        found = networkmanager(written("linux", name=value, user=value))
        assert found["connection"]["id"] == value
        assert found["vpn"]["user"] == value


def test_networkmanager_reads_what_the_connection_is_like():
    found = networkmanager(written("linux"))
    assert found["connection"]["type"] == "vpn"
    assert found["vpn"]["service-type"] == "org.freedesktop.NetworkManager.l2tp"
    assert found["vpn"]["gateway"] == "vpn.example.net" and found["vpn"]["ipsec-enabled"] == "yes"
    assert found["vpn-secrets"] == {"ipsec-psk": "0s" + base64.b64encode(b"secret").decode()}
    assert found["ipv4"]["never-default"] == "true" and found["ipv4"]["route1"] == "10.0.0.0/8"
    assert found["ipv4"]["route2"] == "192.168.7.0/24" and found["ipv4"]["dns-search"] == "corp.example;lab.example;"
    assert found["ipv6"] == {"addr-gen-mode": "default", "method": "disabled"} or found["ipv6"] == {"method": "disabled"}
    assert "never-default" not in networkmanager(written("linux", routes=""))["ipv4"]
    found = networkmanager(written("linux", psk="", file="/etc/sekisho/client/a b.p12", password="it's \\"))
    assert found["vpn"]["machine-cert"] == "/etc/sekisho/client/a b.p12"
    assert found["vpn-secrets"] == {"machine-certpass": "it's \\"}


def test_networkmanager_would_see_a_broken_one():
    text = written("linux").replace(b"uuid=", b"uuid=x").replace(b"type=vpn", b"type=")
    with pytest.raises(AssertionError):
        networkmanager(text)


# ---- ChromeOS ----

# From the ONC specification: the fields that we write, with their types, and whether they must be there.
ONC = {
    "top": {"Type": (str, True), "NetworkConfigurations": (list, True), "Certificates": (list, False)},
    "network": {"GUID": (str, True), "Name": (str, True), "Type": (str, True), "VPN": (dict, True)},
    "VPN": {"Type": (str, True), "Host": (str, True), "IPsec": (dict, True), "L2TP": (dict, True)},
    "IPsec": {"AuthenticationType": (str, True), "IKEVersion": (int, True), "PSK": (str, False),
              "SaveCredentials": (bool, False), "ClientCertType": (str, False), "ClientCertRef": (str, False),
              "ServerCARefs": (list, False)},
    "L2TP": {"Username": (str, False), "SaveCredentials": (bool, False)},
    "certificate": {"GUID": (str, True), "Type": (str, True), "PKCS12": (str, False), "X509": (str, False)},
}


def check_onc(kind, found):
    assert set(found) <= set(ONC[kind]), (kind, found)
    for key, (want, needed) in ONC[kind].items():
        assert key in found or not needed, (kind, key)
        assert key not in found or isinstance(found[key], want), (kind, key)


def read_onc(text):
    top = json.loads(text)
    check_onc("top", top)
    assert top["Type"] == "UnencryptedConfiguration"
    (network,) = top["NetworkConfigurations"]
    check_onc("network", network)
    for kind in ("VPN", "IPsec", "L2TP"):
        check_onc(kind, network["VPN"] if kind == "VPN" else network["VPN"][kind])
    for certificate in top.get("Certificates", []):
        check_onc("certificate", certificate)
    return top, network


def test_a_chromebook_reads_every_value():
    for value in hostile_values(7, 60):
        text, why = write("chromeos", name=value, user=value)
        if "${" in value:
            assert text is None and "variable" in why
            continue
        _, network = read_onc(text)
        assert network["Name"] == network["VPN"]["L2TP"]["Username"] == value
        key, _ = write("chromeos", psk=value.encode().hex())
        assert (key is None) == (not value.isascii())
        assert key is None or read_onc(key)[1]["VPN"]["IPsec"]["PSK"] == value


def test_certificates_of_a_chromebook_are_referred_to(tmp_path):
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nQUJD\nREVG\n-----END CERTIFICATE-----\n")
    top, network = read_onc(written("chromeos", psk="", p12="container", ca=tmp_path / "ca.pem"))
    client, authority = top["Certificates"]
    ipsec = network["VPN"]["IPsec"]
    assert ipsec["AuthenticationType"] == "Cert" and ipsec["ClientCertType"] == "Ref"
    assert ipsec["ClientCertRef"] == client["GUID"] and ipsec["ServerCARefs"] == [authority["GUID"]]
    assert base64.b64decode(client["PKCS12"]) == b"container" and authority["X509"] == "QUJDREVG"


# ---- RouterOS ----


def routeros(text):
    """[(words, {name: value})] of each command line, by the rules of its quoted strings."""
    found = []
    for line in text.decode().splitlines():
        if line.startswith("#"):
            continue
        values = {}

        def unquote(match):
            raw = re.sub(rb"\\([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), match[2].encode())
            assert not re.search(r'[$`"\\;\[\]{}?]', re.sub(r"\\[0-9A-F]{2}", "", match[2])), line
            values[match[1]] = raw.decode()
            return match[1]

        rest = re.sub(r'([\w-]+)="([^"]*)"', unquote, line)
        assert re.fullmatch(r"/[\w ./=,\[\]-]+", rest), rest
        found.append((rest, values))
    return found


def test_routeros_reads_every_value():
    for value in hostile_values(8, 100):
        lines = routeros(written("routeros", name=value, user=value))
        add = next(values for words, values in lines if words.startswith("/interface l2tp-client add"))
        assert add["name"] == add["user"] == value and add["connect-to"] == "vpn.example.net"
        assert add["ipsec-secret"] == "secret"
        routes = [(words, values) for words, values in lines if words.startswith("/ip route add")]
        assert [values["gateway"] for _, values in routes] == [value, value]


# ---- OpenWrt ----

RECORD = """#!/bin/sh
printf '%s\\0' "${0##*/}" "$@" >>"$RECORD"; printf '\\n\\0' >>"$RECORD"
"""
INSIDE = """
mount -t tmpfs none /etc
mkdir /etc/init.d
cp "$STUBS/uci" /etc/init.d/ipsec
cp "$STUBS/uci" /etc/init.d/network
sh "$SCRIPT" && sh "$SCRIPT" || exit 1
cp -pr /etc/ipsec.conf /etc/ipsec.secrets /etc/ipsec.d "$OUT"
"""


def openwrt(tmp_path, script):
    """Runs it twice, with recorders in the place of what a router has. Returns the commands of one run."""
    for part in ("stubs", "out"):
        shutil.rmtree(tmp_path / part, ignore_errors=True)
        (tmp_path / part).mkdir()
    for name in ("uci", "opkg"):
        (tmp_path / "stubs" / name).write_text(RECORD)
        (tmp_path / "stubs" / name).chmod(0o755)
    (tmp_path / "record").unlink(missing_ok=True)
    (tmp_path / "script").write_bytes(script)
    env = {**os.environ, "STUBS": str(tmp_path / "stubs"), "RECORD": str(tmp_path / "record"), "OUT": str(tmp_path / "out"),
           "SCRIPT": str(tmp_path / "script"), "PATH": f"{tmp_path}/stubs:{os.environ['PATH']}"}
    subprocess.run(["unshare", "-m", "sh", "-c", INSIDE], env=env, check=True)
    calls = (tmp_path / "record").read_bytes().decode().split("\0\n\0")[:-1]
    calls = [call.split("\0") for call in calls]
    assert calls[: len(calls) // 2] == calls[len(calls) // 2 :]
    return calls[: len(calls) // 2]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a mount of its own")
def test_a_shell_runs_openwrts_script_as_it_should(tmp_path):
    for value in hostile_values(9, 15):
        calls = openwrt(tmp_path, written("openwrt", user=value, psk=value.encode().hex()))
        assert ["uci", "set", f"network.sekisho.username={value}"] in calls
        assert ["uci", "set", "network.sekisho.server=vpn.example.net"] in calls
        assert ["uci", "set", "network.sekisho_route1.target=192.168.7.0/24"] in calls
        assert ["uci", "commit", "network"] in calls and ["ipsec", "restart"] in calls
        secrets = tmp_path / "out/ipsec.d/sekisho.secrets"
        assert secrets.read_text() == f"%any vpn.example.net : PSK 0s{base64.b64encode(value.encode()).decode()}\n"
        assert secrets.stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "out/ipsec.conf").read_text() == "include /etc/ipsec.d/sekisho.conf\n"
        assert (tmp_path / "out/ipsec.secrets").read_text() == "include /etc/ipsec.d/sekisho.secrets\n"
        assert not (tmp_path / "x").exists()
