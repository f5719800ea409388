"""From the invitation to the VPN: a real browser at the portal, and a stock client that logs in by what the browser shows.
Patterns are switched on; all else of them is as a fresh installation has it. The administrator reads English, the user Japanese.

strongSwan, xl2tpd and pppd run in a guest: nothing heavy may run beside.
"""
import json
import plistlib

import pytest

from clients import LoginFailed, Profile, StrongSwan
from lab.gateway import JAPANESE, SENTENCES, Gateway, settings
from lab.portal import Portal
from lab.shell import wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_HOST, OFFICE_NET, World

PSK, PASSWORD = "four-winds-1867", "eleven-frogs-leap"
PHONE = (360, 740)
PATTERN = [0, 21, 10, 35, 5, 44, 18, 31]
SOURCES_TO_LOCK, FAILURES_OF_A_SOURCE = 10, 5
HOME, OFFSITE = "203.0.113.10/24", "203.0.113.11/24"
SLOW = 60  # seconds that a page may take while a guest keeps the machine busy


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("story")
    made = World()
    try:
        made.add_gateway_and_office()
        sections = settings(grid={"enabled": "on"}, net={"server": f'"{INTERNET_GATEWAY}"', "routes": f'{{"{OFFICE_NET}"}}'})
        made.gateway_program = Gateway(made.gateway, directory / "gateway", PSK, {}, sections)
        made.on_close(made.gateway_program.close)
        made.portal = Portal(made.gateway_program)
        made.on_close(made.portal.close)
        made.client = StrongSwan(made.internet, "net", directory / "client", HOME, "203.0.113.254")
        made.on_close(made.client.close)
        yield made
    finally:
        made.close()


def invite(keeper, name):
    keeper.go("/admin/users")
    keeper.fill("/admin/users/add", name=name)
    keeper.until("the link", lambda: keeper.all("#invite"), SLOW)
    return keeper.one("#invite").get_attribute("value")


def open_invitation(user, link, name):
    user.driver.get(link)
    user.until("the choice", lambda: name in user.text and user.all('form[action="/invite/use"]'), SLOW)
    assert user.fits()


def read(browser):
    """What stands on the cells of the pattern, in its order."""
    cells = [cell.text for cell in browser.all(".grid td")]
    assert len(cells) == 48, browser.text
    return "".join(cells[cell] for cell in PATTERN)


def accept_with_pattern(user, link, name):
    """Taps the cells, practises twice, and is logged in at the page for devices."""
    open_invitation(user, link, name)
    for cell in PATTERN:
        user.one(f'form[action="/invite/pattern"] button[data-cell="{cell}"]').click()
    user.fill("/invite/pattern")
    user.until("practice", lambda: user.all('form[action="/invite/practise"]'), SLOW)
    rounds = 0
    while user.path != "/me/device":
        grid = user.one("input[name=grid]").get_attribute("value")
        user.fill("/invite/practise", answer=read(user))
        user.until("the next", lambda: user.path == "/me/device" or user.one("input[name=grid]").get_attribute("value") != grid,
                   SLOW)
        rounds += 1
    assert rounds == 2


def accept_with_password(user, link, name):
    open_invitation(user, link, name)
    user.fill("/invite/use", password=PASSWORD, again=PASSWORD)
    user.until("logged in", lambda: user.path == "/me/device", SLOW)


def digits(stranger, name):
    """A grid as somebody gets it who is not logged in."""
    stranger.go("/grid")
    stranger.fill("/grid", name=name)
    stranger.until("the grid", lambda: stranger.all(".grid td"), SLOW)
    assert stranger.fits()
    return read(stranger)


def other(text):
    """Digits of which each is wrong."""
    return "".join(str((int(c) + 5) % 10) for c in text)


def told(site, user, cause):
    """The page says why, and so does the command."""
    site.gateway_program.wait_explained(cause, "alice", SLOW)

    def page():
        user.go("/me/why")
        return JAPANESE[cause] in user.text

    user.until(f"the page says '{JAPANESE[cause]}'", page, SLOW)


def refused(client, profile):
    """Refused by PPP, with IPsec up before and after."""
    with pytest.raises(LoginFailed) as failure:
        client.dial(profile)
    assert failure.value.stage == "ppp"
    assert "authentication failed" in str(failure.value), failure.value
    client.hang_up()


def elsewhere(client):
    """The same computer at another address, which is how a device is known that does not say who it is."""
    client.guest.run(f"ip address del {HOME} dev vec0; ip address add {OFFSITE} dev vec0; "
                     "ip route replace default via 203.0.113.254")


