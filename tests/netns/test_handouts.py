"""A user's set-up is made at the gateway, taken over on the user's computer as it is, and connects."""
import json

import pytest

from lab.gateway import SEKISHO, settings
from lab.host import Host
from lab.world import INTERNET_GATEWAY, OFFICE_NET

from netns.conftest import PSK, USERS


@pytest.fixture
def site(make_site):
    return make_site(settings(net={"server": f'"{INTERNET_GATEWAY}"', "routes": f'{{"{OFFICE_NET}"}}',
                                   "domain": '"office.example"'}))


@pytest.fixture
def host(site, tmp_path):
    made = Host(site.computer(), tmp_path, PSK, USERS["alice"])
    yield made
    made.close("office")


def take_over(site, host, kind, file):
    """--> sekisho user profile, at the gateway; the file, by hand; <-- sekisho profile import, on the computer."""
    path = host.directory / file
    said = site.gateway.ask("user", "profile", "alice", "--for", kind, "--name", "Office", "--output", path)
    assert "the pre-shared key in it" in said and path.stat().st_mode & 0o777 == 0o600
    assert PSK not in said and USERS["alice"] not in path.read_text()
    status, out, err = host.sekisho("profile", "import", path, "--name", "office")
    assert status == 0, out + err
    assert host.sekisho("profile", "set", "office", "--set", "run.user=nobody")[0] == 0
    return host.run(SEKISHO, "connect", "office", "--password-file", host.password)


@pytest.mark.parametrize("kind, file", [("sekisho", "office.conf"), ("linux", "office.nmconnection")])
def test_a_file_from_the_gateway_connects_a_computer(site, host, kind, file):
    status, out, err = take_over(site, host, kind, file)
    assert status == 0, out + err
    assert f"Routes     {OFFICE_NET}" in out
    assert host.reaches("172.16.0.10")
    link = host.link()
    assert (link["user"], link["server"], link["dns"]) == ("alice", INTERNET_GATEWAY, "172.16.0.53")
    assert "office.example" in host.sekisho("profile", "show", "office")[1]


def test_the_gateway_tells_what_devices_need_and_no_more(site):
    told = site.gateway.verb("handout.settings")["data"]["handout"]
    assert bytes.fromhex(told["psk"]).decode() == PSK
    assert told["server"] == INTERNET_GATEWAY and told["routes"] == OFFICE_NET and told["dns"] == "172.16.0.53"
    assert "mschapv2" in told["logins"].split(",")
    assert set(told) == {"server", "psk", "logins", "routes", "dns", "domain", "grid"}


def test_every_device_gets_a_file(site, tmp_path):
    for kind in "windows macos ios linux sekisho chromeos android routeros rtx openwrt".split():
        for language in ("en", "ja"):
            done = json.loads(site.gateway.ask("--json", "user", "profile", "alice", "--for", kind, "--language", language))
            assert done["for"] == kind and done["content"] and done["steps"].startswith("1. ")


def test_nobody_gets_a_file_for_somebody_who_is_not_there(site):
    assert "no user" in site.gateway.ask("user", "profile", "mallory", "--for", "windows", check=False).lower()
