"""The JSON interface: each call by its description, for tokens of its scope and for nobody else."""
import http.client
import json
import pathlib
import re

import jsonschema
import pytest

from lab.client import Client

from portal.conftest import PSK, gateway_and_portal

SCOPES = "status", "sessions", "kick", "users", "manage", "config"
DESCRIPTION = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/openapi.json").read_text())
CALLS = [(path, method, call) for path, calls in DESCRIPTION["paths"].items() for method, call in calls.items()]


@pytest.fixture
def site(tmp_path):
    """As in the other tests, with programs served."""
    with gateway_and_portal(tmp_path, api="on") as made:
        yield made


def token(portal, *scopes, **more):
    name = "-".join(scopes)
    return portal.ask("token.make", name=name, scopes=",".join(scopes), **more)["secret"]


class Program:
    """Calls with a token, and holds every answer against the description."""

    def __init__(self, portal, secret):
        self.portal, self.secret, self.visitor = portal, secret, portal.visitor()

    def raw(self, method, path, body=None, headers=None):
        told = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        if body is not None:
            told["Content-Type"] = "application/json"
        answer = self.visitor.raw(method, "/api/v1" + path, body, {**told, **(headers or {})})
        assert answer.headers["Content-Type"] == "application/json" and "Set-Cookie" not in answer.headers
        assert not [h for h in answer.headers if h.lower().startswith("access-control-")]
        return answer

    def call(self, operation, body=None, query="", **args):
        template, method, call = next(c for c in CALLS if c[2]["operationId"] == operation)
        path = re.sub(r"\{(\w+)\}", lambda m: str(args[m[1]]), template)
        answer = self.raw(method.upper(), path + query, None if body is None else json.dumps(body))
        told = call["responses"].get(str(answer.status)) or DESCRIPTION["components"]["responses"]["problem"]
        if "content" not in told:
            assert answer.text == ""
            return answer.status, None
        data = json.loads(answer.text)
        schema = {**told["content"]["application/json"]["schema"], "components": DESCRIPTION["components"]}
        jsonschema.validate(data, schema)
        if call["responses"].get(str(answer.status)) is None:
            return answer.status, data["error"]
        return answer.status, data


def test_the_description_is_served_to_everybody_and_is_that_of_the_tree(portal):
    answer = Program(portal, None).raw("GET", "/openapi.json")
    assert answer.status == 200 and json.loads(answer.text) == DESCRIPTION
    for _, _, call in CALLS:
        for where in [p["schema"] for p in call["parameters"]] + [
                c["schema"] for r in [call.get("requestBody", {}), *call["responses"].values()]
                for c in r.get("content", {}).values()]:
            jsonschema.Draft202012Validator.check_schema(where)


def test_each_call_is_for_tokens_of_its_scope_alone(portal):
    def each(programs):
        for template, method, call in CALLS:
            path = re.sub(r"\{session\}|\{id\}", "4000000000", re.sub(r"\{(name|user)\}", "nobody", template))
            path += "?who=last" if template == "/stories" else ""
            fields = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            body = json.dumps({f: "-" for f in fields["required"]}) if fields else None
            scope = call["security"][0]["token"][0]
            yield path, scope, programs[scope].raw(method.upper(), path, body)

    assert {call["security"][0]["token"][0] for _, _, call in CALLS} == set(SCOPES)
    for path, _, answer in each(dict.fromkeys(SCOPES, Program(portal, None))):
        assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer "), path
    others = {scope: Program(portal, token(portal, *(s for s in SCOPES if s != scope))) for scope in SCOPES}
    for path, scope, answer in each(others):
        assert answer.status == 403 and f'scope="{scope}"' in answer.headers["WWW-Authenticate"], path
    assert sorted(u["name"] for u in portal.ask("user.list")["users"]) == ["alice", "bob"], "nothing was done"
    for path, _, answer in each({scope: Program(portal, token(portal, scope)) for scope in SCOPES}):
        assert answer.status not in (401, 403, 405, 415, 429, 500, 503), (path, answer.text)


