"""Administrators at the portal."""
import http.client
import json
import re

from lab.client import Client
from lab.portal import ADMIN, ADMIN_PASSWORD, one_time_code


def invite_of(page):
    return re.search(r'id="invite" readonly value="https://[^"]*/invite#([^"]+)"', page.text)[1]


def test_an_administrator_needs_password_and_code_together(portal):
    def attempt(password, answer):
        visitor = portal.visitor()
        return visitor.submit(visitor.get("/admin/login"), "/admin/login", name=ADMIN, password=password, answer=answer)

    assert attempt(ADMIN_PASSWORD, "000000").status == 403
    assert attempt("not-the-password", one_time_code(portal.secret)).status == 403
    assert attempt(ADMIN_PASSWORD, one_time_code(portal.secret, 0)).status == 403


def test_a_user_is_no_administrator(portal):
    visitor = portal.visitor()
    page = visitor.log_in("alice", "wonder-land-42")
    token = page.form("/logout")["token"]
    for path in ("/admin", "/admin/users", "/admin/stream", "/admin/config"):
        assert visitor.raw("GET", path).location == "/admin/login", path
    assert visitor.post("/admin/user/delete", {"token": token, "name": "bob"}).location == "/admin/login"
    assert len(portal.ask("user.list")["users"]) == 2


def test_a_user_is_added_changed_disabled_and_removed(portal, keeper):
    page = keeper.get("/admin/users")
    page = keeper.submit(page, "/admin/users/add", name="carol", password="seven-long-words")
    assert "The user was added." in page.text and ">carol</a>" in page.text
    carol = portal.visitor()
    assert carol.log_in("carol", "seven-long-words").status == 200
    page = keeper.get("/admin/user?name=carol")
    page = keeper.submit(page, "/admin/user/save", expires="2030-01-31", max_sessions="2", note='<b>"deputy"</b>')
    user = portal.ask("user.list", name="carol")["users"][0]
    assert (user["expires"], user["max_sessions"], user["note"]) == (1896048000, 2, '<b>"deputy"</b>')
    page = keeper.get("/admin/user?name=carol")
    assert "<b>" not in page.text and page.form("/admin/user/save")["expires"] == "2030-01-31"
    fields = {k: v for k, v in page.form("/admin/user/save").items() if k != "enabled"}
    keeper.post("/admin/user/save", fields)
    assert 'action="/login"' in carol.get("/me").text, "disabled: out at the next page"
    assert portal.visitor().log_in("carol", "seven-long-words").status == 403
    keeper.submit(keeper.get("/admin/user?name=carol"), "/admin/user/delete")
    assert len(portal.ask("user.list")["users"]) == 2


def test_a_disabled_user_is_off_the_vpn_at_once(site, portal, gateway, keeper, tmp_path):
    client = Client(site.add_computer(), tmp_path, "alice", "wonder-land-42", "four-winds-1867")
    site.on_close(client.close)
    client.wait_up()
    assert ">alice</a>" in keeper.get("/admin").text
    page = keeper.get("/admin/user?name=alice")
    keeper.post("/admin/user/save", {k: v for k, v in page.form("/admin/user/save").items() if k != "enabled"})
    assert gateway.sessions() == []


def test_an_invitation_is_a_password_once(portal, keeper):
    page = keeper.submit(keeper.get("/admin/users"), "/admin/users/add", name="dora", password="")
    code = invite_of(page)
    assert "<svg" in page.text and "is good until <time" in page.text and 'class="copy"' in page.text
    assert code not in keeper.get("/admin/invites").text
    dora = portal.visitor()
    page = dora.submit(dora.get("/invite"), "/invite", code=code)
    assert "Welcome, dora." in page.text
    bad = dora.submit(page, "/invite/use", password="eleven-frogs", again="twelve-frogs")
    assert bad.status == 422 and "differ" in bad.text
    page = dora.submit(bad, "/invite/use", password="eleven-frogs", again="eleven-frogs")
    assert page.status == 200 and "You are logged in." in page.text and "Set up a device" in page.text
    late = portal.visitor()
    assert late.submit(late.get("/invite"), "/invite", code=code).status == 403
    assert portal.visitor().log_in("dora", "eleven-frogs").status == 200


def test_an_invitation_is_taken_back(portal, keeper):
    code = invite_of(keeper.submit(keeper.get("/admin/user?name=bob"), "/admin/user/invite"))
    page = keeper.get("/admin/invites")
    assert ">bob</a>" in page.text
    keeper.submit(page, "/admin/invites/revoke")
    visitor = portal.visitor()
    assert visitor.submit(visitor.get("/invite"), "/invite", code=code).status == 403


