"""pppd's EAP against our gateway: MS-CHAPv2, MD5 and TLS 1.2, which is all that Debian 12's pppd 2.4.9 can.

It knows no token cards (GTC). With TLS 1.3 it predates RFC 9190: it takes the server's last word, one byte of data, for
the handshake's going on, and then no Success any more. Its default is 1.2.
"""
import json
import subprocess

import pytest

from clients import USER, LoginFailed, Profile, StrongSwan
from lab.gateway import settings

NO_CHAP = ("refuse-pap", "refuse-chap", "refuse-mschap", "refuse-mschap-v2")
pytestmark = pytest.mark.xdist_group("eap")


def certificates(directory):
    """An authority, the gateway's certificate and the user's, as PEM files with their keys beside them."""
    directory.mkdir(parents=True, exist_ok=True)

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
            "-subj", "/CN=Test CA")
    for name, subject, usage in (("server", "vpn.example.org", "serverAuth"), ("user", USER, "clientAuth")):
        (directory / "usage").write_text(f"extendedKeyUsage={usage}\nsubjectAltName=DNS:{subject}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                f"/CN={subject}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                "30", "-extfile", "usage", "-out", f"{name}.pem")
    (directory / "server.key").chmod(0o600)
    return directory


class Eap:
    def __init__(self, make_site, directory):
        self.files = certificates(directory)
        self.site = make_site(sections=settings(**{
            "ppp": {"auth": '{"eap-tls", "eap-mschapv2", "eap-md5", "mschapv2"}'},
            'certificate "own"': {"file": f'"{self.files}/server.pem"', "key_file": f'"{self.files}/server.key"'},
            'authority "own"': {"file": f'"{self.files}/ca.pem"'}}))
        self.client = self.site.add_client(StrongSwan, None)
        for name in ("ca.pem", "user.pem", "user.key"):
            self.client.guest.write(f"/etc/ppp/{name}", (self.files / name).read_text())

    def only(self, *methods):
        """The gateway takes these, from now on."""
        listed = ", ".join(f'"{method}"' for method in methods)
        self.site.gateway.write_config(ppp={"auth": "{" + listed + "}"})
        self.site.gateway.reload()

    def login(self, *ppp, **more):
        profile = Profile(ppp=ppp, **more)
        try:
            self.client.login(profile)
            sessions = json.loads(self.site.gateway.ask("--json", "session", "list"))["sessions"]
            self.client.ping("172.16.0.10")
        finally:
            self.client.logout(profile)
        return sessions[-1]["auth"]


@pytest.fixture(scope="module")
def eap(make_site, tmp_path_factory):
    return Eap(make_site, tmp_path_factory.mktemp("certificates"))


def test_mschapv2_inside_eap(eap):
    eap.only("eap-mschapv2")
    assert eap.login(*NO_CHAP) == "eap-mschapv2"


def test_a_wrong_password_inside_eap_is_refused(eap):
    eap.only("eap-mschapv2")
    with pytest.raises(LoginFailed) as failure:
        eap.login(*NO_CHAP, password="a-bad-guess")
    assert failure.value.stage == "ppp"
    eap.site.gateway.wait_explained("wrong-password")


def test_md5_inside_eap(eap):
    eap.only("eap-md5")
    assert eap.login(*NO_CHAP) == "eap-md5"


def test_certificates(eap):
    eap.only("eap-tls")
    assert eap.login(*NO_CHAP, "cert /etc/ppp/user.pem", "key /etc/ppp/user.key", "ca /etc/ppp/ca.pem") == "eap-tls"


def test_a_nak_leads_from_one_method_to_the_next(eap):
    """Without certificates of its own pppd wants none of TLS; the gateway goes on to what comes next."""
    eap.only("eap-tls", "eap-mschapv2", "mschapv2")
    assert eap.login(*NO_CHAP) == "eap-mschapv2"


def test_a_client_that_refuses_eap_gets_in_by_mschapv2(eap):
    eap.only("eap-tls", "eap-mschapv2", "mschapv2")
    assert eap.login("refuse-eap") == "mschapv2"
