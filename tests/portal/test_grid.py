"""Logins by a pattern: enrolled at the portal, used at the VPN and at the portal itself."""
import re

import pytest

from lab.client import Client
from lab.gateway import Gateway, settings
from lab.portal import Portal, one_time_code
from lab.world import World

PATTERN = [0, 21, 10, 35, 5, 44, 18, 31]


@pytest.fixture
def site(tmp_path):
    """As in the other tests, with grids."""
    made = World()
    try:
        made.add_gateway_and_office()
        sections = settings(grid={"enabled": "on", "totp": "alternative"}, ppp={"auth": "{mschapv2}"})
        made.gateway_program = Gateway(made.gateway, tmp_path / "gateway", "four-winds-1867", {"alice": "wonder-land-42"},
                                       sections)
        made.on_close(made.gateway_program.close)
        made.portal = Portal(made.gateway_program)
        made.on_close(made.portal.close)
        yield made
    finally:
        made.close()


def read(page):
    """What stands in the cells of the pattern."""
    cells = re.findall(r"<td>(.)</td>", page.text)
    assert len(cells) == 48, page.text
    return "".join(cells[cell] for cell in PATTERN)


def enrol(portal):
    visitor = portal.visitor()
    visitor.log_in("alice", "wonder-land-42")
    page = visitor.get("/me/pattern")
    weak = visitor.submit(page, "/me/pattern", cells="0,1,2,3,4,5,6,7", old="wonder-land-42")
    assert "This pattern is not taken." in weak.text
    unproved = visitor.submit(page, "/me/pattern", cells=",".join(map(str, PATTERN)), old="not-the-password")
    assert "Practise" not in unproved.text
    page = visitor.submit(page, "/me/pattern", cells=",".join(map(str, PATTERN)), old="wonder-land-42")
    wrong = visitor.submit(page, "/me/pattern/practise", answer="x")
    assert "That was not what stands there." in wrong.text
    page = wrong
    for _ in range(5):
        page = visitor.submit(page, "/me/pattern/practise", answer=read(page))
        if "The pattern is in force." in page.text:
            return visitor
    raise AssertionError(page.text)


def test_a_pattern_is_made_and_opens_vpn_and_portal_once_a_grid(site, tmp_path):
    enrol(site.portal)
    visitor = site.portal.visitor()
    assert visitor.log_in("alice", "wonder-land-42").status == 403, "the password has given way"
    page = visitor.submit(visitor.get("/grid"), "/grid", name="alice")
    digits = read(page)
    assert visitor.submit(page, "/grid/login", answer=digits).status == 200
    again = site.portal.visitor()
    assert again.follow(again.post("/grid/login", {})).status == 403
    page = again.submit(again.get("/grid"), "/grid", name="alice")
    client = Client(site.add_computer(), tmp_path, "alice", read(page), "four-winds-1867")
    site.on_close(client.close)
    client.wait_up()


def test_a_stranger_sees_a_grid_for_every_name(site):
    enrol(site.portal)
    pages = []
    for name in ("alice", "nobody"):
        visitor = site.portal.visitor()
        page = visitor.submit(visitor.get("/grid"), "/grid", name=name)
        assert len(re.findall(r"<td>(.)</td>", page.text)) == 48
        pages.append(re.sub(r"<td>.</td>|value=\"[^\"]*\"|number, \d+,", "", page.text))
    assert pages[0] == pages[1]


def test_one_time_codes_are_begun_by_a_picture_and_taken_away_by_a_code(site):
    visitor = site.portal.visitor()
    visitor.log_in("alice", "wonder-land-42")
    page = visitor.submit(visitor.get("/me/codes"), "/me/codes/begin")
    assert "<svg" in page.text
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)[1]
    wrong = visitor.submit(page, "/me/codes/confirm", answer="000000")
    assert "in force" not in wrong.text and not site.portal.ask("user.list", name="alice")["users"][0]["totp"]
    page = visitor.submit(visitor.get("/me/codes"), "/me/codes/begin")
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)[1]
    page = visitor.submit(page, "/me/codes/confirm", answer=one_time_code(secret))
    assert "One-time codes are in force." in page.text
    assert site.portal.ask("user.list", name="alice")["users"][0]["totp"]
    page = visitor.submit(page, "/me/codes/off", answer="000000")
    assert site.portal.ask("user.list", name="alice")["users"][0]["totp"], "not without a code"
