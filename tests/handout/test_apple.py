"""Configuration profiles as property lists, held against Apple's schema of payloads."""
import copy
import plistlib
import subprocess

import pytest

from handout.readers import REFUSED, hostile_values, write, written
from handout.schemas import APPLE, apple_complaints, mutations


def payloads(profile):
    assert apple_complaints(profile) == []
    assert all(payload["PayloadIdentifier"].startswith("sekisho.") for payload in [profile, *profile["PayloadContent"]])
    return {payload["PayloadType"]: payload for payload in profile["PayloadContent"]}


@pytest.fixture(scope="session", name="ca")
def fixture_ca(tmp_path_factory):
    """An authority in PEM."""
    where = tmp_path_factory.mktemp("ca")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=ca", "-keyout", where / "key", "-out", where / "ca.pem"], check=True, capture_output=True)
    return where / "ca.pem"


@pytest.mark.parametrize("device", ["macos", "ios"])
def test_every_value_comes_back_the_same(device):
    for value in hostile_values(1, 60):
        vpn = payloads(plistlib.loads(written(device, name=value, user=value)))["com.apple.vpn.managed"]
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


def test_certificates_are_payloads_that_the_vpn_names(ca):
    der = subprocess.run(["openssl", "x509", "-in", ca, "-outform", "DER"], check=True, capture_output=True).stdout
    found = payloads(plistlib.loads(written("ios", psk="", p12="container", password="p'<&>", ca=ca)))
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


# ---- the check itself ----

def test_one_mistake_anywhere_is_refused(ca):
    good = [plistlib.loads(written("ios")), plistlib.loads(written("macos", psk="", p12="x", password="p", ca=ca))]
    tried = 0
    for profile in good:
        for what, broken in mutations(APPLE, profile):
            assert apple_complaints(broken), what
            tried += 1
    assert tried > 300


def test_what_contradicts_itself_is_refused(ca):
    by_key = plistlib.loads(written("ios"))
    by_certificate = plistlib.loads(written("ios", psk="", p12="x", ca=ca))
    places = [(by_key, 0, lambda vpn, _: vpn["IPSec"].update(AuthenticationMethod="Certificate")),
              (by_key, 0, lambda vpn, _: vpn["IPSec"].pop("SharedSecret")),
              (by_key, 0, lambda vpn, _: vpn["IPSec"].update(XAuthEnabled=1)),
              (by_key, 0, lambda vpn, _: vpn["PPP"].pop("AuthName")),
              (by_key, 0, lambda vpn, _: vpn.pop("PPP")),
              (by_key, 0, lambda vpn, _: vpn["IPv4"].update(OverridePrimary=True)),
              (by_key, 0, lambda vpn, profile: vpn.update(PayloadUUID=profile["PayloadUUID"])),
              (by_key, 0, lambda vpn, profile: vpn.update(PayloadIdentifier=profile["PayloadIdentifier"])),
              (by_key, 0, lambda _, profile: profile["PayloadContent"].clear()),
              (by_certificate, 0, lambda vpn, _: vpn["IPSec"].update(SharedSecret=b"x")),
              (by_certificate, 0, lambda vpn, profile: vpn["IPSec"].update(PayloadCertificateUUID=profile["PayloadUUID"])),
              (by_certificate, 1, lambda identity, _: identity.update(PayloadType="com.apple.security.root")),
              (by_certificate, 2, lambda root, _: root.update(Password="x"))]
    for i, (profile, n, spoil) in enumerate(places):
        broken = copy.deepcopy(profile)
        spoil(broken["PayloadContent"][n], broken)
        assert apple_complaints(profile) == [] and apple_complaints(broken), i
