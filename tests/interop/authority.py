"""A directory of `sekisho pki`."""
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
