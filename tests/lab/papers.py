"""Certificates for tests, made by the openssl command: an authority, an intermediate one, and whom they vouch for."""
import datetime
import pathlib

from lab.shell import run

KEYS = {
    "rsa2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "rsa4096": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"),
    "ecdsa256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "ecdsa384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
}

CONFIG = """[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[holder]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = {usage}
subjectAltName = DNS:{name}
[ca]
default_ca = one
[one]
database = {directory}/index
serial = {directory}/serial
crlnumber = {directory}/crlnumber
new_certs_dir = {directory}
certificate = {issuer}.pem
private_key = {issuer}.key
default_md = sha256
policy = any
email_in_dn = no
default_crl_days = 30
[any]
organizationName = supplied
commonName = supplied
"""


class Authority:
    """Lives in `directory`. What it makes are paths without an ending: .pem is the certificate, .key the key."""

    def __init__(self, directory, key="rsa2048", parent=None, name="Example Authority"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.parent = parent
        self.path = self.directory / "authority"
        for file, text in (("index", ""), ("serial", "1000\n"), ("crlnumber", "01\n")):
            (self.directory / file).write_text(text)
        self._key(self.path, key)
        issuer = parent or self
        issuer._sign(self.path, f"/O=Example/CN={name}", "authority", self_signed=parent is None)

    @property
    def certificate(self):
        return f"{self.path}.pem"

    @staticmethod
    def _key(path, kind):
        run("openssl", "genpkey", *KEYS[kind], "-out", f"{path}.key")

    def _config(self, name="nobody", usage="clientAuth"):
        file = self.directory / "openssl.cnf"
        file.write_text(CONFIG.format(directory=self.directory, issuer=self.path, name=name, usage=usage))
        return file

    def _sign(self, path, subject, extensions, self_signed=False, start=-1, days=30, **names):
        config = self._config(**names)
        begin = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=start)
        until = begin + datetime.timedelta(days=days)
        run("openssl", "req", "-new", "-config", config, "-key", f"{path}.key", "-subj", subject, "-out", f"{path}.csr")
        run("openssl", "ca", "-batch", "-notext", "-config", config, "-extensions", extensions, "-in", f"{path}.csr",
            "-out", f"{path}.pem", "-startdate", f"{begin:%y%m%d%H%M%SZ}", "-enddate", f"{until:%y%m%d%H%M%SZ}",
            *(("-selfsign", "-keyfile", f"{path}.key") if self_signed else ()))

    def issue(self, name, key="rsa2048", usage="clientAuth", **dates):
        """A certificate for CN=name; start= and days= from today."""
        path = self.directory / name
        self._key(path, key)
        self._sign(path, f"/O=Example/CN={name}", "holder", name=name, usage=usage, **dates)
        return path

    def revoke(self, path):
        run("openssl", "ca", "-batch", "-config", self._config(), "-revoke", f"{path}.pem")

    def crl(self):
        out = self.directory / "crl.pem"
        run("openssl", "ca", "-batch", "-config", self._config(), "-gencrl", "-out", out)
        return out


def bundle(path, *authorities, key=True):
    """One PEM file of a holder: certificate, those of intermediate authorities, and the key."""
    out = pathlib.Path(f"{path}.bundle.pem")
    out.write_text("".join(pathlib.Path(file).read_text() for file in
                           [f"{path}.pem", *(a.certificate for a in authorities), *([f"{path}.key"] if key else [])]))
    out.chmod(0o600)
    return out


def pkcs12(path, *authorities, name):
    out = pathlib.Path(f"{path}.p12")
    chain = pathlib.Path(f"{path}.chain.pem")
    chain.write_text("".join(pathlib.Path(a.certificate).read_text() for a in authorities))
    run("openssl", "pkcs12", "-export", "-in", f"{path}.pem", "-inkey", f"{path}.key", "-certfile", chain, "-name", name,
        "-passout", "pass:secret", "-out", out)
    return out
