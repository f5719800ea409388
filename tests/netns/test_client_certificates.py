"""Certificates as docs/certificates.md has them, from `sekisho pki` to `sekisho connect`; EAP-TLS; and each refusal with
its sentence and status."""
import pathlib
import shutil

import pytest

from lab.gateway import SEKISHO, SENTENCES, settings
from lab.packets import Sniffer, is_udp
from lab.papers import Authority, bundle
from lab.responder import Responder
from lab.shell import run, stop, wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_NET

from netns.conftest import PSK, USERS
from netns.test_client_engine import Engine, profile
from lab.host import Host

SERVER = "vpn.example.com"
PKI_HOST = "203.0.113.200"
OCSP_PORT = 8888
NEXT_PAYLOAD_AT = 20 + 8 + 4 + 16  # behind IP, UDP, the marker of IKE on port 4500, and both cookies
FRAGMENT = 132


class Papers:
    """An authority that `sekisho pki` keeps; what it issues is exported as PEM."""

    def __init__(self, directory, key="p256", title="Example VPN", *options):
        self.directory = directory
        self.key = key
        self.ask("init", title, "--key", key, *options)
        self.ca, self.crl = directory / "ca.pem", directory / "ca.crl"

    def ask(self, *words):
        return run(SEKISHO, "pki", *words, "--directory", self.directory)

    def issue(self, name, role="client", *options):
        self.ask("issue", name, "--for", role, "--key", self.key, *options)
        out = self.directory / f"{name}.all.pem"
        self.ask("export", name, "--pem", out)
        return out

    def expired(self, name, usage):
        """It makes none itself."""
        other = Authority(self.directory / "past", "ecdsa256")
        for made, file in (("pem", self.ca), ("key", self.directory / "private/ca.key")):
            shutil.copy(file, f"{other.path}.{made}")
        path = other.issue(name, "ecdsa256", usage, start=-20, days=10)
        out = self.directory / f"{name}.old.pem"
        out.write_text(pathlib.Path(f"{path}.pem").read_text() + pathlib.Path(f"{path}.key").read_text())
        out.chmod(0o600)
        return out


class Office:
    """A gateway with certificates, and a host that connects to it by the command."""

    def __init__(self, make_site, directory, key="p256", *options):
        self.papers = Papers(directory / "pki", key, "Example VPN", *options)
        self.server = self.papers.issue(SERVER, "server", "--san", f"{SERVER},{INTERNET_GATEWAY}")
        self.laptop = self.papers.issue("alice-laptop")
        self.site = make_site(settings(**{
            'certificate "gateway"': {"file": f'"{self.server}"'},
            'authority "ours"': {"file": f'"{self.papers.ca}"', "crl_file": f'"{self.papers.crl}"'}}))
        self.host = Host(self.site.computer(), directory, PSK, USERS["alice"])

    def serve(self, file):
        self.site.gateway.write_config(**{'certificate "gateway"': {"file": f'"{file}"'}})
        self.site.gateway.reload()

    def connect(self, certificate=None, authorities=None, *more):
        """Status, and what was said."""
        status, out, err = self.host.sekisho(
            "connect", INTERNET_GATEWAY, "--user", "alice", "--password-file", self.host.password,
            "--certificate", certificate or self.laptop, "--authorities", authorities or self.papers.ca, "--dns", "off",
            "--routes", OFFICE_NET, "--set", "run.user=nobody", "--name", "office", *more)
        return status, out + err

    def close(self):
        self.host.close("office")


@pytest.fixture
def open_office(make_site, tmp_path):
    made = []

    def begin(*options):
        made.append(Office(make_site, tmp_path, *options))
        return made[-1]

    yield begin
    for office in made:
        office.close()


@pytest.mark.parametrize("key", ["rsa2048", "p256"])
def test_what_the_page_says_connects(open_office, key):
    office = open_office(key)
    p12 = office.host.directory / "alice-laptop.p12"
    password = office.papers.ask("export", "alice-laptop", "--p12", p12, "--generate").split("Password: ")[1].split()[0]
    given = ("--set", f"certificate.password_file={office.host.secret('p12-password', password)}")
    for certificate, more in ((office.laptop, ()), (p12, given)):
        before = office.host.state()
        status, said = office.connect(certificate, None, *more)
        assert status == 0, said
        assert SERVER in office.host.link()["server_identity"]
        assert office.host.reaches("172.16.0.10")
        assert "alice-laptop" in office.site.gateway.explain("alice")
        assert office.host.sekisho("disconnect", "office")[0] == 0
        assert office.host.state() == before


def test_long_chains_go_in_fragments(make_site, tmp_path):
    """RSA of 4096 bits with an authority between, at both ends."""
    root = Authority(tmp_path / "root", "rsa4096", name="Example Root")
    middle = Authority(tmp_path / "middle", "rsa4096", parent=root, name="Example Authority")
    server = bundle(middle.issue(SERVER, "rsa4096", "serverAuth"), middle)
    laptop = bundle(middle.issue("alice-laptop", "rsa4096"), middle)
    site = make_site(settings(**{'certificate "gateway"': {"file": f'"{server}"'},
                                 'authority "root"': {"file": f'"{root.certificate}"'}}))
    host = Host(site.computer(site.world.add_home()), tmp_path, PSK, USERS["alice"])
    sniffer = Sniffer(site.world.gateway, "wan")
    try:
        status, out, err = host.sekisho(
            "connect", INTERNET_GATEWAY, "--user", "alice", "--password-file", host.password, "--certificate", laptop,
            "--authorities", root.certificate, "--set", f"certificate.server_identity={SERVER}", "--dns", "off",
            "--routes", OFFICE_NET, "--set", "run.user=nobody", "--name", "office")
        assert status == 0, out + err
        assert host.reaches("172.16.0.10")
        pieces = [packet for packet in sniffer.stop() if is_udp(packet, 4500) and packet[NEXT_PAYLOAD_AT] == FRAGMENT]
        assert len({packet[12:16] for packet in pieces}) == 2, "fragments came from one side only"
    finally:
        host.close("office")


