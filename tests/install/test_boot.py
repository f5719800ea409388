"""The units under a real systemd: gateway and portal as `quickstart` sets them up, a home's router, and a computer behind it
that is connected when it has started.

    computer ---- home router ---- internet ---- gateway, portal ---- office
    sekisho-client@office         sekisho-router                sekishod, sekisho-portal
"""
import json
import os
import pathlib
import re

import pytest

from lab import pings
from lab.booted import Booted
from lab.shell import CommandFailed, run, wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_HOST, OFFICE_NET, World

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ["SEKISHO_BUILD"]).resolve()
SLOW = 60  # seconds that something may take on a busy machine
# How much a unit may lie open, by the reckoning of `systemd-analyze security`: from 0 (closed) to 100.
EXPOSURE = {"sekishod": 35, "sekisho-portal": 25, "sekisho-router": 35, "sekisho-client@office": 35}
pytestmark = pytest.mark.xdist_group("boot")


class Site:
    """Three computers that systemd has started, one after the other."""

    def __init__(self, tree):
        self.world = World()
        try:
            self.world.add_gateway_and_office()
            self.home = self.world.add_home(napt=None)
            self.gateway = self.computer(self.world.gateway, tree)
            self.gateway.boot()
            self.page = self.gateway.run("env", f"SEKISHO_BUILD={BUILD}", ROOT / "quickstart", timeout=SLOW * 3)
            self.router = self.computer(self.home, tree)
            self.router.boot()
            self.client = self.computer(self.world.add_computer(self.home), tree)
        except BaseException:
            self.world.close()
            raise

    def computer(self, namespace, tree):
        made = Booted(namespace, tree, *sorted({ROOT, BUILD}))
        self.world.on_close(made.close)
        return made

    def set_up_router(self):
        self.router.write("/etc/default/sekisho-router", "INSIDE=lan\nOUTSIDE=wan\n", "644")
        self.router.run("systemctl", "enable", "--now", "sekisho-router", timeout=SLOW)

    def sekisho(self, *words, **options):
        return self.gateway.run("/usr/local/bin/sekisho", *words, **options)

    def sessions(self):
        return json.loads(self.sekisho("--json", "session", "list"))["sessions"]