def test_a_user_is_added_changed_invited_and_removed(portal):
    program = Program(portal, token(portal, "users", "manage"))
    status, data = program.call("addUser", {"name": "eve@example.com", "password": "seven-long-words", "note": "<b>"})
    assert status == 201 and data["user"]["note"] == "<b>"
    assert program.call("addUser", {"name": "eve@example.com", "password": "seven-long-words"})[1]["code"] == "exists"
    assert program.call("user", name="eve%40example.com")[1]["user"]["name"] == "eve@example.com"
    visitor = portal.visitor()
    assert visitor.log_in("eve@example.com", "seven-long-words").status == 200
    assert program.call("changeUser", {"max_sessions": 2}, name="eve%40example.com")[1]["user"]["max_sessions"] == 2
    assert program.call("setPassword", {"password": "eight-long-words"}, name="eve%40example.com")[0] == 200
    assert visitor.raw("GET", "/me").location == "/login", "the old password's login has ended"
    status, made = program.call("invite", {"name": "frank"})
    assert status == 201 and portal.ask("invite.show", token=made["token"])["invite"]["name"] == "frank"
    invites = program.call("invitations")[1]["invites"]
    assert [i["name"] for i in invites] == ["frank"]
    assert program.call("revokeInvitation", id=invites[0]["id"])[0] == 204
    assert program.call("removeUser", name="eve%40example.com")[0] == 204
    assert program.call("user", name="eve%40example.com")[0] == 404
    assert program.call("addGroup", {"name": "field"})[0] == 201
    assert program.call("changeGroup", {"max_sessions": 3}, name="field")[1]["group"]["max_sessions"] == 3
    assert program.call("group", name="field")[0] == 200 and program.call("removeGroup", name="field")[0] == 204


def test_a_long_list_is_told_in_parts(portal):
    for i in range(5):
        portal.ask("user.add", name=f"u{i}", password="seven-long-words")
    program = Program(portal, token(portal, "users"))
    whole = program.call("users")[1]
    assert whole["total"] == len(whole["users"]) == 7
    parts = [program.call("users", query=f"?limit=3&offset={at}")[1] for at in (0, 3, 6, 9)]
    assert [len(p["users"]) for p in parts] == [3, 3, 1, 0] and all(p["total"] == 7 for p in parts)
    assert [u for p in parts for u in p["users"]] == whole["users"]
    for bad in ("limit=1001", "limit=-1", "limit=x", "offset=", "colour=red"):
        status, error = program.call("users", query="?" + bad)
        assert status == 400 and error["field"] == bad.split("=")[0]


def test_a_session_is_seen_and_ended(site, portal, tmp_path):
    client = Client(site.add_computer(), tmp_path, "alice", "wonder-land-42", PSK)
    site.on_close(client.close)
    client.wait_up()
    program = Program(portal, token(portal, *SCOPES))
    (session,) = program.call("sessions", query="?user=alice")[1]["sessions"]
    assert session["user"] == "alice" and program.call("session", session=session["id"])[1]["session"]["id"] == session["id"]
    assert program.call("stories", query="?who=alice")[1]["attempts"][0]["steps"]
    assert program.call("status")[1]["status"]["sessions"] == 1
    assert [p["used"] for p in program.call("pools")[1]["pools"]] == [1]
    assert program.call("health")[1]["total"] > 0 and program.call("drops")[1]["total"] > 0
    assert program.call("kickSession", session=session["id"])[1] == {"kicked": 1}
    assert program.call("kickUser", user="alice")[0] == 404 and site.gateway_program.sessions() == []
    assert program.call("checkConfig", {"config": "nonsense {"})[1]["problem"]
    assert program.call("reloadConfig")[0] == 204