def test_a_server_that_does_not_prove_itself_is_refused(open_office, tmp_path):
    office = open_office()
    stranger = Papers(tmp_path / "stranger", "p256", "Example Stranger")
    before = office.host.state()

    def refused(cause, *how):
        status, said = office.connect(*how)
        assert (status, SENTENCES[cause] in said) == (14, True), said
        wait_for("the host is as it was", lambda: office.host.state() == before, 5)

    refused("cert-name", None, None, "--set", "certificate.server_identity=other.example.com")
    refused("cert-unknown-ca", None, stranger.ca)
    office.serve(office.papers.issue("elsewhere.example.com", "server"))
    refused("cert-name")
    office.serve(office.papers.expired(SERVER, "serverAuth"))
    refused("cert-expired", None, None, "--set", f"certificate.server_identity={SERVER}")
    office.serve(office.server)
    status, said = office.connect()
    assert status == 0, said


def test_a_server_whose_certificate_was_revoked_is_refused(open_office):
    office = open_office("p256", "--crl-url", f"http://{PKI_HOST}/ca.crl")
    web = office.site.world.namespace("pki")
    web.cable("eth", office.site.world.internet, "pki", other_bridge="net")
    web.address("eth", f"{PKI_HOST}/24")
    public = office.host.directory / "public"
    public.mkdir()
    shutil.copy(office.papers.crl, public)
    office.site.world.serve_files(public, web, PKI_HOST)
    status, said = office.connect(None, None, "--set", "certificate.revocation=refuse")
    assert status == 0, said
    assert office.host.sekisho("disconnect", "office")[0] == 0
    office.papers.ask("revoke", SERVER)
    shutil.copy(office.papers.crl, public)
    status, said = office.connect()
    assert (status, SENTENCES["cert-revoked"] in said) == (14, True), said


def test_a_server_that_the_responder_calls_revoked_is_refused(open_office):
    office = open_office("p256", "--ocsp-url", f"http://{PKI_HOST}:{OCSP_PORT}/")
    web = office.site.world.namespace("pki")
    web.cable("eth", office.site.world.internet, "pki", other_bridge="net")
    web.address("eth", f"{PKI_HOST}/24")
    strict = (None, None, "--set", "certificate.revocation=refuse")
    status, said = office.connect(*strict)
    assert (status, SENTENCES["cert-revocation-unknown"] in said) == (14, True), said
    with Responder(web, office.papers.directory, OCSP_PORT):
        status, said = office.connect(*strict)
        assert status == 0, said
        assert office.host.sekisho("disconnect", "office")[0] == 0
    with Responder(web, office.papers.directory, OCSP_PORT, {SERVER}):
        status, said = office.connect(*strict)
        assert (status, SENTENCES["cert-revoked"] in said) == (14, True), said


def test_a_device_that_the_gateway_does_not_take_is_told(open_office, tmp_path):
    office = open_office()
    stranger = Papers(tmp_path / "stranger", "p256", "Example Stranger").issue("alice-laptop")
    lost = office.papers.issue("lost-laptop")
    office.papers.ask("revoke", "lost-laptop")
    office.site.gateway.reload()
    for certificate, cause in ((stranger, "cert-unknown-ca"), (lost, "cert-revoked"),
                               (office.papers.expired("old-laptop", "clientAuth"), "cert-expired")):
        status, said = office.connect(certificate)
        assert (status, SENTENCES["cert-refused"] in said) == (15, True), said
        office.site.gateway.wait_explained(cause)


# ---- EAP-TLS ----

@pytest.mark.parametrize("apart", [False, True], ids=["one-file", "key-apart"])
def test_a_login_by_certificate(make_site, tmp_path, apart):
    papers = Papers(tmp_path / "pki")
    server = papers.issue(SERVER, "server", "--san", f"{SERVER},{INTERNET_GATEWAY}")
    alice = papers.issue("alice")
    site = make_site(settings(**{
        'certificate "gateway"': {"file": f'"{server}"'}, 'authority "ours"': {"file": f'"{papers.ca}"'},
        "ppp": {"auth": '{"eap-tls"}'}}))
    own = {"file": f'"{papers.directory}/issued/alice.pem"', "key_file": f'"{papers.directory}/private/alice.key"'} \
        if apart else {"file": f'"{alice}"'}
    engine = Engine(site, site.computer(), profile(site, top={"password": None}, ppp={"methods": '{"eap-tls"}'},
                                                   certificate={**own, "authorities_file": f'"{papers.ca}"'}))
    try:
        assert engine.ready.get("ok") is True, engine.ready
        engine.wait_up()
        assert "eap-tls" in engine.link()["auth"].lower(), engine.link()["auth"]
    finally:
        stop(engine.process)
