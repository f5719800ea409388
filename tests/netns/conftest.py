"""The world of these tests: an office, the gateway, an internet, homes with computers that run our own client."""
import os

import pytest

from lab import world
from lab.client import Client
from lab.gateway import Gateway
from lab.world import World

PSK = "four-winds-1867"
USERS = {"alice": "wonder-land-42", "bob": "builder-77-hats"}


def pytest_configure(config):
    config.addinivalue_line("markers", "long: waits for longer than the others, so it begins before them")


def pytest_collection_modifyitems(items):
    """The longest begin first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session", autouse=True)
def _no_remains():
    world.sweep()


class Site:
    """A world with a gateway; computers are added direct or in homes."""

    def __init__(self, directory, sections=None):
        self.directory = directory
        self.clients = []
        self.world = World()
        try:
            self.world.add_gateway_and_office()
            self.gateway = Gateway(self.world.gateway, directory / "gateway", PSK, USERS, sections)
            self.world.on_close(self.gateway.close)
        except BaseException:
            self.world.close()
            raise

    @property
    def office(self):
        return self.world.office

    def computer(self, home=None):
        return self.world.add_computer(home)

    def connect(self, computer=None, user="alice", *options, **more):
        """A client on this computer (a new one with a public address when none is given)."""
        more.setdefault("password", USERS.get(user, "none"))
        more.setdefault("psk", PSK)
        client = Client(computer or self.computer(), self.directory, user, more.pop("password"), more.pop("psk"),
                        *options, **more)
        self.clients.append(client)
        return client

    def close(self):
        for client in self.clients:
            client.close()
        self.world.close()


@pytest.fixture
def make_site(tmp_path):
    made = []

    def make(sections=None):
        site = Site(tmp_path / f"site{len(made)}", sections)
        made.append(site)
        return site

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site):
    return make_site()


@pytest.fixture
def big_file(tmp_path):
    """A directory with `file`: 20 MB nobody can guess."""
    directory = tmp_path / "www"
    directory.mkdir()
    (directory / "file").write_bytes(os.urandom(20_000_000))
    return directory


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows what gateway and clients said and what they dropped."""
    outcome = yield
    report = outcome.get_result()
    site = getattr(item, "funcargs", {}).get("site")
    if report.failed and isinstance(site, Site):
        report.sections.append(("gateway", site.gateway.said()))
        report.sections.append(("gateway's drops", site.gateway.ask("status", "--drops", check=False)))
        for client in site.clients:
            links = client.namespace.run("ip", "-s", "link", check=False)
            report.sections.append((f"client {client.namespace.role}", client.said() + links))
