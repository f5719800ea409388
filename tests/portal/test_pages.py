"""Users at the portal, spoken to as a browser would."""
import contextlib
import plistlib
import re
import sqlite3
import time

from lab.client import Client
from lab.shell import wait_for


def test_a_user_logs_in_and_out(portal):
    visitor = portal.visitor()
    page = visitor.log_in("alice", "wonder-land-42")
    assert page.status == 200 and "My connections" in page.text and "None of your devices" in page.text
    cookie = dict(visitor.cookies)
    visitor.submit(page, "/logout")
    visitor.cookies = cookie
    assert 'action="/login"' in visitor.get("/me").text, "the cookie is worth nothing after the logout"


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(portal):
    wrong = portal.visitor().log_in("bob", "not-bobs-password")
    unknown = portal.visitor().log_in("nobody", "not-bobs-password")
    assert wrong.status == unknown.status == 403
    strip = lambda page, name: page.text.replace(name, "X").replace(page.form("/login")["token"], "T")
    assert strip(wrong, "bob") == strip(unknown, "nobody")


def test_a_user_sees_the_own_sessions_and_ends_one(site, portal, gateway, tmp_path):
    with_client = Client(site.add_computer(), tmp_path, "alice", "wonder-land-42", "four-winds-1867")
    site.on_close(with_client.close)
    with_client.wait_up()
    session = gateway.sessions()[0]
    alice, bob = portal.visitor(), portal.visitor()
    bobs = bob.log_in("bob", "builder-77-hats")
    assert session["address"] not in bobs.text
    kick = {"token": bobs.form("/logout")["token"], "session": str(session["id"])}
    bob.post("/me/kick", kick)
    assert len(gateway.sessions()) == 1, "bob cannot end what is alice's"
    page = alice.log_in("alice", "wonder-land-42")
    assert session["address"] in page.text
    page = alice.submit(page, "/me/kick")
    assert "Disconnected." in page.text
    wait_for("the session has ended, whoever comes back", lambda: [
        e for e in portal.ask("event.list")["events"] if (e["type"], e["user"], e["cause"]) == ("session-down", "alice", "kicked")])


def test_a_new_password_is_good_at_once_and_ends_the_other_logins(portal):
    here, there = portal.visitor(), portal.visitor()
    here.log_in("bob", "builder-77-hats")
    there.log_in("bob", "builder-77-hats")
    page = here.get("/me/password")
    wrong = here.submit(page, "/me/password", old="not-mine-at-all", password="a-brand-new-one", again="a-brand-new-one")
    assert 'role="alert"' in wrong.text
    short = here.submit(page, "/me/password", old="builder-77-hats", password="short", again="short")
    assert "10 characters" in short.text
    done = here.submit(page, "/me/password", old="builder-77-hats", password="a-brand-new-one", again="a-brand-new-one")
    assert "The new password is set." in done.text
    assert 'action="/login"' in there.get("/me").text
    assert portal.visitor().log_in("bob", "builder-77-hats").status == 403
    assert portal.visitor().log_in("bob", "a-brand-new-one").status == 200


def is_out(visitor):
    return visitor.raw("GET", "/me").location == "/login"


def test_a_new_password_from_anywhere_ends_all_logins(portal):
    """An administrator's command, an invitation, another user of the same name: whoever got in before is out."""
    thief = portal.visitor()
    thief.log_in("bob", "builder-77-hats")
    assert not is_out(thief)
    portal.ask("user.passwd", name="bob", password="builder-78-hats")  # sekisho user passwd bob
    assert is_out(thief)
    thief.log_in("bob", "builder-78-hats")
    code = portal.ask("invite.make", name="bob")["token"]
    bob = portal.visitor()
    page = bob.submit(bob.get("/invite"), "/invite", code=code)
    bob.submit(page, "/invite/use", password="eleven-frogs", again="eleven-frogs")
    assert is_out(thief) and not is_out(bob)
    portal.ask("user.del", name="bob")
    portal.ask("user.add", name="bob", password="eleven-frogs")
    assert is_out(bob)


def test_who_may_not_log_in_any_more_is_out(portal):
    portal.ask("group.add", name="contractors")
    portal.ask("user.set", name="bob", group="contractors")
    bob = portal.visitor()
    bob.log_in("bob", "builder-77-hats")
    assert not is_out(bob)
    portal.ask("group.set", name="contractors", enabled=False)
    assert is_out(bob)
    portal.ask("group.set", name="contractors", enabled=True)
    bob.log_in("bob", "builder-77-hats")
    assert not is_out(bob)
    portal.ask("user.set", name="bob", expires=1)
    assert is_out(bob)


def test_each_device_gets_its_file_and_its_steps(portal):
    visitor = portal.visitor()
    visitor.log_in("alice", "wonder-land-42")
    devices = re.findall(r'href="/me/device\?for=(\w+)"', visitor.get("/me/device").text)
    assert len(devices) == len(set(devices)) == 10
    for device in devices:
        file = visitor.get(f"/me/device/file?for={device}")
        assert file.status == 200 and file.headers["Cache-Control"] == "no-store", device
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', file.headers["Content-Disposition"])
        assert "wonder-land-42" not in file.text
        steps = visitor.get(f"/me/device/hand?for={device}")
        assert steps.status == 200 and 'class="text"' in steps.text, device
    apple = plistlib.loads(visitor.get("/me/device/file?for=ios").text.encode())
    assert "alice" in str(apple) and "127.0.0.1" in str(apple["PayloadContent"]), "the server is the portal's host when net.server is not set"
    assert portal.visitor().raw("GET", "/me/device/file?for=ios").location == "/login"


