"""Our client at servers that prove themselves with certificates, and ask for one. The certificates are openssl's."""
import pytest

from clients import WHACK
from lab.gateway import SENTENCES
from lab.papers import Authority, bundle, pkcs12
from servers import TOLD_WITHIN, LibreswanServer, Service, StrongSwanServer
from test_certificates import put

NAME = "vpn.example.com"


class SignedStrongSwanServer(StrongSwanServer):
    CONNECTION = StrongSwanServer.CONNECTION.replace("authby=secret", f'''authby=pubkey
  leftsendcert=always
  leftcert={{held}}.pem
  leftid=@{NAME}
  fragmentation=yes''')

    def hold(self, path, root, *between):
        """Proves itself with this certificate, and takes those below this root."""
        self.held = path.parent.name + path.name
        self.elliptic = "ecdsa" in str(path)
        self.guest.run("rm -f /etc/ipsec.d/certs/* /etc/ipsec.d/cacerts/* /etc/ipsec.d/private/*")
        put(self.guest, f"/etc/ipsec.d/certs/{self.held}.pem", f"{path}.pem")
        put(self.guest, f"/etc/ipsec.d/private/{self.held}.key", f"{path}.key")
        for i, authority in enumerate((root, *between)):
            put(self.guest, f"/etc/ipsec.d/cacerts/{i}.pem", authority.certificate)

    def secrets(self, service):
        return f": {'ECDSA' if self.elliptic else 'RSA'} {self.held}.key"

    def serving_ipsec(self, service):
        self.CONNECTION = type(self).CONNECTION.replace("{held}", self.held)
        return super().serving_ipsec(service)


class SignedLibreswanServer(LibreswanServer):
    CONNECTION = LibreswanServer.CONNECTION.replace("authby=secret", f'''authby=rsasig
  leftcert=server
  leftid=@{NAME}
  leftsendcert=always
  sendca=issuer
  rightid=%fromcert
  rightca=%same
  fragmentation=yes''')

    def hold(self, path, root, *between):
        """With a store of its own: in one store authorities of equal names, as here, are taken for each other."""
        self.guest.run(f"{WHACK} --shutdown; for i in $(seq 50); do pidof pluto >/dev/null || break; "
                       "busybox usleep 100000; done; rm -rf /var/lib/ipsec/nss/* /run/pluto/*")
        self.start_ipsec()
        put(self.guest, "/run/server.p12", pkcs12(path, *between, root, name="server"))
        put(self.guest, "/run/root.pem", root.certificate)
        self.guest.run("pk12util -i /run/server.p12 -d sql:/var/lib/ipsec/nss -W secret -K '' && "
                       "certutil -A -d sql:/var/lib/ipsec/nss -n root -t CT,, -i /run/root.pem && "
                       f"{WHACK} --rereadcerts; {WHACK} --rereadall")

    def secrets(self, service):
        return ""


SIGNED = {"strongswan": SignedStrongSwanServer, "libreswan": SignedLibreswanServer}
GROUP = "{}-signed-server"


class Papers:
    """The authorities of one kind of key, what they issued, and the profile of who holds it."""

    def __init__(self, directory, key, chained=False):
        self.root = Authority(directory / f"{key}-root", key)
        self.between = (Authority(directory / f"{key}-between", key, parent=self.root, name="Example Branch"),) if chained else ()
        self.issuer = self.between[0] if chained else self.root
        self.server = self.issuer.issue(NAME, key, usage="serverAuth")
        self.laptop = self.issuer.issue("laptop.example.com", key)

    def profile(self, **changes):
        profile = {"certificate.file": bundle(self.laptop, *self.between),
                   "certificate.authorities_file": self.root.certificate, "certificate.server_identity": NAME}
        return profile | {f"certificate.{name}": value for name, value in changes.items()}


@pytest.fixture(scope="module")
def served(request, make_served):
    return make_served(SIGNED[request.param])


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    return Papers(tmp_path_factory.mktemp("papers"), "rsa2048")


def servers(*stacks):
    return pytest.mark.parametrize("served", [
        pytest.param(stack, marks=pytest.mark.xdist_group(GROUP.format(stack))) for stack in stacks], indirect=True)


def works(served, papers):
    server = served.server
    server.hold(papers.server, papers.root, *papers.between)
    server.offer()
    for place in ("direct", "napt"):
        client = served.connect(place, psk=None, profile=papers.profile())
        client.ping(server.office)
        client.disconnect()
        server.heard_goodbye()
        server.offer()


@servers("strongswan", "libreswan")
@pytest.mark.parametrize("key, chained", [("rsa2048", False), ("rsa4096", True)])
def test_both_prove_themselves_with_rsa(served, tmp_path, key, chained):
    works(served, Papers(tmp_path, key, chained))


@servers("strongswan")
def test_both_prove_themselves_with_ecdsa(served, tmp_path):
    works(served, Papers(tmp_path, "ecdsa256"))


def refused(served, cause, profile):
    client = served.connect("napt", psk=None, wait=False, profile=profile)
    assert client.wait_failed(TOLD_WITHIN) != 0
    assert SENTENCES[cause] in client.said(), client.said()


@servers("strongswan", "libreswan")
def test_each_refusal_of_the_server_has_its_sentence(served, papers, tmp_path):
    stranger = Authority(tmp_path / "stranger", name="Example Stranger")
    served.server.hold(papers.server, papers.root)
    served.server.offer()
    refused(served, "cert-unknown-ca", papers.profile(authorities_file=stranger.certificate))
    refused(served, "cert-name", papers.profile(server_identity="other.example.com"))
    refused(served, "cert-revocation-unknown", papers.profile(revocation="refuse"))
    # And ours, when the server does not know who issued it.
    refused(served, "cert-refused", papers.profile(file=bundle(stranger.issue("laptop.example.com"))))


@servers("strongswan")
def test_a_server_with_an_expired_certificate_is_told(served, papers):
    served.server.guest.run("date -s @$(($(date +%s) - 3600))")  # it sends nothing that it knows to have expired
    old = papers.root.issue("old." + NAME, usage="serverAuth", days=0.98)
    served.server.hold(old, papers.root)
    served.server.offer(Service(more=(f"leftid=@old.{NAME}",)))
    refused(served, "cert-expired", papers.profile(server_identity="old." + NAME))
