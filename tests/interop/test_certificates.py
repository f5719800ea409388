"""Stock clients log in with certificates. The certificates are openssl's; the gateway serves a pre-shared key beside."""
import base64
import pathlib

import pytest

from clients import WHACK, Libreswan, LoginFailed, Profile, StrongSwan
from lab.gateway import settings
from lab.papers import Authority, bundle, pkcs12
from lab.world import OFFICE_HOST

SERVER = "vpn.example.com"


def put(guest, path, file):
    """A file of this host, whatever it holds, in the guest."""
    text = base64.b64encode(pathlib.Path(file).read_bytes()).decode()
    guest.run(f"mkdir -p $(dirname {path}) && base64 -d >{path} <<'END'\n{text}\nEND\n")


class SignedStrongSwan(StrongSwan):
    CONNECTION = StrongSwan.CONNECTION.replace("authby=secret", f'''authby=pubkey
  leftsendcert=always
  fragmentation=yes
  rightid="O=Example, CN={SERVER}"''')

    elliptic = False

    def hold(self, path, *authorities):
        """Takes this certificate and key; a new name makes the daemon read it."""
        kind = "ECDSA" if self.elliptic else "RSA"
        self.held = path.parent.name + path.name
        self.guest.run("rm -f /etc/ipsec.d/certs/* /etc/ipsec.d/cacerts/* /etc/ipsec.d/private/*")
        put(self.guest, f"/etc/ipsec.d/certs/{self.held}.pem", f"{path}.pem")
        put(self.guest, f"/etc/ipsec.d/private/{self.held}.key", f"{path}.key")
        for i, authority in enumerate(authorities):
            put(self.guest, f"/etc/ipsec.d/cacerts/{i}.pem", authority.certificate)
        self.guest.write("/etc/ipsec.secrets", f": {kind} {self.held}.key")

    def ipsec_up(self, profile, seconds):
        self.dial_ipsec(profile, seconds, self.CONNECTION, f"{profile.extra}  leftcert={self.held}.pem\n")


class SignedLibreswan(Libreswan):
    CONNECTION = Libreswan.CONNECTION.replace("authby=secret", f'''authby=rsasig
  leftcert=client
  leftid=%fromcert
  leftsendcert=always
  sendca=issuer
  rightid="O=Example, CN={SERVER}"
  rightca=%same
  fragmentation=yes''')

    def hold(self, path, root, *intermediates):
        put(self.guest, "/run/client.p12", pkcs12(path, *intermediates, root, name="client"))
        put(self.guest, "/run/root.pem", root.certificate)
        self.guest.run("for name in client root; do certutil -D -d sql:/var/lib/ipsec/nss -n $name; done >/dev/null 2>&1; "
                       "pk12util -i /run/client.p12 -d sql:/var/lib/ipsec/nss -W secret -K '' && "
                       "certutil -A -d sql:/var/lib/ipsec/nss -n root -t CT,, -i /run/root.pem && "
                       f"{WHACK} --rereadcerts; {WHACK} --rereadall")


class Office:
    """A gateway with a certificate of `key`, issued by an intermediate authority when `chained`."""

    def __init__(self, make_site, directory, key, chained=False, **authority):
        self.root = Authority(directory / "root", key)
        self.between = (Authority(directory / "between", key, parent=self.root, name="Example Branch"),) if chained else ()
        self.issuer = self.between[0] if chained else self.root
        server = bundle(self.issuer.issue(SERVER, key, usage="serverAuth"), *self.between)
        self.site = make_site(sections=settings(**{
            'certificate "gateway"': {"file": f'"{server}"'},
            'authority "example"': {"file": f'"{self.root.certificate}"'} | authority,
        }))

    def client(self, kind, place=None, name="client"):
        return self.site.add_client(kind, place, name=name)


def expect_login(office, client, name):
    link = client.login(Profile())
    assert link.address.startswith("10.99.0.")
    client.ping(OFFICE_HOST)
    session, = office.site.gateway.sessions()
    assert name in office.site.gateway.explain("alice")
    client.logout()
    return session


@pytest.mark.parametrize("key,chained", [("rsa2048", False), ("rsa4096", True), ("ecdsa256", False), ("ecdsa384", True)])
def test_strongswan_logs_in_with_a_certificate(make_site, tmp_path, key, chained):
    office = Office(make_site, tmp_path, key, chained)
    holder = office.issuer.issue("laptop.example.com", key)
    home = office.site.world.add_home()
    for place, name in ((None, "direct"), (home, "napt")):
        client = office.client(SignedStrongSwan, place, name)
        client.elliptic = key.startswith("ec")
        client.hold(holder, office.root, *office.between)
        expect_login(office, client, "laptop.example.com")
        if key == "rsa4096":  # two such certificates fit no packet: both sides cut and put together
            said = client.log()
            assert "splitting IKE message" in said and "reassembled fragmented IKE message" in said
        client.close()


@pytest.mark.parametrize("key,chained", [("rsa2048", False), ("rsa4096", True)])
def test_libreswan_logs_in_with_a_certificate(make_site, tmp_path, key, chained):
    office = Office(make_site, tmp_path, key, chained)
    home = office.site.world.add_home()
    holder = office.issuer.issue("laptop.example.com", key)
    for place, name in ((None, "direct"), (home, "napt")):
        client = office.client(SignedLibreswan, place, name)
        client.hold(holder, office.root, *office.between)
        expect_login(office, client, "laptop.example.com")
        client.close()


def test_each_refusal_has_its_sentence(make_site, tmp_path):
    office = Office(make_site, tmp_path, "rsa2048")
    client = office.client(SignedStrongSwan)
    stranger = Authority(tmp_path / "stranger", name="Example Stranger")
    revoked = office.root.issue("lost.example.com")
    office.root.revoke(revoked)
    office.site.gateway.write_config(**{'authority "example"': {"crl_file": f'"{office.root.crl()}"'}})
    office.site.gateway.reload()
    for holder, cause, days in (
        (stranger.issue("laptop.example.com"), "cert-unknown-ca", 0),
        (revoked, "cert-revoked", 0),
        # strongSwan sends nothing that has expired, as far as it knows
        (office.root.issue("old.example.com", start=-20, days=10), "cert-expired", -15),
    ):
        client.guest.run(f"date -s @$(($(date +%s) + {days * 86400}))")
        client.hold(holder, office.root, stranger)
        with pytest.raises(LoginFailed) as failed:
            client.login(Profile())
        assert failed.value.stage == "ipsec"
        assert "AUTHENTICATION_FAILED" in str(failed.value)
        office.site.gateway.wait_explained(cause)
    client.guest.run("date -s @$(($(date +%s) + 15 * 86400))")
    client.hold(office.root.issue("laptop.example.com"), office.root)
    expect_login(office, client, "laptop.example.com")


def test_keys_and_certificates_are_served_beside_each_other(make_site, tmp_path):
    office = Office(make_site, tmp_path, "rsa2048")
    gateway = office.site.gateway
    gateway.write_config(ike={"psk_file": f'"{gateway.directory}/psk"'})
    with_key = office.client(StrongSwan, office.site.world.add_home(), "key")
    with_key.login(Profile())
    with_key.ping(OFFICE_HOST)
    client = office.client(SignedStrongSwan, None, "certificate")
    client.hold(office.root.issue("laptop.example.com"), office.root)
    client.login(Profile())
    client.ping(OFFICE_HOST)
    with_key.ping(OFFICE_HOST)
    assert len(gateway.sessions()) == 2