def test_the_device_at_hand_comes_first_and_an_unknown_one_is_not_guessed(portal):
    visitor = portal.visitor()
    visitor.log_in("alice", "wonder-land-42")

    def first(path="/me/device", **headers):
        visitor.headers = headers
        return re.search(r'<h2>([^<]*)</h2>.*?href="/me/device/file\?for=(\w+)"', visitor.get(path).text, re.S)

    phone = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"}
    assert first(**phone).groups() == ("iPhone and iPad", "ios")
    desk = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", "Sec-CH-UA-Platform": '"Windows"'}
    assert first(**desk).groups() == ("Windows 10 and 11", "windows")
    assert "what your browser says it runs on" in visitor.get("/me/device").text
    assert first("/me/device?for=openwrt", **desk).groups() == ("OpenWrt", "openwrt")
    assert "what your browser says it runs on" not in visitor.get("/me/device?for=openwrt").text
    assert first(**{"User-Agent": "curl/8.8.0"}) is None
    page = visitor.get("/me/device")
    assert "Choose the device" in page.text and "<details>" not in page.text and page.text.count("/me/device?for=") == 10
    assert visitor.raw("GET", "/me/device/file").location == "/me/device"
    assert visitor.get("/me/device/hand").text.count("/me/device/hand?for=") == 10


def test_the_language_is_switched_on_every_page_also_on_those_that_were_posted(portal, keeper):
    def switched(visitor, page, status=200):
        other = visitor.switch(page)
        assert other.status == status and 'lang="ja"' in other.text, other.text
        again = visitor.switch(other)
        assert again.status == status and 'lang="en"' in again.text
        return other

    stranger, alice = portal.visitor(), portal.visitor()
    wrong = stranger.log_in("nobody", "not-the-password")
    assert wrong.status == 403 and 'action="/login"' in switched(stranger, wrong).text
    wrong = stranger.submit(stranger.get("/admin/login"), "/admin/login", name="x", password="x", answer="000000")
    assert 'action="/admin/login"' in switched(stranger, wrong).text
    gone = stranger.submit(stranger.get("/invite"), "/invite", code="x")
    assert 'action="/invite"' in switched(stranger, gone).text
    alice.log_in("alice", "wonder-land-42")
    page = alice.get("/me/device?for=rtx")
    assert "/me/device/file?for=rtx" in switched(alice, page).text, "it stays the page that it was"
    for path in ("/me/nothing", "//example.org/", "/me/kick"):
        assert "自分の接続" in switched(alice, alice.get(path)).text
    page = keeper.get("/admin/user?name=bob")
    assert 'value="bob"' in switched(keeper, page).text
    page = keeper.submit(keeper.get("/admin/user?name=bob"), "/admin/user/invite")
    assert 'id="invite"' in page.text and 'value="bob"' in switched(keeper, page).text
    page = keeper.submit(keeper.get("/admin/users"), "/admin/users/add", name="dora", password="")
    assert 'id="invite"' in page.text and 'action="/admin/users/add"' in switched(keeper, page).text
    page = keeper.submit(keeper.get("/admin/tokens"), "/admin/tokens/make", name="probe", scope_status="1")
    assert 'id="secret"' in page.text and 'action="/admin/tokens/make"' in switched(keeper, page).text
    page = keeper.submit(keeper.get("/admin/config"), "/admin/config", config="x")
    assert 'action="/admin/config"' in switched(keeper, page).text


def test_why_it_failed_is_told_in_plain_words_and_in_japanese(site, portal, gateway, tmp_path):
    wrong = Client(site.add_computer(), tmp_path, "alice", "not-the-password", "four-winds-1867", wait=False)
    site.on_close(wrong.close)
    gateway.wait_explained("wrong-password")
    visitor = portal.visitor("ja-JP,ja;q=0.9")
    visitor.log_in("alice", "wonder-land-42")
    page = visitor.get("/me/why")
    assert 'lang="ja"' in page.text and "パスワードが違います。" in page.text and "PPP リンクの条件が決定" in page.text
    assert "The password is wrong." in visitor.get("/me/why?language=en").text


def test_a_gateway_that_cannot_read_its_users_logs_nobody_out(portal, gateway):
    visitor = portal.visitor()
    visitor.log_in("alice", "wonder-land-42")
    with contextlib.closing(sqlite3.connect(gateway.directory / "users.db", isolation_level=None)) as store:
        store.execute("ALTER TABLE user RENAME TO lost")
        page = visitor.get("/me")
        assert page.status == 503 and "at the moment" in page.text
        store.execute("ALTER TABLE lost RENAME TO user")
    assert visitor.get("/me").status == 200


def test_a_stopped_gateway_gives_a_page_that_says_so(portal, gateway):
    visitor = portal.visitor()
    visitor.log_in("alice", "wonder-land-42")
    gateway.process.send_signal(19)  # SIGSTOP
    try:
        began = time.monotonic()
        page = visitor.get("/me")
        assert page.status == 503 and "does not answer" in page.text
        assert time.monotonic() - began < 12
    finally:
        gateway.process.send_signal(18)  # SIGCONT
    assert visitor.get("/me").status == 200, "the login has outlived it"
    gateway.close()
    assert visitor.get("/me").status == 503
