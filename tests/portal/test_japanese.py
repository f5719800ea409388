"""Every page in Japanese, on good days and bad: what a reader sees has no English in it but names and terms."""
import html.parser
import re

import pytest

from lab.client import Client
from lab.gateway import settings
from lab.portal import ADMIN, ADMIN_PASSWORD, one_time_code

from portal.conftest import PSK, USERS, gateway_and_portal

PASSWORD = USERS["alice"]
NAMES = {"alice", "bob", "carol", "keeper", "field", "monitor", "office", "default"}
# What is written in Latin letters in Japanese too.
TERMS = set("""
    Sekisho VPN L2TP IPsec IKE ESP NAT UDP DNS NTP PPP LCP IP IPv4 MS CHAP SA OCSP CRL
    English JSON API QR ID URL OS UTC KB MB GB ms UTF
    iPhone iPad Mac macOS iOS Windows Android Linux NetworkManager Chromebook ChromeOS RouterOS MikroTik NVR RTX OpenWrt
    status sessions kick users manage config
""".split())
SILENT = {"script", "style", "code", "textarea", "svg"}  # not read as prose: programs, terms, what was typed in
STEPS = re.compile(r'<div class="text">(.*?)</div>', re.S)  # for a device, by its own menus and commands
SPOKEN = {"aria-label", "alt", "placeholder", "title", "data-done"}


class Prose(html.parser.HTMLParser):
    """What is read on a page, and what a screen reader says."""

    def __init__(self, text):
        super().__init__()
        self.heard, self.depth = [], 0
        self.languages = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        self.depth += tag in SILENT
        self.languages += [a["lang"]] if tag != "html" and "lang" in a else []
        self.heard += [a[name] or "" for name in SPOKEN if name in a]

    def handle_endtag(self, tag):
        self.depth -= tag in SILENT

    def handle_data(self, data):
        if not self.depth:
            self.heard.append(data)


def english(page):
    """The words of a page that are neither Japanese nor names nor terms."""
    steps = STEPS.search(page.text)
    if steps and not re.search("してください|ます。|ません。", steps[1]):
        return {"steps"}
    prose = Prose(STEPS.sub("", page.text))
    assert page.text.startswith('<!doctype html><html lang="ja">'), page.text[:300]
    assert prose.languages[:1] == ["en"], "the way to English"
    if prose.languages[1:]:
        return {'lang="en": ' + re.search(r'.*lang="en">([^<]*)', page.text, re.S)[1]}
    text = " ".join(prose.heard)
    text = re.sub(r"\S*[.@/=_:-]\S*", lambda m: m[0] if re.search(r"[^\x00-\x7f]", m[0]) else "", text)  # addresses, paths, keys
    return {word for word in re.findall(r"[A-Za-z][A-Za-z0-9]+", text) if word not in NAMES | TERMS}


class Walk:
    """Looks at pages and remembers where there is English."""

    def __init__(self):
        self.found = {}
        self.seen = 0

    def see(self, what, page, status=(200,)):
        assert page.status in status, (what, page.status, page.text)
        self.seen += 1
        if words := english(page):
            self.found[what] = sorted(words)
        return page

    def refused(self, what, page, status=(200,)):
        self.see(what, page, status)
        if 'class="notice bad"' not in page.text:
            self.found[what] = ["is not refused"]
        return page

    def done(self):
        assert not self.found, "\n".join(f"{what}: {' '.join(words)}" for what, words in self.found.items())


@pytest.fixture
def site(tmp_path):
    with gateway_and_portal(tmp_path, settings(grid={"enabled": "on", "totp": "alternative"})) as made:
        yield made


def japanese(portal):
    return portal.visitor("ja-JP,ja;q=0.9,en;q=0.5")


def test_a_stranger_reads_japanese_alone(site):
    walk, visitor = Walk(), japanese(site.portal)
    for path in ("/", "/login", "/admin/login", "/why", "/invite", "/grid"):
        walk.see(path, visitor.get(path))
    walk.refused("wrong password", visitor.log_in("alice", "not-the-password"), (403,))
    walk.refused("wrong administrator", visitor.submit(visitor.get("/admin/login"), "/admin/login", name="keeper",
                                                       password="x", answer="000000"), (403,))
    walk.refused("no invitation", visitor.submit(visitor.get("/invite"), "/invite", code="x" * 32), (403,))
    page = walk.see("a grid", visitor.submit(visitor.get("/grid"), "/grid", name="alice"))
    walk.see("a wrong answer", visitor.submit(page, "/grid/login", answer="00000000"), (200, 403))
    walk.see("no page", visitor.get("/nowhere"), (404,))
    walk.see("no token", visitor.post("/login", {"name": "alice"}), (403,))
    walk.see("no form", visitor.post("/login", {"Name!": "alice"}), (400,))
    walk.done()