def guess(site, addresses):
    """At the portal, from so many addresses, from each until it has to wait."""
    for number in range(addresses):
        guesser = site.portal.visitor(source=f"127.0.0.{10 + number}")
        guesser.submit(guesser.get("/grid"), "/grid", name="alice")  # where no grid is open, nothing is guessed
        for _ in range(FAILURES_OF_A_SOURCE):
            assert guesser.log_in("alice", "00000000").status == 403


def with_digits(text):
    return Profile(psk=PSK, user="alice", password=text, ppp=("refuse-eap", "refuse-pap", "refuse-chap", "refuse-mschap"))


def test_from_the_invitation_to_the_vpn(site, open_browser):
    """keeper --> invitation --> alice: pattern, grid, VPN <-- refused, locked <-- keeper unlocks --> VPN."""
    keeper, user, stranger = open_browser(), open_browser(PHONE, "ja"), open_browser(PHONE)
    client, gateway = site.client, site.gateway_program
    keeper.log_in_admin()
    accept_with_pattern(user, invite(keeper, "alice"), "alice")

    first = digits(stranger, "alice")
    stranger.picture("grid-phone")
    link = client.login(with_digits(first))
    client.ping(OFFICE_HOST)
    (session,) = gateway.sessions()
    assert (session["user"], session["address"], session["auth"]) == ("alice", link.address, "mschapv2")
    user.go("/me")
    user.until("the session is told", lambda: link.address in user.text, SLOW)
    client.logout(with_digits(first))
    wait_for("the session is over", lambda: gateway.sessions() == [], SLOW)

    # Shortly after, the same device comes back with what it has kept; from another address it is another device.
    client.login(with_digits(first))
    client.logout(with_digits(first))
    wait_for("the session is over", lambda: gateway.sessions() == [], SLOW)
    elsewhere(client)
    client.ipsec_up(with_digits(first), 60)
    refused(client, with_digits(first))
    told(site, user, "grid-expired")

    wrong = other(digits(stranger, "alice"))
    for _ in range(FAILURES_OF_A_SOURCE):
        refused(client, with_digits(wrong))
    told(site, user, "grid-wrong")
    guess(site, SOURCES_TO_LOCK - 1)
    keeper.go("/admin/user?name=alice")
    keeper.until("locked", lambda: keeper.all('form[action="/admin/user/unlock"]'), SLOW)
    keeper.picture("locked")
    right = digits(stranger, "alice")
    wait_for("refused for the lock, when the wait is over", lambda: refused(client, with_digits(right)) or SENTENCES[
        "user-locked"] in gateway.explain("alice"), SLOW)
    told(site, user, "user-locked")

    keeper.one('form[action="/admin/user/unlock"] button').click()
    keeper.until("unlocked", lambda: "Unlocked." in keeper.text, SLOW)
    right = digits(stranger, "alice")
    link = client.dial(with_digits(right))
    client.ping(OFFICE_HOST)
    assert [s["address"] for s in gateway.sessions()] == [link.address]
    client.logout(with_digits(right))


# What a file must be, by readers that do not know who wrote it.
READERS = {
    "windows": lambda text: text.startswith("\ufeff") and "Add-VpnConnection" in text,
    "macos": lambda text: plistlib.loads(text.encode())["PayloadContent"][0]["VPNType"] == "L2TP",
    "ios": lambda text: plistlib.loads(text.encode())["PayloadContent"][0]["PPP"]["AuthName"] == "carol",
    "linux": lambda text: "service-type=org.freedesktop.NetworkManager.l2tp" in text and "\nuser=carol\n" in text,
    "chromeos": lambda text: json.loads(text)["NetworkConfigurations"][0]["VPN"]["L2TP"]["Username"] == "carol",
    "routeros": lambda text: "/interface l2tp-client add" in text and 'user="carol"' in text,
}


def test_each_device_gets_its_file(site, open_browser, tmp_path):
    keeper, user = open_browser(), open_browser(PHONE)
    user.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    keeper.log_in_admin()
    accept_with_password(user, invite(keeper, "carol"), "carol")
    user.go("/me/device")
    kinds = [link.get_attribute("href").partition("for=")[2] for link in user.all(".devices a")]
    assert set(READERS) < set(kinds) and len(kinds) >= 9
    for kind in kinds:
        user.go(f"/me/device?for={kind}")
        user.until("the page", lambda: user.all(f'a[href="/me/device/file?for={kind}"]'), SLOW)
        assert user.fits()
        user.one(f'a[href="/me/device/file?for={kind}"]').click()
        file = user.until("the whole file", lambda: [f for f in tmp_path.iterdir() if f.suffix not in (".crdownload", ".tmp")
                                                     and not f.name.startswith(".") and f.stat().st_size > 0], SLOW)[0]
        text = file.read_bytes().decode()
        file.unlink()
        assert INTERNET_GATEWAY in text and PASSWORD not in text, kind
        assert READERS.get(kind, lambda _: True)(text), kind
