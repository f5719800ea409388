"""Logins by a pattern: enrolled at the portal, used at the VPN and at the portal itself."""
import re

import pytest

from lab.client import Client
from lab.gateway import settings
from lab.portal import one_time_code

from portal.conftest import PSK, gateway_and_portal

PATTERN = [0, 21, 10, 35, 5, 44, 18, 31]


@pytest.fixture
def site(tmp_path):
    """As in the other tests, with grids."""
    sections = settings(grid={"enabled": "on", "totp": "alternative"}, ppp={"auth": "{mschapv2, eap-gtc}"})
    with gateway_and_portal(tmp_path, sections) as made:
        yield made


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
    assert weak.status == 422 and "This pattern is not taken." in weak.text
    assert "The pattern leaves out blocks of the grid." in weak.text, weak.text
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
    client = Client(site.add_computer(), tmp_path, "alice", read(page), PSK)
    site.on_close(client.close)
    client.wait_up()


def test_the_profile_of_who_has_a_pattern_has_the_grid_shown_on_the_terminal(site):
    visitor = site.portal.visitor()
    visitor.log_in("alice", "wonder-land-42")
    before = visitor.get("/me/device/file?for=sekisho").text
    assert "eap-gtc" in before and "mschapv2" in before and "answer_prompts" not in before
    visitor = enrol(site.portal)
    after = visitor.get("/me/device/file?for=sekisho").text
    assert 'methods = { "eap-gtc" }' in after and "answer_prompts = off" in after
    assert "A grid is shown" in visitor.get("/me/device?for=sekisho").text


def test_a_pattern_gives_way_only_to_whoever_reads_a_grid_by_it(site):
    """A screen left open does not hand over the name: neither a new pattern nor its removal."""
    visitor = enrol(site.portal)
    other = site.portal.visitor()
    page = other.submit(other.get("/grid"), "/grid", name="alice")
    assert other.submit(page, "/grid/login", answer=read(page)).status == 200
    page = visitor.get("/me/pattern")
    assert "First show that it is you" in page.text and "/me/pattern" not in page.forms()
    token = {"token": page.form("/me/pattern/prove")["token"]}
    for path in ("/me/pattern", "/me/pattern/trial", "/me/pattern/off"):
        sent = visitor.post(path, {**token, "cells": ",".join(map(str, PATTERN)), "off": "1"})
        assert sent.status == 303 and sent.location == "/me/pattern"
    assert site.portal.ask("user.list", name="alice")["users"][0]["login"] == "grid"
    page = visitor.submit(page, "/me/pattern/prove", answer="x")
    assert "That was not what stands in your cells." in page.text and "/me/pattern/prove" in page.forms()
    page = visitor.submit(page, "/me/pattern/prove", answer=read(page))
    assert {"/me/pattern", "/me/pattern/off"} <= set(page.forms())
    page = visitor.submit(page, "/me/pattern/off")
    assert other.raw("GET", "/me").location == "/login", "other logins have ended"
    assert site.portal.ask("user.list", name="alice")["users"][0]["login"] == "password"


