"""Administrators about administrators, and about tokens of programs."""
import re
import time

from lab.portal import ADMIN, one_time_code

PASSWORD = "river-of-nine-bends"


def secret_of(page):
    return re.search(r'<code id="secret">([A-Z2-7]+)</code>', page.text)[1]


def log_in(portal, name, password, secret):
    visitor = portal.visitor()
    return visitor, visitor.submit(visitor.get("/admin/login"), "/admin/login", name=name, password=password,
                                   answer=one_time_code(secret))


def add(keeper, name="deputy", **fields):
    page = keeper.get("/admin/administrators")
    return keeper.submit(page, "/admin/administrators/add", **{"name": name, "password": PASSWORD, "again": PASSWORD, **fields})


def test_an_administrator_is_added_with_a_secret_that_is_shown_once(portal, keeper):
    page = add(keeper)
    assert page.status == 200 and "deputy may log in now." in page.text and "<svg" in page.text
    secret = secret_of(page)
    assert secret not in keeper.get("/admin/administrators").text
    assert secret not in keeper.get("/admin/administrator?name=deputy").text
    deputy, page = log_in(portal, "deputy", PASSWORD, secret)
    assert page.status == 200 and "Live" in page.text
    assert {a["name"] for a in portal.ask("admin.list")["admins"]} == {ADMIN, "deputy"}


def test_a_bad_new_administrator_is_told_why(portal, keeper):
    assert "differ" in add(keeper, again="another-long-password").text
    assert "12" in add(keeper, password="eleven-char", again="eleven-char").text
    assert "is taken" in add(keeper, name=ADMIN).text
    assert [a["name"] for a in portal.ask("admin.list")["admins"]] == [ADMIN]


def test_new_codes_and_a_new_password_end_other_logins(portal, keeper):
    deputy, _ = log_in(portal, "deputy", PASSWORD, secret_of(add(keeper)))
    page = keeper.submit(keeper.get("/admin/administrator?name=deputy"), "/admin/administrator/codes")
    secret = secret_of(page)
    assert deputy.raw("GET", "/admin").location == "/admin/login"
    deputy, page = log_in(portal, "deputy", PASSWORD, secret)
    assert page.status == 200
    page = keeper.submit(keeper.get("/admin/administrator?name=deputy"), "/admin/administrator/password",
                         password=PASSWORD + "-2", again=PASSWORD + "-2")
    assert "The new password is set." in page.text
    assert deputy.raw("GET", "/admin").location == "/admin/login"
    _, page = log_in(portal, "deputy", PASSWORD, secret)
    assert page.status == 403


def test_what_is_set_by_command_ends_logins_too(portal, keeper):
    portal.ask("admin.passwd", name=ADMIN, password=PASSWORD + "-3")
    assert keeper.raw("GET", "/admin").location == "/admin/login"
    deputy_secret = portal.admin("deputy", PASSWORD)
    deputy, page = log_in(portal, "deputy", PASSWORD, deputy_secret)
    assert page.status == 200
    portal.ask("admin.del", name="deputy")
    portal.admin("deputy", PASSWORD)
    assert deputy.raw("GET", "/admin").location == "/admin/login"  # of the one that is no more


def test_others_are_removed_but_nobody_removes_themselves(portal, keeper):
    add(keeper)
    assert "/admin/administrator/delete" not in keeper.get(f"/admin/administrator?name={ADMIN}").forms()
    token = keeper.get("/admin").form("/logout")["token"]
    for name in (ADMIN, ADMIN.upper()):
        page = keeper.follow(keeper.post("/admin/administrator/delete", {"token": token, "name": name}))
        assert 'class="notice bad"' in page.text, name
        assert ADMIN in {a["name"] for a in portal.ask("admin.list")["admins"]}
    page = keeper.submit(keeper.get("/admin/administrator?name=deputy"), "/admin/administrator/delete")
    assert "Removed." in page.text
    assert [a["name"] for a in portal.ask("admin.list")["admins"]] == [ADMIN]


def test_a_token_is_made_for_something_shown_once_and_taken_back(portal, keeper):
    page = keeper.get("/admin/tokens")
    assert "portal.api" in page.text, "the interface is off, and that is told"
    assert "Choose what the token is for." in keeper.submit(page, "/admin/tokens/make", name="monitor").text
    page = keeper.submit(page, "/admin/tokens/make", name="monitor", scope_status="1", scope_sessions="1",
                         expires="2099-12-31")
    secret = re.search(r'id="secret" readonly value="(sekisho_[^"]+)"', page.text)[1]
    page = keeper.get("/admin/tokens")
    assert ">monitor<" in page.text and "status,sessions" in page.text and secret not in page.text
    assert portal.ask("token.check", token=secret)["token"]["scopes"] == "status,sessions"
    assert portal.ask("token.list")["tokens"][0]["expires"] == 4102358400
    assert "is taken" in keeper.submit(page, "/admin/tokens/make", name="monitor", scope_kick="1").text
    over = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
    assert "over already" in keeper.submit(page, "/admin/tokens/make", name="late", scope_kick="1", expires=over).text
    assert "The token was taken back." in keeper.submit(page, "/admin/tokens/revoke", having={"name": "monitor"}).text
    assert portal.ask("token.list")["tokens"] == []


def test_programs_are_served_only_where_that_is_turned_on(portal):
    secret = portal.ask("token.make", name="monitor", scopes="status")["secret"]
    for path in ("/api/v1/status", "/api/v1/openapi.json"):
        answer = portal.visitor().raw("GET", path, headers={"Authorization": "Bearer " + secret})
        assert answer.status == 404 and answer.headers["Content-Type"].startswith("text/html")
