"""The .nmconnection that the gateway hands out, at a NetworkManager with its plug-in for L2TP/IPsec."""
import dataclasses
import json
import pathlib
import subprocess
import sys

import pytest

from clients import PASSWORD, USER
from lab import names
from lab.gateway import DNS, settings
from lab.shell import wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_HOST, OFFICE_NET
from networkmanager import NetworkManager

DOMAIN = "office.example"
pytestmark = pytest.mark.xdist_group("networkmanager")


@dataclasses.dataclass
class Connected:
    site: object
    client: NetworkManager

    def handout(self, name):
        """As `sekisho user profile` makes it, put where its steps say."""
        words = ("user", "profile", USER, "--for", "linux", "--name", name)
        self.client.take(name, json.loads(self.site.gateway.ask("--json", *words))["content"])

    def address(self):
        (session,) = self.site.gateway.sessions()
        assert session["user"] == USER and session["auth"] == "mschapv2" and session["nat"], session
        return session["address"]


def serve_names(office, directory):
    """The office's name server, at the address that the gateway tells."""
    known = pathlib.Path(directory, "names")
    known.write_text(f"{OFFICE_HOST} files.{DOMAIN}\n")
    office.run("ip", "address", "add", f"{DNS}/32", "dev", "lan")
    server = office.start(sys.executable, names.__file__, DNS, known, stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"ready\n"


@pytest.fixture(scope="module")
def connected(make_site):
    site = make_site(sections=settings(net={"server": f'"{INTERNET_GATEWAY}"', "routes": f'{{"{OFFICE_NET}"}}',
                                            "domain": f'"{DOMAIN}"'}))
    serve_names(site.world.office, site.directory)
    made = Connected(site, site.add_client(NetworkManager, site.world.add_home(), "desktop"))
    made.handout("Office")
    return made


def test_a_wrong_password_is_refused_and_nothing_stays(connected):
    with pytest.raises(AssertionError):
        connected.client.up("Office", "wonder-land-43")
    connected.site.gateway.wait_explained("wrong-password", timeout=60)
    assert connected.client.devices() == ["vec0"]


def test_the_file_connects_with_the_routes_and_names_in_it(connected):
    """--> the password at NetworkManager's prompt, MS-CHAPv2 over IPsec through a NAPT; <-- address, routes, DNS."""
    site, client = connected.site, connected.client
    client.up("Office", PASSWORD)
    assert client.addresses("ppp0") == [connected.address()]
    assert client.way_to(OFFICE_HOST) == "ppp0" and client.way_to("198.51.100.1") == "vec0"
    assert client.resolver() == {"nameserver": [DNS], "search": [DOMAIN]}
    client.ping(OFFICE_HOST, 5)
    assert client.sha256_of(f"http://files.{DOMAIN}/file") == client.sha256_of("http://files/file") == site.sha256
    client.down("Office")
    wait_for("the session is over", lambda: site.gateway.sessions() == [], 30)
    assert client.devices() == ["vec0"] and client.way_to(OFFICE_HOST) == "vec0"
    assert client.resolver() == {}


def test_without_routes_in_it_all_goes_through_the_tunnel(connected):
    site, client = connected.site, connected.client
    del site.gateway.sections["net"]["routes"]
    site.gateway.write_config()
    site.gateway.reload()
    connected.handout("Everything")
    client.up("Everything", PASSWORD)
    assert client.way_to("198.51.100.1") == client.way_to(OFFICE_HOST) == "ppp0"
    assert client.way_to(INTERNET_GATEWAY) == "vec0"
    client.ping(OFFICE_HOST)
    client.down("Everything")
