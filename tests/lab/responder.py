"""OpenSSL's OCSP responder for an authority that `sekisho pki` keeps."""
import json
import pathlib
import subprocess

from lab.gateway import SEKISHO
from lab.shell import run, stop, wait_for


class Responder:
    """Answers in `namespace` for the authority in `directory`, whose own key signs, until closed. Those named in
    `revoked` are so since 2026-11-01, whatever the authority itself says."""

    def __init__(self, namespace, directory, port, revoked=()):
        directory = pathlib.Path(directory)
        known = json.loads(run(SEKISHO, "pki", "list", "--json", "--directory", directory))["certificates"]
        index = directory.parent / f"index-{port}-{len(revoked)}.txt"
        index.write_text("".join(self._line(one, one["name"] in revoked) for one in known))
        authority = directory / "ca.pem"
        self.process = namespace.start(
            "openssl", "ocsp", "-port", port, "-index", index, "-CA", authority, "-rsigner", authority, "-rkey",
            directory / "private/ca.key", "-nmin", "5", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the responder listens", lambda: f":{port} " in namespace.run("ss", "-Hltn"), 10, 0.05)

    @staticmethod
    def _line(certificate, is_revoked):
        state = "R\t301231235959Z\t261101000000Z" if is_revoked else "V\t301231235959Z\t"
        return f"{state}\t{certificate['serial']}\tunknown\t/CN={certificate['name']}\n"

    def close(self):
        stop(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
