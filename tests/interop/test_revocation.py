"""Certificates of `sekisho pki` in stock clients: imported from its PKCS#12 files, revoked by its CRL over HTTP and by a
real OCSP responder, and refused under another name."""
import dataclasses

import pytest

from authority import PASSWORD, Ours
from clients import STACKS, LoginFailed, Profile, StockClient
from lab.gateway import settings
from lab.responder import Responder

WEB = "203.0.113.254"  # where revocation is asked, in the internet
OCSP_PORT = 8888


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    made = Ours(tmp_path_factory.mktemp("authority") / "pki", "Our Authority", "--key", "rsa2048")
    crl, ocsp = ("--crl-url", f"http://{WEB}/ca.crl"), ("--ocsp-url", f"http://{WEB}:{OCSP_PORT}/")
    made.issue("vpn.example.com", "server", "--key", "rsa2048")
    made.issue("alice", "client", "--key", "rsa2048", "--san", "alice@example.com", *crl, *ocsp)
    made.issue("listed", "client", "--key", "rsa2048", *crl)
    made.issue("asked", "client", "--key", "rsa2048", *ocsp)
    made.issue("unheard", "client", "--key", "rsa2048", "--ocsp-url", f"http://{WEB}:1/")
    made.pki("revoke", "listed")
    return made


@dataclasses.dataclass
class Connected:
    site: object
    client: StockClient
    ours: Ours

    def profile(self, name, **more):
        """The certificate of that name, imported when it is not there yet."""
        if name not in self.client.installed:
            self.client.install(name, self.ours.p12(name), PASSWORD, [self.ours.ca.read_text()])
        return Profile(certificate=name, **more)

    def refused(self, profile, cause, said):
        with pytest.raises(LoginFailed) as failure:
            self.client.login(profile, seconds=15)
        story = self.site.gateway.wait_explained(cause)
        self.client.logout(profile)
        assert failure.value.stage == "ipsec"
        assert said in story
        assert self.site.gateway.sessions() == []


@pytest.fixture(scope="module")
def connected(request, make_site, ours):
    site = make_site(sections=settings(**{
        "ike": {"revocation": "any", "revocation_silent": "refuse"},
        'certificate "gateway"': {"file": f'"{ours.pem("vpn.example.com")}"'},
        'authority "ours"': {"file": f'"{ours.ca}"'},
    }))
    site.world.serve_files(ours.directory, site.world.internet, WEB)
    Responder(site.world.internet, ours.directory, OCSP_PORT, {"asked"})  # ends with the world
    return Connected(site, site.add_client(STACKS[request.param], site.world.add_home()), ours)


def every_stack(test):
    return pytest.mark.parametrize("connected", [
        pytest.param(stack, marks=pytest.mark.xdist_group(f"{stack}-revocation")) for stack in STACKS
    ], indirect=True)(test)


@every_stack
def test_who_is_good_comes_in_after_the_authority_was_asked(connected):
    connected.client.login(connected.profile("alice"))
    connected.client.ping("172.16.0.10")
    story = connected.site.gateway.explain()
    connected.client.logout(connected.profile("alice"))
    assert "CN=alice" in story


@every_stack
def test_who_is_in_the_crl_is_told(connected):
    connected.refused(connected.profile("listed"), "cert-revoked", "CN=listed was revoked on")


@every_stack
def test_who_is_revoked_by_ocsp_is_told(connected):
    connected.refused(connected.profile("asked"), "cert-revoked", "CN=asked was revoked on 2026-11-01")


@every_stack
def test_a_silent_responder_is_told_where_silence_is_refused(connected):
    connected.refused(connected.profile("unheard"), "cert-revocation-unknown",
                      f"The OCSP responder at http://{WEB}:1/ does not answer.")


@pytest.mark.parametrize("connected", [
    pytest.param("libreswan", marks=pytest.mark.xdist_group("libreswan-revocation"))], indirect=True)
def test_a_name_that_is_not_in_the_certificate_is_told(connected):
    """strongSwan says the certificate's own name instead."""
    profile = connected.profile("alice", identity="@mallory.example.com")
    connected.refused(profile, "cert-name", "mallory.example.com")
