"""Worlds with a gateway in them; and the reason on screen when something fails."""
import hashlib
import os

import pytest

from lab import world
from lab.gateway import Gateway
from lab.world import World

from clients import PASSWORD, PSK, USER

FILE_BYTES = 20 * 1000 * 1000


@pytest.fixture(scope="session", autouse=True)
def _no_remains():
    world.sweep()


@pytest.fixture(scope="session")
def office_file(tmp_path_factory):
    """(directory, file name, SHA-256) of 20 MB nobody can guess."""
    directory = tmp_path_factory.mktemp("office")
    content = os.urandom(FILE_BYTES)
    (directory / "file").write_bytes(content)
    return directory, "file", hashlib.sha256(content).hexdigest()


class Site:
    """A world with office, web server and gateway; tests add homes and clients."""

    def __init__(self, directory, office_file, users=None, **options):
        self.directory = directory
        self.world = World()
        try:
            self.world.add_gateway_and_office()
            self.url = self.world.serve_files(office_file[0]) + "/" + office_file[1]
            self.sha256 = office_file[2]
            self.gateway = Gateway(self.world.gateway, directory / "gateway", PSK, users or {USER: PASSWORD}, **options)
            self.world.on_close(self.gateway.close)
        except BaseException:
            self.world.close()
            raise

    def add_client(self, kind, place, name="client", address="192.168.1.10"):
        """`place` is None for a client with a public address, or the home it lives in."""
        job = self.directory / name
        if place is None:
            client = kind(self.world.internet, "net", job, "203.0.113.10/24", "203.0.113.254", name=name)
        else:
            client = kind(place, "lan", job, f"{address}/24", "192.168.1.1", name=name)
        self.world.on_close(client.close)
        return client

    def close(self):
        self.world.close()


@pytest.fixture(scope="module")
def make_site(tmp_path_factory, office_file):
    """Makes sites; all end with the module."""
    made = []

    def make(**options):
        site = Site(tmp_path_factory.mktemp("site"), office_file, **options)
        made.append(site)
        return site

    yield make
    for site in made:
        site.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what client and gateway said."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for value in getattr(item, "funcargs", {}).values():
        site = value if isinstance(value, Site) else getattr(value, "site", None)
        if isinstance(site, Site) and hasattr(site, "gateway"):
            report.sections.append(("gateway", site.gateway.said()))
        client = getattr(value, "client", None)
        if client is not None:
            try:
                report.sections.append(("client", client.log()[-8000:]))
            except (AssertionError, OSError) as lost:
                report.sections.append(("client", str(lost)))
