"""A directory of `sekisho pki`, and a responder that answers for it."""
import json
import subprocess

from lab.gateway import SEKISHO
from lab.shell import run

PASSWORD = "brass-key-7"


class Ours:
    def __init__(self, directory, name, *options):
        self.directory = directory
        self.password = directory.parent / f"{directory.name}.password"
        self.password.write_text(PASSWORD)
        self.pki("init", name, *options)

    def pki(self, *words):
        return run(SEKISHO, "pki", *words, "--directory", self.directory)

    @property
    def ca(self):
        return self.directory / "ca.pem"

    def issue(self, name, role, *options):
        self.pki("issue", name, "--for", role, *options)

    def pem(self, name):
        """The file for a gateway."""
        path = self.directory.parent / f"{name}.pem"
        self.pki("export", name, "--pem", path)
        return path

    def p12(self, name):
        """The bytes for a client."""
        path = self.directory.parent / f"{name}.p12"
        self.pki("export", name, "--p12", path, "--password-file", self.password)
        return path.read_bytes()

    def ocsp_index(self, revoked):
        """OpenSSL's list of certificates, in which those of these names are revoked."""
        lines = []
        for one in json.loads(self.pki("list", "--json"))["certificates"]:
            state = "R\t301231235959Z\t261101000000Z" if one["name"] in revoked else "V\t301231235959Z\t"
            lines.append(f"{state}\t{one['serial']}\tunknown\t/CN={one['name']}\n")
        path = self.directory.parent / "index.txt"
        path.write_text("".join(lines))
        return path

    def serve_ocsp(self, namespace, port, index):
        """OpenSSL's responder; the authority signs its answers itself."""
        return namespace.start("openssl", "ocsp", "-port", port, "-index", index, "-CA", self.ca, "-rsigner", self.ca,
                               "-rkey", self.directory / "private/ca.key", "-nmin", "5", stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
