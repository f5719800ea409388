"""Configuration profiles as property lists, and against Apple's reference of payloads."""
import plistlib
import subprocess

import pytest

from handout.readers import REFUSED, hostile_values, write, written

# The keys of each payload that we write: their types, and whether they must be there.
COMMON = {"PayloadType": (str, True), "PayloadVersion": (int, True), "PayloadIdentifier": (str, True),
          "PayloadUUID": (str, True), "PayloadDisplayName": (str, True)}
PAYLOADS = {
    "Configuration": {**COMMON, "PayloadDescription": (str, False), "PayloadContent": (list, True)},
    "com.apple.vpn.managed": {**COMMON, "UserDefinedName": (str, True), "VPNType": (str, True), "PPP": (dict, True),
                              "IPSec": (dict, True), "IPv4": (dict, True)},
    "com.apple.security.pkcs12": {**COMMON, "PayloadContent": (bytes, True), "Password": (str, False)},
    "com.apple.security.root": {**COMMON, "PayloadContent": (bytes, True)},
}
PPP = {"CommRemoteAddress": (str, True), "AuthName": (str, True)}
IPSEC = {"AuthenticationMethod": (str, True), "SharedSecret": (bytes, False), "PayloadCertificateUUID": (str, False)}


def check_keys(table, found):
    assert set(found) <= set(table), set(found) - set(table)
    for key, (kind, needed) in table.items():
        assert key in found or not needed, key
        assert key not in found or isinstance(found[key], kind), key


def payloads(profile):
    check_keys(PAYLOADS[profile["PayloadType"]], profile)
    seen = {profile["PayloadUUID"]}
    for payload in profile["PayloadContent"]:
        check_keys(PAYLOADS[payload["PayloadType"]], payload)
        assert payload["PayloadUUID"] not in seen
        assert payload["PayloadIdentifier"].startswith("sekisho.")
        seen.add(payload["PayloadUUID"])
    return {payload["PayloadType"]: payload for payload in profile["PayloadContent"]}


@pytest.mark.parametrize("device", ["macos", "ios"])
def test_every_value_comes_back_the_same(device):
    for value in hostile_values(1, 60):
        vpn = payloads(plistlib.loads(written(device, name=value, user=value)))["com.apple.vpn.managed"]
        check_keys(PPP, vpn["PPP"])
        check_keys(IPSEC, vpn["IPSec"])
        assert vpn["UserDefinedName"] == vpn["PayloadDisplayName"] == value
        assert vpn["PPP"]["AuthName"] == value
        assert vpn["PPP"]["CommRemoteAddress"] == "vpn.example.net"
        assert vpn["VPNType"] == "L2TP"
        assert vpn["IPSec"] == {"AuthenticationMethod": "SharedSecret", "SharedSecret": b"secret"}


def test_any_bytes_can_be_the_key():
    for key in (b"\x01\xff\x00\n", bytes(range(256)), "鍵".encode()):
        vpn = payloads(plistlib.loads(written("ios", psk=key.hex())))["com.apple.vpn.managed"]
        assert vpn["IPSec"]["SharedSecret"] == key


def test_what_no_profile_can_carry_is_refused():
    for value in REFUSED:
        assert write("ios", user=value)[0] is None
        assert write("ios", name=value)[0] is None


def test_only_routes_or_all():
    assert plistlib.loads(written("ios"))["PayloadContent"][0]["IPv4"] == {"OverridePrimary": 0}
    assert plistlib.loads(written("ios", routes=""))["PayloadContent"][0]["IPv4"] == {"OverridePrimary": 1}


def test_certificates_are_payloads_that_the_vpn_names(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=ca", "-keyout", tmp_path / "key", "-out", tmp_path / "ca.pem"], check=True, capture_output=True)
    der = subprocess.run(["openssl", "x509", "-in", tmp_path / "ca.pem", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    found = payloads(plistlib.loads(written("ios", psk="", p12="container", password="p'<&>", ca=tmp_path / "ca.pem")))
    identity = found["com.apple.security.pkcs12"]
    assert identity["PayloadContent"] == b"container" and identity["Password"] == "p'<&>"
    assert found["com.apple.security.root"]["PayloadContent"] == der
    assert found["com.apple.vpn.managed"]["IPSec"] == {"AuthenticationMethod": "Certificate",
                                                       "PayloadCertificateUUID": identity["PayloadUUID"]}


def test_another_reader_of_property_lists_agrees(tmp_path):
    for value in hostile_values(2, 10):
        text = written("macos", name=value, user=value)
        (tmp_path / "in").write_bytes(text)
        subprocess.run(["plistutil", "-i", tmp_path / "in", "-o", tmp_path / "out"], check=True)
        assert plistlib.loads((tmp_path / "out").read_bytes()) == plistlib.loads(text)


def test_the_same_connection_keeps_its_identifiers():
    one, two = (plistlib.loads(written("ios", psk=key)) for key in ("6161", "6262"))
    assert one["PayloadUUID"] == two["PayloadUUID"]
    assert one["PayloadUUID"] != plistlib.loads(written("ios", user="bob"))["PayloadUUID"]