def test_groups_come_and_go(portal, keeper):
    keeper.submit(keeper.get("/admin/groups"), "/admin/groups/add", name="field")
    page = keeper.get("/admin/group?name=field")
    keeper.submit(page, "/admin/group/save", max_sessions="3", note="on the road")
    group = portal.ask("group.list", name="field")["groups"][0]
    assert (group["max_sessions"], group["note"], group["enabled"]) == (3, "on the road", True)
    keeper.submit(keeper.get("/admin/group?name=field"), "/admin/group/delete")
    assert portal.ask("group.list")["groups"] == []


def test_a_configuration_is_tried_without_being_taken(keeper):
    page = keeper.get("/admin/config")
    good = keeper.submit(page, "/admin/config", config='pool "a" { range = "10.1.1.2-10.1.1.9" }\n')
    assert "This configuration is good." in good.text
    bad = keeper.submit(page, "/admin/config", config="ike { policy = </textarea><script> }\n")
    assert "There is a problem:" in bad.text and "<script> }" not in bad.text


def test_pools_stories_and_health_are_told(keeper):
    assert "10.99.0.10-10.99.0.250" in keeper.get("/admin/pools").text
    assert "Stories" in keeper.get("/admin/stories").text


def test_the_live_page_is_told_what_goes_on(portal, keeper):
    connection = http.client.HTTPSConnection("127.0.0.1", portal.port, timeout=10, context=keeper.context)
    cookie = "; ".join(f"{k}={v}" for k, v in keeper.cookies.items())
    connection.request("GET", "/admin/stream", headers={"Cookie": cookie})
    stream = connection.getresponse()
    assert stream.headers["Content-Type"] == "text/event-stream"
    events = []
    while len(events) < 2:
        line = stream.readline().decode()
        if line.startswith("data: "):
            events.append(json.loads(line[6:]))
    assert events[1]["time"] > events[0]["time"] and events[0]["sessions"] == 0
    keeper.submit(keeper.get("/admin"), "/logout")
    assert stream.read() is not None, "the stream ends with the login"
    connection.close()


def test_the_live_page_is_told_who_comes_who_fails_and_who_goes(site, portal, gateway, keeper, tmp_path):
    """alice --> up, wrong password --> refused with its cause, alice kicked --> down; and it is told again to the next page."""
    page = keeper.get("/admin?language=ja")
    assert "まだ何も起きていません。" in page.text and 'data-last="0"' in page.text and 'aria-live="polite"' in page.text
    connection = http.client.HTTPSConnection("127.0.0.1", portal.port, timeout=30, context=keeper.context)
    cookie = "; ".join(f"{k}={v}" for k, v in keeper.cookies.items())
    connection.request("GET", "/admin/stream?since=0", headers={"Cookie": cookie})
    stream = connection.getresponse()

    def next_event():
        while True:
            if stream.readline() == b"event: happened\n":
                return json.loads(stream.readline().decode().removeprefix("data: "))

    client = Client(site.add_computer(), tmp_path / "alice", "alice", "wonder-land-42", "four-winds-1867")
    site.on_close(client.close)
    client.wait_up()
    up = next_event()
    assert up["what"] == "alice が接続しました" and not up["bad"] and up["why"] == "" and ":" in up["where"]
    wrong = Client(site.add_computer(), tmp_path / "bob", "bob", "not-the-password", "four-winds-1867", wait=False)
    site.on_close(wrong.close)
    refused = next_event()
    assert refused["what"] == "bob のログインを拒否しました" and refused["why"] == "パスワードが違います。" and refused["bad"]
    assert refused["id"] > up["id"] and "not-the-password" not in str(refused)
    portal.ask("session.kick", user="alice")
    while (down := next_event())["what"] != "alice が切断しました":
        assert down["what"] == refused["what"], down  # who may try again
    assert down["why"] == "管理者がセッションを切断しました。", down
    connection.close()
    page = keeper.get("/admin?language=en")
    assert page.text.index("<strong>alice disconnected</strong>") < page.text.index("<strong>A login of bob was refused</strong>") \
        < page.text.rindex("<strong>alice connected</strong>")
    assert "bob disconnected" not in page.text, "bob was never connected"
    recent = gateway.ask("events", "--recent").splitlines()
    assert "session-up" in recent[0] and "user=alice" in recent[0] and any("cause=wrong-password" in line for line in recent)
    told = json.loads(gateway.ask("events", "--recent", "--json"))["events"]
    assert [e["id"] for e in told] == sorted(e["id"] for e in told) and told[0]["id"] == up["id"]


def test_an_administrator_who_was_removed_is_out(portal, keeper):
    portal.ask("admin.del", name=ADMIN)
    assert keeper.raw("GET", "/admin/users").location == "/admin/login"
