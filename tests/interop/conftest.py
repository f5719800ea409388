"""Worlds with a gateway in them; and the reason on screen when something fails."""
import collections
import hashlib
import os

import pytest

from lab import world
from lab.client import Client
from lab.gateway import Gateway
from lab.world import World

from clients import PASSWORD, PSK, USER
from servers import FILE_BYTES


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The groups that take longest begin first, so that no worker is left alone with one at the end."""
    def group(item):
        mark = item.get_closest_marker("xdist_group")
        return mark.args[0] if mark else item.nodeid

    sizes = collections.Counter(map(group, items))
    items.sort(key=lambda item: ("lives" not in group(item), -sizes[group(item)]))


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


class Served:
    """A world with a foreign server in it, and two computers for our client: one direct, one in a home behind a NAPT."""

    def __init__(self, directory, kind):
        self.directory = directory
        self.client = None
        self.upload = os.urandom(FILE_BYTES)
        self.upload_sha256 = hashlib.sha256(self.upload).hexdigest()
        self.world = World()
        try:
            self.server = kind(self.world, directory / "server")
            self.world.on_close(self.server.close)
            self.places = {"direct": self.world.add_computer(), "napt": self.world.add_computer(self.world.add_home())}
        except BaseException:
            self.world.close()
            raise

    def connect(self, place, *options, wait=True, **more):
        """Our client at this place; `wait` until packets come back through the server."""
        if self.client:
            self.client.close()
        who = {"user": USER, "password": PASSWORD, "psk": PSK} | more
        self.client = Client(self.places[place], self.directory, who.pop("user"), who.pop("password"), who.pop("psk"),
                             *options, wait=False, **who)
        if wait:
            self.client.wait_up()
            self.client.wait_answer(self.server.office)
        return self.client

    def said(self):
        """What both ends have said, for the one who has to find out."""
        return "\n".join(([self.client.said()] if self.client else []) + [self.server.log()[-12000:]])

    def close(self):
        if self.client:
            self.client.close()
        self.world.close()


@pytest.fixture(scope="module")
def make_served(tmp_path_factory):
    """Makes worlds with a foreign server of this kind; all end with the module."""
    made = []

    def make(kind):
        served = Served(tmp_path_factory.mktemp("served"), kind)
        made.append(served)
        return served

    yield make
    for served in made:
        served.close()


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
        if isinstance(value, Served):
            report.sections.append(("client and server", value.said()))
            continue
        client = getattr(value, "client", None)
        if client is not None:
            try:
                report.sections.append(("client", client.log()[-8000:]))
            except (AssertionError, OSError) as lost:
                report.sections.append(("client", str(lost)))