def test_a_user_reads_japanese_alone(site, tmp_path):
    wrong = Client(site.add_computer(), tmp_path, "alice", "not-the-password", PSK, wait=False)
    site.on_close(wrong.close)
    site.gateway_program.wait_explained("wrong-password")
    walk, visitor = Walk(), japanese(site.portal)
    walk.see("home", visitor.log_in("alice", PASSWORD))
    for path in ("/me/why", "/me/device", "/me/device/hand", "/me/password", "/me/pattern", "/me/codes"):
        walk.see(path, visitor.get(path))
    for device in sorted(set(re.findall(r"/me/device\?for=(\w+)", visitor.get("/me/device").text))):
        for path in ("/me/device", "/me/device/hand"):
            walk.see(f"{path} for {device}", visitor.get(f"{path}?for={device}"))
    page = visitor.get("/me/password")
    walk.refused("short", visitor.submit(page, "/me/password", old=PASSWORD, password="short", again="short"))
    walk.refused("not proved", visitor.submit(page, "/me/password", old="x", password="ten-letters-x", again="ten-letters-x"))
    page = visitor.get("/me/pattern")
    for cells in ("0,1,2,3,4,5,6,7", "0", "99", "0,x", ",".join("0" for _ in range(70)), "0,0,0,0,0,0,0,0"):
        walk.see(f"pattern {cells}", visitor.submit(page, "/me/pattern", cells=cells, old=PASSWORD), (200, 422))
    for phrase in ("\u3042", "x" * 80):
        fields = {"cells": "0,21,10,35,5,44,18,31", "old": PASSWORD, "phrase": phrase}
        walk.see("phrase", visitor.submit(page, "/me/pattern", **fields), (200, 422))
    walk.refused("practice of nothing", visitor.follow(visitor.post(
        "/me/pattern/practise", {"token": page.form("/logout")["token"], "answer": "1", "number": "1", "code": "x"})), (200, 422))
    walk.refused("not proved", visitor.submit(visitor.get("/me/codes"), "/me/codes/begin", old="x"))
    page = walk.see("codes", visitor.submit(visitor.get("/me/codes"), "/me/codes/begin", old=PASSWORD))
    walk.refused("a wrong code", visitor.submit(page, "/me/codes/confirm", answer="000000"))
    walk.refused("no session", visitor.follow(visitor.post("/me/kick", {"token": page.form("/logout")["token"], "session": "9"})))
    walk.done()


def keeper_of(site):
    secret = site.portal.admin(ADMIN, ADMIN_PASSWORD)
    keeper = japanese(site.portal)
    page = keeper.submit(keeper.get("/admin/login"), "/admin/login", name=ADMIN, password=ADMIN_PASSWORD,
                         answer=one_time_code(secret))
    assert page.status == 200, page.text
    return keeper


def test_an_administrator_reads_japanese_alone(site, tmp_path):
    gateway = site.gateway_program
    wrong = Client(site.add_computer(), tmp_path, "alice", "not-the-password", PSK, wait=False)
    site.on_close(wrong.close)
    gateway.wait_explained("wrong-password")
    stranger = Client(site.add_computer(), tmp_path / "stranger", "bob", "builder-77-hats", "five-winds-1868", wait=False)
    site.on_close(stranger.close)
    gateway.wait_explained("wrong-psk")
    gateway.namespace.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    walk, keeper = Walk(), keeper_of(site)
    token = keeper.get("/admin").form("/logout")["token"]

    def send(path, **fields):
        return keeper.follow(keeper.post(path, {"token": token, **fields}))

    walk.see("a group", send("/admin/groups/add", name="field"))
    walk.see("a user", send("/admin/users/add", name="carol", password="seven-long-words", group="field"))
    walk.see("an invitation", send("/admin/user/invite", name="bob"))
    walk.see("a token", send("/admin/tokens/make", name="monitor", scope_status="1"))
    for path in ("", "/users", "/user?name=alice", "/groups", "/group?name=field", "/invites", "/administrators",
                 f"/administrator?name={ADMIN}", "/tokens", "/stories", "/pools", "/health", "/config"):
        walk.see("/admin" + path, keeper.get("/admin" + path))
    health = keeper.get("/admin/health").text
    assert re.search("ログの記録: <code>[^<]+</code>", keeper.get("/admin/stories").text), "what was tried"
    assert "このホストはパケットを転送しません。" in health and "/proc/sys/net/ipv4/ip_forward" in health
    refusals = {
        "a user twice": ("/admin/users/add", {"name": "alice", "password": "seven-long-words"}),
        "no user name": ("/admin/users/add", {"name": "a b", "password": "seven-long-words"}),
        "no group": ("/admin/users/add", {"name": "dave", "password": "seven-long-words", "group": "nowhere"}),
        "a long name": ("/admin/users/add", {"name": "d" * 400, "password": "seven-long-words"}),
        "a control character": ("/admin/users/add", {"name": "dave", "password": "seven\tlong\twords"}),
        "no address": ("/admin/user/save", {"name": "alice", "enabled": "1", "address": "10.99"}),
        "an address outside": ("/admin/user/save", {"name": "alice", "enabled": "1", "address": "192.0.2.7"}),
        "no date": ("/admin/user/save", {"name": "alice", "enabled": "1", "expires": "tomorrow"}),
        "nobody": ("/admin/user/save", {"name": "nobody", "enabled": "1"}),
        "nobody's password": ("/admin/user/password", {"name": "nobody", "password": "seven-long-words"}),
        "nobody's lock": ("/admin/user/unlock", {"name": "nobody"}),
        "nobody's end": ("/admin/user/delete", {"name": "nobody"}),
        "nobody's page": ("/admin/user/kick", {"name": "nobody"}),
        "a group twice": ("/admin/groups/add", {"name": "field"}),
        "no group's name": ("/admin/groups/add", {"name": "a/b"}),
        "no pool": ("/admin/group/save", {"name": "field", "enabled": "1", "pool": "nowhere"}),
        "a full group": ("/admin/group/delete", {"name": "field"}),
        "no such group": ("/admin/group/delete", {"name": "nowhere"}),
        "no such session": ("/admin/kick", {"session": "99"}),
        "no such invitation": ("/admin/invites/revoke", {"id": "99"}),
        "a token twice": ("/admin/tokens/make", {"name": "monitor", "scope_status": "1"}),
        "a token for nothing": ("/admin/tokens/make", {"name": "other"}),
        "a token of yesterday": ("/admin/tokens/make", {"name": "other", "scope_status": "1", "expires": "2001-01-01"}),
        "no such token": ("/admin/tokens/revoke", {"name": "nowhere"}),
        "an administrator twice": ("/admin/administrators/add", {"name": ADMIN, "password": "x" * 14, "again": "x" * 14}),
        "no administrator's name": ("/admin/administrators/add", {"name": "a b", "password": "x" * 14, "again": "x" * 14}),
        "no such administrator": ("/admin/administrator/delete", {"name": "nobody"}),
        "oneself": ("/admin/administrator/delete", {"name": ADMIN}),
    }
    for what, (path, fields) in refusals.items():
        walk.refused(what, send(path, **fields))
    site.gateway_program.config.write_text('pool "office" { range = "10.1.1.9-10.1.1.2" }\n')
    page = walk.refused("a bad reload", send("/admin/reload"))
    assert "<code>10.1.1.9-10.1.1.2</code> は逆順です。" in page.text and ":1:" in page.text
    walk.done()


