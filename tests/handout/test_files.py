"""NetworkManager's connections, ONC of ChromeOS, RouterOS and OpenWrt, each by a reader that is not ours or by its rules."""
import base64
import copy
import json
import os
import re
import shutil
import ssl
import subprocess

import pytest

from handout.readers import hostile_values, write, written
from handout.schemas import NM_GROUPS, ONC, mutations, nm_complaints, onc_complaints

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
        text = written("linux", name=value, user=value)
        assert nm_complaints(keyfile(text.decode())) == []
        found = networkmanager(text)
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


def test_its_plug_in_takes_every_key():
    for more in ({}, {"routes": ""}, {"logins": "pap,chap-md5"}, {"logins": "eap-mschapv2"}, {"psk": bytes(range(256)).hex()},
                 {"psk": "", "file": "/etc/a b.p12"}, {"psk": "", "file": "/etc/a.p12", "password": "it's \\ "}):
        assert nm_complaints(keyfile(written("linux", **more).decode())) == [], more
    text, why = write("linux", server="2001:db8::1")
    assert text is None and "IPv6" in why


def test_one_mistake_in_a_key_is_refused():
    tried = 0
    for more in ({}, {"psk": "", "file": "/etc/a.p12", "password": "p"}):
        good = keyfile(written("linux", **more).decode())
        for what, broken in mutations(NM_GROUPS, good):
            assert nm_complaints(broken), what
            tried += 1
        for group, key, value in (("vpn", "machine-auth-type", "tls" if not more else "psk"), ("vpn", "ipsec-enabled", "no"),
                                  ("vpn", "password-flags", "0"), ("vpn-secrets", "password", "p"), ("vpn", "mtu", "1400.0"),
                                  ("vpn", "gateway", "2001:db8::1"), ("vpn", "ipsec-enabled", "true")):
            broken = copy.deepcopy(good)
            broken[group][key] = value
            assert nm_complaints(broken), (group, key)
    assert tried > 100


def test_networkmanager_would_see_a_broken_one():
    text = written("linux").replace(b"uuid=", b"uuid=x").replace(b"type=vpn", b"type=")
    with pytest.raises(AssertionError):
        networkmanager(text)


# ---- ChromeOS ----


def read_onc(text):
    top = json.loads(text)
    assert onc_complaints(top) == []
    (network,) = top["NetworkConfigurations"]
    return top, network


@pytest.fixture(scope="session", name="chromebook")
def fixture_chromebook(tmp_path_factory):
    """A PKCS#12 without a password, as ONC wants it, and its authority."""
    where = tmp_path_factory.mktemp("onc")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=ca", "-keyout", where / "key", "-out", where / "ca.pem"], check=True, capture_output=True)
    return {"psk": "", "p12": "container", "ca": where / "ca.pem"}


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


def test_certificates_of_a_chromebook_are_referred_to(chromebook):
    top, network = read_onc(written("chromeos", **chromebook))
    client, authority = top["Certificates"]
    ipsec = network["VPN"]["IPsec"]
    assert ipsec["AuthenticationType"] == "Cert" and ipsec["ClientCertType"] == "Ref"
    assert ipsec["ClientCertRef"] == client["GUID"] and ipsec["ServerCARefs"] == [authority["GUID"]]
    assert base64.b64decode(client["PKCS12"]) == b"container"
    assert ssl.PEM_cert_to_DER_cert(authority["X509"]) == ssl.PEM_cert_to_DER_cert(chromebook["ca"].read_text())


def test_what_a_chromebook_would_not_import_is_refused(chromebook):
    for more, why in (({"ca": None}, "--authorities"), ({"password": "p"}, "without a password")):
        values = {key: value for key, value in {**chromebook, **more}.items() if value is not None}
        text, said = write("chromeos", **values)
        assert text is None and why in said, said


def test_one_mistake_in_a_network_is_refused(chromebook):
    tried = 0
    for more in ({}, chromebook):
        for what, broken in mutations(ONC, json.loads(written("chromeos", **more))):
            assert onc_complaints(broken), what
            tried += 1
    assert tried > 200


def test_a_network_that_contradicts_itself_is_refused(chromebook):
    def ipsec(top):
        return top["NetworkConfigurations"][0]["VPN"]["IPsec"]

    by_key, by_certificate = (json.loads(written("chromeos", **more)) for more in ({}, chromebook))
    mistakes = [(by_key, lambda top: ipsec(top).pop("PSK")),
                (by_key, lambda top: ipsec(top).update(AuthenticationType="Cert")),
                (by_key, lambda top: ipsec(top).update(AuthenticationType="EAP")),
                (by_key, lambda top: ipsec(top).update(IKEVersion=2)),
                (by_key, lambda top: ipsec(top).update(XAUTH={"Username": "a"})),
                (by_key, lambda top: ipsec(top).update(ServerCARefs=["a"])),
                (by_key, lambda top: top["NetworkConfigurations"][0]["VPN"].update(Type="IPsec")),
                (by_key, lambda top: top["NetworkConfigurations"][0]["VPN"]["L2TP"].update(Username="${LOGIN_ID}")),
                (by_key, lambda top: top["NetworkConfigurations"].append(top["NetworkConfigurations"][0])),
                (by_key, lambda top: top["NetworkConfigurations"].clear()),
                (by_certificate, lambda top: ipsec(top).pop("ServerCARefs")),
                (by_certificate, lambda top: ipsec(top).update(ServerCARefs=[])),
                (by_certificate, lambda top: ipsec(top).update(ServerCARef=ipsec(top)["ServerCARefs"][0])),
                (by_certificate, lambda top: ipsec(top).update(ServerCARefs=[ipsec(top)["ClientCertRef"]])),
                (by_certificate, lambda top: ipsec(top).update(ClientCertRef=ipsec(top)["ServerCARefs"][0])),
                (by_certificate, lambda top: ipsec(top).update(ClientCertType="Pattern")),
                (by_certificate, lambda top: ipsec(top).update(PSK="x")),
                (by_certificate, lambda top: top.pop("Certificates")),
                (by_certificate, lambda top: top["Certificates"][0].update(PKCS12="no base64!")),
                (by_certificate, lambda top: top["Certificates"][0].update(Type="Authority")),
                (by_certificate, lambda top: top["Certificates"][1].update(X509="QUJD")),
                (by_certificate, lambda top: top["Certificates"][1].update(GUID=top["Certificates"][0]["GUID"]))]
    for i, (good, spoil) in enumerate(mistakes):
        broken = copy.deepcopy(good)
        spoil(broken)
        assert onc_complaints(good) == [] and onc_complaints(broken), i


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