@pytest.fixture(scope="module", name="site")
def fixture_site(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    tree.chmod(0o755)  # it is to be the root directory
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", tree)
    made = Site(tree)
    yield made
    made.world.close()


def owners(computer, *paths):
    """{path: (mode, user, group)}"""
    said = computer.run("stat", "-c", "%n %a %U %G", *paths)
    return {path: tuple(rest) for path, *rest in (line.split() for line in said.splitlines())}


def users_of(computer, unit):
    """Who the processes of a unit run as."""
    group = computer.properties(unit, "ControlGroup")["ControlGroup"]
    pids = computer.run("cat", f"/sys/fs/cgroup{group}/cgroup.procs").split()
    return computer.run("ps", "-o", "user:20=", "-p", ",".join(pids)).split()


def page_of_portal(site):
    return site.gateway.run("curl", "-sSki", "-m", SLOW, f"https://{INTERNET_GATEWAY}/login", timeout=SLOW * 2)


@pytest.mark.parametrize("unit", EXPOSURE)
def test_a_unit_is_good_and_lies_open_no_more_than_it_must(site, unit):
    assert site.gateway.run("systemd-analyze", "verify", f"{unit}.service") == ""
    site.gateway.run("systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE[unit]}", "--no-pager",
                     f"{unit}.service")


def test_gateway_and_portal_run_after_quickstart_and_after_a_new_start(site):
    for again in (False, True):
        if again:
            site.gateway.power_cut()
            assert site.gateway.boot() == "running", site.gateway.run("systemctl", "--failed")
        for unit in ("sekishod", "sekisho-portal"):
            status = site.gateway.run("systemctl", "status", "--no-pager", unit)
            assert "active (running)" in status and "; enabled;" in status, status
            assert site.gateway.properties(unit, "Type", "NRestarts") == {"Type": "notify", "NRestarts": "0"}
        assert "HTTP/1.1 200" in page_of_portal(site)
        assert "vpn" in site.sekisho("user", "list")
    assert sorted(users_of(site.gateway, "sekishod")) == ["root", "sekisho"], "the aftermath stays root"
    assert users_of(site.gateway, "sekisho-portal") == ["sekisho-portal"]
    assert "serving with" in site.gateway.journal("sekishod")
    assert "serving on TCP port 443" in site.gateway.journal("sekisho-portal")
    assert not re.search(r"^(<\d>)?\d{4}-", site.gateway.journal("sekishod"), re.M), "the journal has the time"


def test_files_and_sockets_belong_to_whom_they_must(site):
    state = ("/var/lib/sekisho", "/var/lib/sekisho/users.db", "/var/lib/sekisho/users.key")
    assert owners(site.gateway, "/etc/sekisho", "/etc/sekisho/psk", "/etc/sekisho/sekisho.conf", "/run/sekisho/control",
                  "/var/lib/sekisho/portal.pem", *state) == {
        "/etc/sekisho": ("750", "root", "sekisho"),
        "/etc/sekisho/psk": ("640", "root", "sekisho"),
        "/etc/sekisho/sekisho.conf": ("640", "root", "sekisho"),
        "/run/sekisho/control": ("660", "root", "sekisho-admin"),
        "/var/lib/sekisho": ("700", "sekisho", "sekisho"),
        "/var/lib/sekisho/portal.pem": ("600", "root", "root"),
        "/var/lib/sekisho/users.db": ("600", "sekisho", "sekisho"),
        "/var/lib/sekisho/users.key": ("600", "sekisho", "sekisho")}


def test_a_computer_is_connected_when_it_has_started(site):
    """A router of ours, a new user, a profile: then the computer is switched on."""
    site.set_up_router()
    assert users_of(site.router, "sekisho-router") == ["sekisho"]
    site.sekisho("user", "add", "alice", "--password-file", "-", stdin="wonder-land-42\n")
    client = site.client
    client.boot()
    client.write("/etc/sekisho/client/office.psk", site.gateway.run("cat", "/etc/sekisho/psk"))
    client.write("/etc/sekisho/client/office.password", "wonder-land-42\n")
    client.write("/etc/sekisho/client/office.conf",
                 f'server = "{INTERNET_GATEWAY}"\nuser = "alice"\npsk_file = "/etc/sekisho/client/office.psk"\n'
                 f'password_file = "/etc/sekisho/client/office.password"\nnet {{ routes = {{"{OFFICE_NET}"}} dns = "off" }}\n')
    client.run("systemctl", "enable", "sekisho-client@office")
    site.before = client.run("sh", "-c", NETWORK)
    client.power_cut()
    assert client.boot() == "running", client.journal("sekisho-client@office")
    ping(client)
    (session,) = site.sessions()
    assert session["user"] == "alice"
    wait_for("the first packet is told of", lambda: "first data packet" in client.journal("sekisho-client@office"), SLOW)
    status = client.run("systemctl", "status", "--no-pager", "sekisho-client@office")
    assert f"Connected, address {session['address']}" in status and "active (running)" in status, status
    assert sorted(users_of(client, "sekisho-client@office")) == ["root", "sekisho"], "the steward stays root"
    assert owners(client, "/run/sekisho", "/run/sekisho/client")["/run/sekisho/client"][1] == "root"


# All of a computer that a connection changes.
NETWORK = "ip -o link; ip route show table all; ip rule; nft list ruleset; cat /etc/resolv.conf"


def ping(client, count=3):
    pings.check(client.run(*pings.words(OFFICE_HOST, count), timeout=SLOW), count)


def ids(site):
    return [(session["id"], session["address"]) for session in site.sessions()]


def test_neither_reload_nor_a_new_portal_harms_a_session(site):
    before = ids(site)
    assert len(before) == 1
    site.gateway.run("sh", "-c", "echo 'log { level = \"debug\" }' >>/etc/sekisho/sekisho.conf")
    site.gateway.run("systemctl", "reload", "sekishod")
    wait_for("it says that it has read", lambda: "read again" in site.gateway.journal("sekishod"), SLOW)
    ping(site.client)
    with pytest.raises(CommandFailed):
        site.gateway.run("sh", "-c", "cd /etc/sekisho && cp -p sekisho.conf good && echo 'lst = 1' >>sekisho.conf && "
                                     "systemctl reload sekishod")
    assert "lst" in site.gateway.journal("sekishod")
    site.gateway.run("mv", "/etc/sekisho/good", "/etc/sekisho/sekisho.conf")
    site.gateway.run("systemctl", "restart", "sekisho-portal", timeout=SLOW)
    assert "HTTP/1.1 200" in page_of_portal(site)
    ping(site.client)
    assert ids(site) == before
    site.sekisho("user", "add", "bob", "--password-file", "-", stdin="river-stone-17\n")  # the store is still the gateway's
    assert owners(site.gateway, "/var/lib/sekisho/users.db")["/var/lib/sekisho/users.db"][1] == "sekisho"


def test_a_router_that_starts_again_goes_on_with_its_bindings(site):
    before = ids(site)
    site.router.run("systemctl", "restart", "sekisho-router", timeout=SLOW)
    ping(site.client)
    assert ids(site) == before


def test_client_and_router_leave_nothing_behind(site):
    site.client.run("systemctl", "stop", "sekisho-client@office", timeout=SLOW * 2)
    assert site.client.run("sh", "-c", NETWORK) == site.before
    assert site.client.run("find", "/run/sekisho", "-name", "office*") == ""
    wait_for("the gateway has heard the goodbye", lambda: site.sessions() == [], SLOW)
    site.router.run("systemctl", "stop", "sekisho-router", timeout=SLOW)
    assert "sekisho" not in site.router.run("nft", "list", "tables")
    assert site.router.run("ls", "/run/sekisho").split() == ["router.state"], "the bindings, for the next start"
    for computer, unit in ((site.client, "sekisho-client@office"), (site.router, "sekisho-router")):
        assert computer.active(unit) == "inactive" and programs(computer) == ""


def programs(computer):
    return computer.run("sh", "-c", "pgrep -l sekisho || true")


def test_a_gateway_that_crashes_is_started_again(site):
    site.gateway.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "sekishod")
    wait_for("it is back", lambda: site.gateway.properties("sekishod", "NRestarts", "SubState") == {
        "NRestarts": "1", "SubState": "running"}, SLOW)
    assert "vpn" in site.sekisho("user", "list")
    assert "HTTP/1.1 200" in page_of_portal(site)


def test_gateway_and_portal_leave_nothing_behind(site):
    """And without the programs the units are gone; what is the administrator's own stays."""
    site.gateway.run("systemctl", "stop", "sekisho-portal", "sekishod", timeout=SLOW)
    assert "sekisho" not in site.gateway.run("nft", "list", "tables")
    assert not re.search(r"sekisho|tun|10\.187\.43", site.gateway.run("sh", "-c", "ip -o link; ip route show table all"))
    assert site.gateway.run("find", "/run/sekisho", "!", "-type", "d") == "" and programs(site.gateway) == ""
    for unit in ("sekishod", "sekisho-portal"):
        assert site.gateway.active(unit) == "inactive"
    site.gateway.run("systemctl", "enable", "sekisho-client@office")
    assert "is removed" in site.gateway.run("env", f"SEKISHO_BUILD={BUILD}", ROOT / "quickstart", "--uninstall", timeout=SLOW)
    assert site.gateway.run("find", "/usr/local", "/run", "/etc/systemd", "-name", "*sekisho*") == ""
    assert site.gateway.run("sh", "-c", "systemctl list-unit-files --no-legend 'sekisho*' || true") == ""
    assert owners(site.gateway, "/var/lib/sekisho/users.db")