def as_seen(answer):
    """All of an answer but what is random: status, headers, body with its length."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in ("Date", "Set-Cookie"))
    body = re.sub(r"<td>.</td>", "<td>", answer.text)  # the grid
    body = re.sub(r'name="(token|code)" value="[0-9a-f]*"', r'name="\1"', body)
    return answer.status, headers, re.sub(r"number, \d\d|番号 \d\d|\b\d\d\b", "##", body)


def test_a_stranger_is_told_the_same_under_every_name(site):
    """Known with a pattern, with a password, disabled, locked, with codes; and not known: byte for byte but for names."""
    portal, gateway = site.portal, site.gateway_program
    enrol(portal)
    for name in ("bobby", "carol", "david", "erwin"):
        gateway.add_user(name, "wonder-land-42")
    portal.ask("user.set", name="carol", enabled=False)
    for source in range(1, 11):  # as many as grid.lock_sources
        for _ in range(6):
            gateway.verb("user.check", name="david", password="wrong", source=f"203.0.113.{source}")
    assert portal.ask("user.list", name="david")["users"][0]["locked"]
    secret = portal.ask("totp.begin", user="erwin")["secret"]
    portal.ask("totp.confirm", user="erwin", answer=one_time_code(secret))
    for number, language in enumerate(("en", "ja")):
        seen = {}
        for place, name in enumerate(("nobod", "alice", "bobby", "carol", "david", "erwin", "nobdy")):
            visitor = portal.visitor(language, f"127.2.{number}.{place + 1}")
            refused = visitor.log_in(name, "not-the-password")
            grid = visitor.submit(visitor.get("/grid"), "/grid", name=name)
            assert len(re.findall(r"<td>(.)</td>", grid.text)) == 48
            answers = [refused, grid, visitor.submit(grid, "/grid/login", answer="00000000"),
                       visitor.get("/why")]
            assert [answer.status for answer in answers] == [403, 200, 403, 200]
            seen[name] = [repr(as_seen(answer)).replace(name, "NAME").replace(visitor.source, "SOURCE")
                          for answer in answers]
        for name, pages in seen.items():
            assert pages == seen["nobod"], name


def test_a_browser_that_is_remembered_is_shown_true_grids(site):
    """strangers off: alice remembers this browser --> a true grid without a login, until her password or pattern changes."""
    portal = site.portal
    visitor = enrol(portal)

    def show_strangers(word):
        site.gateway_program.write_config(grid={"strangers": word})
        site.gateway_program.reload()

    def log_in(browser):
        page = browser.submit(browser.get("/grid"), "/grid", name="alice")
        return browser.submit(page, "/grid/login", answer=read(page)).status

    def login(cookies):
        browser = portal.visitor(source="127.0.0.9")
        browser.cookies = dict(cookies)
        return log_in(browser)

    def remember():
        page = visitor.get("/me/pattern")
        if "/me/pattern/prove" in page.forms():
            before = visitor.cookies.get("__Host-device")
            assert visitor.post("/me/pattern/remember", page.form("/logout")).location == "/me/pattern"
            assert visitor.cookies.get("__Host-device") == before, "a screen left open is not enough"
            page = visitor.submit(page, "/me/pattern/prove", answer=read(page))
        sent = visitor.post("/me/pattern/remember", page.form("/me/pattern/remember"))
        (cookie,) = [c for c in sent.headers.get_all("Set-Cookie") if c.startswith("__Host-device=")]
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        assert 89 * 86400 <= int(re.search(r"Max-Age=(\d+)", cookie)[1]) <= 90 * 86400
        return {"__Host-device": visitor.cookies["__Host-device"]}

    show_strangers("off")
    assert login({}) == 403 and login({"__Host-device": "A" * 52}) == 403
    old = remember()
    site.portal.ask("user.passwd", name="alice", password="another-word-77")
    assert login(old) == 403, "a change of the password has ended it"
    show_strangers("on")
    assert log_in(visitor) == 200, "and her login too"
    show_strangers("off")
    assert login(remember()) == 200
    page = visitor.get("/me/pattern")
    assert "This browser is remembered." in page.text or "/me/pattern/forget" in page.forms()
    page = visitor.submit(page, "/me/pattern/forget")
    assert "__Host-device" not in visitor.cookies and "/me/pattern/forget" not in page.forms()


def none_begun(site):
    """Whether no secret waits for its first code: a wrong one is not even compared."""
    reply = site.gateway_program.verb("totp.confirm", user="alice", answer="x")
    assert not reply["ok"], reply
    return reply["error"]["code"] == "not-found"


def test_one_time_codes_are_begun_by_a_picture_and_taken_away_by_a_code(site):
    """A screen left open lays no codes on the account: the password is asked for again."""
    visitor = site.portal.visitor()
    visitor.log_in("alice", "wonder-land-42")
    page = visitor.submit(visitor.get("/me/codes"), "/me/codes/begin", old="not-the-password")
    assert 'class="notice bad"' in page.text and "<svg" not in page.text and "old" in page.form("/me/codes/begin")
    assert none_begun(site)
    page = visitor.submit(page, "/me/codes/begin", old="wonder-land-42")
    assert "<svg" in page.text and not none_begun(site)
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)[1]
    wrong = visitor.submit(page, "/me/codes/confirm", answer="000000")
    assert "in force" not in wrong.text and not site.portal.ask("user.list", name="alice")["users"][0]["totp"]
    page = visitor.submit(visitor.get("/me/codes"), "/me/codes/begin", old="wonder-land-42")
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)[1]
    page = visitor.submit(page, "/me/codes/confirm", answer=one_time_code(secret))
    assert "One-time codes are in force." in page.text
    assert site.portal.ask("user.list", name="alice")["users"][0]["totp"]
    page = visitor.submit(page, "/me/codes/off", answer="000000")
    assert site.portal.ask("user.list", name="alice")["users"][0]["totp"], "not without a code"


def test_who_has_a_pattern_reads_a_grid_before_one_time_codes_begin(site):
    """alice, by her pattern: begin --> the grid first --> read wrong, read right --> the picture."""
    portal = site.portal
    visitor = enrol(portal)
    page = visitor.get("/me/codes")
    assert "First show that it is you" in page.text and "/me/codes/begin" not in page.forms()
    for fields in ({}, {"old": "wonder-land-42"}):
        sent = visitor.post("/me/codes/begin", {"token": page.form("/me/codes/prove")["token"], **fields})
        assert sent.status == 303 and sent.location == "/me/codes"
    page = visitor.submit(visitor.get("/me/codes"), "/me/codes/prove", answer="x")
    assert "That was not what stands in your cells." in page.text and "/me/codes/begin" not in page.forms()
    assert none_begun(site)
    page = visitor.submit(page, "/me/codes/prove", answer=read(page))
    page = visitor.submit(page, "/me/codes/begin")
    assert not none_begun(site)
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)[1]
    page = visitor.submit(page, "/me/codes/confirm", answer=one_time_code(secret))
    assert "One-time codes are in force." in page.text
    page = visitor.submit(page, "/me/codes/off", answer="000000")
    assert portal.ask("user.list", name="alice")["users"][0]["totp"], "not without a code"


def test_one_time_codes_follow_what_the_configuration_says_of_them(site):
    """off: nothing begins --> alternative: begun --> second: they stay --> no grids: unused."""
    visitor, portal = site.portal.visitor(), site.portal
    visitor.log_in("alice", "wonder-land-42")

    def policy(**grid):
        site.gateway_program.write_config(grid=grid)
        site.gateway_program.reload()
        return visitor.get("/me/codes")

    def codes():
        return portal.ask("user.list", name="alice")["users"][0]["totp"]

    page = policy(totp='"off"')
    token = {"token": page.form("/logout")["token"]}
    assert "not in use on this gateway" in page.text and "/me/codes/begin" not in page.forms()
    for path in ("begin", "confirm", "off"):
        assert visitor.post(f"/me/codes/{path}", {**token, "answer": "123456"}).location == "/me/codes"
    page = policy(totp='"alternative"')
    assert "instead of reading a grid" in page.text
    page = visitor.submit(page, "/me/codes/begin", old="wonder-land-42")
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page.text)[1]
    assert visitor.switch(visitor.switch(page)).status == 200
    page = visitor.submit(page, "/me/codes/confirm", answer=one_time_code(secret))
    assert codes() and "/me/codes/off" in page.forms() and "/me/codes/begin" not in page.forms()
    page = policy(totp='"second"')
    assert "Only an administrator can take them away." in page.text and "/me/codes/off" not in page.forms()
    visitor.post("/me/codes/off", {**token, "answer": one_time_code(secret)})
    assert codes()
    page = policy(enabled="off")
    assert "no login asks for them" in page.text and set(page.forms()) == {"/logout"}


def invitation(portal, name, **args):
    return portal.ask("invite.make", name=name, **args)["token"]


def opened(portal, code, language="en"):
    visitor = portal.visitor(language)
    return visitor, visitor.submit(visitor.get("/invite"), "/invite", code=code)


def practised(visitor, page, answer=read):
    """Reads grids until there are no more."""
    for _ in range(4):
        if not page.text.count('action="/invite/practise"'):
            return page
        page = visitor.submit(page, "/invite/practise", answer=answer(page))
    raise AssertionError(page.text)


def test_an_invitation_leads_to_a_pattern_and_the_file_for_the_device(site, tmp_path):
    portal = site.portal
    code = invitation(portal, "dora")
    visitor, page = opened(portal, code)
    assert "Welcome, dora." in page.text and page.form("/invite/use") and page.form("/invite/pattern")
    page = visitor.submit(page, "/invite/pattern", cells=",".join(map(str, PATTERN)))
    wrong = visitor.submit(page, "/invite/practise", answer="12345678")
    assert "That was not what stands there." in wrong.text
    page = visitor.submit(wrong, "/invite/practise", answer=read(wrong))
    assert "Rounds left: 1." in page.text and portal.ask("invite.list")["invites"], "not used up yet"
    page = visitor.submit(page, "/invite/practise", answer=read(page))
    assert "Your pattern is in force. You are logged in." in page.text and "Set up a device" in page.text
    assert portal.ask("invite.list")["invites"] == []
    assert opened(portal, code)[1].status == 403, "good once"
    page = visitor.get("/grid")
    other = portal.visitor()
    page = other.submit(other.get("/grid"), "/grid", name="dora")
    client = Client(site.add_computer(), tmp_path, "dora", read(page), PSK)
    site.on_close(client.close)
    client.wait_up()


def test_an_enrolment_that_was_left_is_gone_on_with(site):
    portal = site.portal
    code = invitation(portal, "dora")
    visitor, page = opened(portal, code)
    assert "Go on practising" not in page.text
    page = visitor.submit(page, "/invite/pattern", cells=",".join(map(str, PATTERN)), phrase="sesame", after="1")
    visitor.submit(page, "/invite/practise", answer=read(page) + "sesame")
    visitor, page = opened(portal, code)  # another browser, the same link
    page = visitor.submit(page, "/invite/practise")
    assert "Rounds left: 1." in page.text, page.text
    page = practised(visitor, page, lambda seen: read(seen) + "sesame")
    assert "Your pattern is in force." in page.text
    assert portal.ask("user.list", name="dora")["users"][0]["phrase"]
    code = invitation(portal, "dora")
    visitor, page = opened(portal, code)
    page = visitor.submit(page, "/invite/use", password="eleven-frogs", again="eleven-frogs")
    assert portal.visitor().log_in("dora", "eleven-frogs").status == 200, "a password in place of the pattern"


def test_an_invitation_for_one_name_makes_no_pattern_for_another(site):
    portal = site.portal
    visitor, page = opened(portal, invitation(portal, "dora"))
    fields = {**page.form("/invite/pattern"), "cells": ",".join(map(str, PATTERN))}
    page = visitor.follow(visitor.post("/invite/pattern", {**fields, "name": "alice", "user": "alice"}))
    page = practised(visitor, page)
    assert portal.ask("user.list", name="alice")["users"][0]["login"] == "password"
    assert portal.ask("user.list", name="dora")["users"][0]["login"] == "grid"
    for path in ("/invite/trial", "/invite/pattern", "/invite/practise"):
        stranger = portal.visitor()
        token = stranger.get("/invite").form("/invite")["token"]
        assert stranger.post(path, {**fields, "token": token, "code": "a" * 32}).status == 403, path


def tried(visitor, page, action, cells):
    """Presses the button that only tries the pattern."""
    return visitor.follow(visitor.post(action.replace("pattern", "trial") if "invite" in action else action + "/trial",
                                       {**page.form(action), "cells": cells}))


def test_what_a_pattern_is_worth_is_told_without_taking_it(site):
    portal = site.portal
    visitor, page = opened(portal, invitation(portal, "dora"), "ja")
    page = tried(visitor, page, "/invite/pattern", "0,1,2,3,4,5,6,7")
    assert page.status == 422 and "使っていないブロックがあります。" in page.text
    assert page.form("/invite/pattern")["cells"] == "0,1,2,3,4,5,6,7", "what was typed stands there"
    page = tried(visitor, page, "/invite/pattern", ",".join(map(str, PATTERN)))
    assert page.status == 200 and re.search("強さ: [2-5][0-9] ビット", page.text), page.text
    odd = tried(visitor, page, "/invite/pattern", "0,x,<b>")
    assert odd.status == 422 and "パターンは 0,22,45,11 のように書いてください。" in odd.text and "<b>" not in odd.text
    code = page.form("/invite/pattern")["code"]
    assert portal.ask("invite.show", token=code)["invite"]["rounds"] == 0, "nothing is kept"
    alice = portal.visitor()
    alice.log_in("alice", "wonder-land-42")
    page = tried(alice, alice.get("/me/pattern"), "/me/pattern", "0,1,2")
    assert "The pattern has too few cells." in page.text
    statuses = set()
    for _ in range(200):
        statuses.add(alice.post("/me/pattern/trial", {**page.form("/me/pattern"), "cells": "0,1,2"}).status)
        if 429 in statuses:
            break
    assert statuses == {422, 429}, "tries are limited"


def test_a_group_says_whether_it_is_a_password_or_a_pattern(site):
    portal = site.portal
    for login, offered in (("grid", {"/invite/pattern"}), ("password", {"/invite/use"}), ("", {"/invite/pattern", "/invite/use"})):
        portal.ask("group.add", name=f"all-{login}", login=login)
        page = opened(portal, invitation(portal, f"user-{login}", group=f"all-{login}"))[1]
        assert offered == {"/invite/pattern", "/invite/use"} & set(page.forms()), login


def test_a_whole_office_behind_one_address_is_invited_at_once(site):
    portal = site.portal
    visitor, page = opened(portal, invitation(portal, "dora"))
    page = visitor.submit(page, "/invite/pattern", cells=",".join(map(str, PATTERN)))
    fields = page.form("/invite/practise")
    for _ in range(14):  # more than there are logins in a burst
        page = visitor.follow(visitor.post("/invite/practise", {**fields, "grid": ""}))
        assert page.status == 200, page.text