def test_a_token_that_is_gone_or_over_opens_nothing(portal):
    secret = token(portal, "status")
    program = Program(portal, secret)
    assert program.call("status")[0] == 200
    used = portal.ask("token.list")["tokens"][0]
    assert used["last_used"] > 0
    portal.ask("token.revoke", name="status")
    assert program.call("status")[0] == 401
    for text in ("", "x", secret[:-1], secret + "a", secret.upper(), "x" * 64, "\xff\xfe", secret.replace("sekisho_", "")):
        assert Program(portal, None).raw("GET", "/status", headers={"Authorization": "Bearer " + text}).status == 401, text
    assert Program(portal, None).raw("GET", "/status", headers={"Authorization": "Basic " + secret}).status == 401


def test_bodies_that_are_not_good_are_told_by_status_and_field(portal):
    program = Program(portal, token(portal, "manage", "users"))

    def add(body, **headers):
        answer = program.raw("POST", "/users", body, headers)
        return answer.status, json.loads(answer.text)["error"].get("field")

    good = '{"name": "carol", "password": "seven-long-words"'
    assert add('{"name": "carol"}') == (400, "password")
    assert add(good + ', "colour": 1}') == (400, "colour")
    assert add(good + ', "max_sessions": "2"}') == (400, "max_sessions")
    assert add(good + ', "max_sessions": -1}') == (400, "max_sessions")
    assert add(good + ', "note": "' + "x" * 256 + '"}') == (400, "note")
    assert add(good + ', "address": "here"}')[0] == 422
    for bad in ("", "{", "[]", "null", '"x"', good, good + ', "name": "dave"}', '{"name": ' + "[" * 1000, "\xff", '{"a\\u0000": 1}'):
        assert add(bad.encode("latin-1"))[0] == 400, bad[:30]
    assert add("{" + " " * 9000 + "}")[0] == 413
    assert add(good + "}", **{"Content-Type": "text/plain"})[0] == 415
    assert program.raw("PATCH", "/users/alice", '{"name": "bob"}').status == 400
    assert program.raw("POST", "/users/alice/unlock", "{}").status == 400
    assert program.raw("PUT", "/users").status == 405 and program.raw("PUT", "/users").headers["Allow"] == "GET, POST"
    for path in ("/nowhere", "/users/", "/users/a/b/c", "/", "/sessions//"):
        assert program.raw("GET", path).status == 404, path
    for path in ("/users/%", "/users/%00", "/users/%zz", "/users/" + "a" * 300, "/sessions/one"):
        assert program.raw("GET", path).status in (400, 403), path
    assert sorted(u["name"] for u in portal.ask("user.list")["users"]) == ["alice", "bob"]


def test_a_cookie_opens_nothing_there_and_a_token_nothing_elsewhere(portal):
    visitor = portal.visitor()
    visitor.log_in("alice", "wonder-land-42")
    assert visitor.raw("GET", "/api/v1/users").status == 401
    secret = token(portal, *SCOPES)
    assert portal.visitor().raw("GET", "/admin", headers={"Authorization": "Bearer " + secret}).location == "/admin/login"
    preflight = portal.visitor().raw("OPTIONS", "/api/v1/users", headers={"Origin": "https://evil.example"})
    assert preflight.status == 405 and "Access-Control-Allow-Origin" not in preflight.headers


def test_too_many_requests_are_told_to_wait(portal):
    connection = http.client.HTTPSConnection("127.0.0.1", portal.port, timeout=30, context=portal.visitor().context)
    for _ in range(2000):
        connection.request("GET", "/api/v1/nowhere")
        answer = connection.getresponse()
        error = json.loads(answer.read())["error"]
        if answer.status == 429:
            assert error["code"] == "too-many" and int(answer.headers["Retry-After"]) > 0
            return
    raise AssertionError("nothing held it back")


def test_a_silent_gateway_is_told(site, portal):
    program = Program(portal, token(portal, "status"))
    site.gateway_program.process.send_signal(19)  # SIGSTOP
    try:
        status, error = program.call("status")
        assert status == 503 and error["code"] == "unavailable"
    finally:
        site.gateway_program.process.send_signal(18)  # SIGCONT