POOL = 'pool "office" { range = "10.1.1.2-10.1.1.9" }\n'
BAD = [
    "ike { policy = modren }", "ike { polcy = modern }", "nonsense = 1", "ike {", "}", "ike { policy", "ike { policy = = }",
    '/* no end', 'ike { policy = "modern }', "ike { lifetime = soon }", "ike { lifetime = 1s }", "net { masquerade = perhaps }",
    "ppp { mru = 1 }", "ppp { mru = x }", "ppp { auth = {mschapv2, mschapv2} }", "ppp { auth = {chap} }", "ppp { auth = {} x }",
    "ike { policy = modern policy = legacy }", "ike = 3", "pool { }", 'pool "a" { }', 'pool "a b" { range = "10.1.1.2-10.1.1.9" }',
    'pool "a" { range = "10.1.1" }', 'pool "a" { range = "10.1.1.9-10.1.1.2" }', 'pool "a" { range = "0.0.0.1-0.0.0.9" }',
    'pool "a" { range = "10.0.0.1-10.200.0.1" }', 'pool "a" { range = "10.1.1.2-10.1.1.9" gateway = "10.1.1.3" }',
    POOL + 'pool "b" { range = "10.1.1.5-10.1.1.20" }', POOL + 'pool "office" { range = "10.2.1.5-10.2.1.20" }',
    'pool "a" { range = "10.1.1.2-10.1.1.9" dns = {"x"} }', 'pool "a" { range = "10.1.1.2-10.1.1.9" dns = {"::1"} }',
    'net { routes = {"10.0.0.1/8"} }', 'users { database = "users.db" }', 'psk "a" { }', 'psk "a" { file = "/a" secret = "b" }',
    'certificate "a" { }', 'certificate "a" { file = "/a" }', 'authority "a" { file = "/a" }', "ppp { auth = {eap-tls} }",
    "ike { lifetime = 1h child_lifetime = 2h }", 'portal { url = "http://x" }', "grid { blocks = 1 rows = 2 columns = 2 }",
    'grid { alphabet = "aa" }', "grid { in_blocks = 5 }", "listen = {\"x\"}", "ike { policy += modern }", "ike { policy = mo\\dern }",
]


def test_what_is_wrong_with_a_configuration_is_told_in_japanese(site):
    walk, keeper = Walk(), keeper_of(site)
    page = walk.see("good", keeper.submit(keeper.get("/admin/config"), "/admin/config", config=POOL))
    told = set()
    for text in BAD:
        found = walk.refused(text, keeper.submit(page, "/admin/config", config=text + "\n"))
        assert "sekisho.conf" in found.text or "<code>" in found.text, text
        told.add(re.sub(r"<code>.*?</code>", "", re.search(r'<p class="detail">(.*?)</p>', found.text, re.S)[1]))
    assert len(told) > 25, sorted(told)
    walk.done()
