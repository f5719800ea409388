"""What happens to users who are connected when somebody changes them; and what the portal asks of the gateway."""
import base64
import concurrent.futures
import hashlib
import hmac
import struct
import subprocess
import time

import pytest

from lab.gateway import SEKISHO
from lab.shell import wait_for


def names(site):
    return sorted(session["user"] for session in site.gateway.sessions())


def ended(site, client, cause, whom=None):
    """The session has ended within two seconds, for that cause."""
    wait_for("the session ends", lambda: "alice" not in names(site), 2)
    assert client.wait_end(10) != 0
    site.gateway.wait_explained(cause, "alice" if whom is None else whom, timeout=5)


def good(reply):
    assert reply["ok"], reply
    return reply["data"]


@pytest.mark.parametrize("sent", ["alice", "CORP\\ALICE", "Alice@example.com"])
@pytest.mark.parametrize("how", ["disable", "remove", "kick"])
def test_who_is_disabled_or_removed_is_out_at_once_however_the_name_was_written(site, how, sent):
    client = site.connect(user=sent, password="wonder-land-42")
    other = site.connect(user="bob")
    client.ping()
    assert names(site) == ["alice", "bob"]
    if how == "disable":
        site.gateway.ask("user", "set", "alice", "--disable")
    elif how == "remove":
        site.gateway.ask("user", "del", "alice")
    else:
        site.gateway.ask("session", "kick", "--user", "alice")
    ended(site, client, "user-disabled" if how == "disable" else "kicked", sent if "@" in sent else "alice")
    other.ping()
    assert names(site) == ["bob"]


def test_whose_time_is_over_is_out_when_it_is_and_not_before(site):
    client = site.connect()
    client.ping()
    end = int(time.time()) + 5
    good(site.gateway.verb("user.set", name="alice", expires=end))
    while time.time() < end - 1:
        assert names(site) == ["alice"]
        time.sleep(0.2)
    wait_for("the session ends", lambda: names(site) == [], 4)
    assert time.time() >= end
    assert client.wait_end(10) != 0
    site.gateway.wait_explained("user-expired", "alice", timeout=5)


def test_a_group_that_is_disabled_takes_its_users_with_it_and_no_others(site):
    good(site.gateway.verb("group.add", name="staff"))
    good(site.gateway.verb("user.set", name="alice", group="staff"))
    client, other = site.connect(), site.connect(user="bob")
    client.ping()
    good(site.gateway.verb("group.set", name="staff", enabled=False))
    ended(site, client, "user-disabled")
    other.ping()
    good(site.gateway.verb("group.set", name="staff", enabled=True))
    site.connect().ping()
    good(site.gateway.verb("group.set", name="staff", note="nothing that matters to a session"))
    assert names(site) == ["alice", "bob"]
    refused = site.gateway.verb("group.del", name="staff")
    assert refused["error"]["code"] == "exists"


def test_a_kick_of_a_user_s_own_reaches_no_session_of_others(site):
    client, other = site.connect(), site.connect(user="bob")
    client.ping()
    other.ping()
    session = {s["user"]: s["id"] for s in site.gateway.sessions()}
    refused = site.gateway.verb("session.kick", session=session["bob"], user="alice")
    assert refused["error"]["code"] == "not-found"
    assert names(site) == ["alice", "bob"]
    assert good(site.gateway.verb("session.kick", session=session["alice"], user="alice"))["kicked"] == 1
    wait_for("the session ends", lambda: names(site) == ["bob"], 2)


def test_a_login_at_the_portal_is_judged_like_one_of_the_vpn(site):
    def check(name, password):
        return site.gateway.verb("user.check", name=name, password=password, source="203.0.113.9")
    assert good(check("alice", "wonder-land-42"))["user"]["name"] == "alice"
    assert names(site) == []
    wrong, unknown = check("alice", "guess"), check("mallory", "guess")
    assert wrong == unknown and wrong["error"]["code"] == "refused"
    for _ in range(5):
        assert check("alice", "guess") == wrong
    assert check("alice", "wonder-land-42") == wrong  # must wait, in the same words
    elsewhere = site.gateway.verb("user.check", name="alice", password="wonder-land-42", source="203.0.113.77")
    assert good(elsewhere)
    site.gateway.ask("user", "set", "bob", "--disable")
    assert check("bob", "guess") == wrong
    assert "disabled" in check("bob", "builder-77-hats")["error"]["sentence"]


def test_health_tells_what_is_wrong_and_what_helps(site):
    def checks():
        told = good(site.gateway.verb("health"))["checks"]
        return {check["word"]: check for check in told}
    told = checks()
    assert set(told) == {"disk", "store", "clock", "forwarding", "certificate", "pool", "drops"}
    assert all(check["state"] in ("ok", "warn", "bad") and bool(check["cure"]) == (check["state"] != "ok")
               for check in told.values())
    assert told["store"]["state"] == told["forwarding"]["state"] == told["pool"]["state"] == "ok"
    site.world.gateway.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=0")
    assert checks()["forwarding"]["state"] == "bad"
    failed = subprocess.run([SEKISHO, "--socket", site.gateway.socket, "health"], capture_output=True, text=True)
    assert failed.returncode == 1 and "bad   forwarding" in failed.stdout
    site.world.gateway.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
    assert checks()["forwarding"]["state"] == "ok"


# ---- invitations ----

def test_an_invitation_makes_a_user_who_can_connect_and_is_good_once(site):
    made = good(site.gateway.verb("invite.make", name="dora", address="10.99.0.88", note="from the north"))
    assert made["url"] == ""  # no portal is configured
    site.gateway.write_config(portal={"url": '"https://vpn.example.com"'})
    site.gateway.reload()
    newer = good(site.gateway.verb("invite.make", name="dora"))
    assert newer["url"] == "https://vpn.example.com/invite#" + newer["token"]
    assert site.gateway.verb("invite.make", name="dora", group="staff")["error"]["code"] == "exists"
    assert site.gateway.verb("invite.use", token=made["token"], password="old-token-words")["error"]["code"] == "refused"
    assert good(site.gateway.verb("invite.show", token=newer["token"]))["invite"]["name"] == "dora"
    assert len(good(site.gateway.verb("invite.list"))["invites"]) == 1

    def use(n):
        return n, site.gateway.verb("invite.use", token=newer["token"], password=f"words-of-{n}")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(use, range(16)))
    winners = [n for n, reply in answers if reply["ok"]]
    assert len(winners) == 1
    assert all(reply["error"]["code"] == "refused" for _, reply in answers if not reply["ok"])
    client = site.connect(user="dora", password=f"words-of-{winners[0]}")
    assert client.address == "10.99.0.88"


# ---- administrators ----

def code_of(secret, at):
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    where = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[where:where + 4])[0] & 0x7fffffff) % 1000000:06d}"


def test_an_administrator_enters_with_password_and_code_while_data_and_logins_go_on(site):
    client = site.connect()
    client.ping()
    made = good(site.gateway.verb("admin.add", name="root", password="gate-keeper-1867"))
    assert f"secret={made['secret']}" in made["uri"] and made["uri"].startswith("otpauth://totp/Sekisho:root?")
    assert site.gateway.verb("admin.add", name="root", password="gate-keeper-1867")["error"]["code"] == "exists"

    def check(password, code, source="203.0.113.9"):
        return site.gateway.verb("admin.check", name="root", password=password, answer=code, source=source)
    wrong = check("gate-keeper-1868", code_of(made["secret"], time.time()))
    assert wrong["error"]["code"] == "refused"
    assert check("gate-keeper-1867", "000000") == wrong
    code = code_of(made["secret"], time.time())
    assert good(check("gate-keeper-1867", code))["admin"]["name"] == "root"
    assert check("gate-keeper-1867", code) == wrong  # good once
    assert site.gateway.verb("admin.check", name="nobody", password="gate-keeper-1867", answer=code,
                             source="203.0.113.9") == wrong

    # forty at once, from as many places: some are told that it is busy; status and logins do not wait for them
    def guess(n):
        return check("gate-keeper-1867", "123456", f"198.51.100.{n}")
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        guesses = [pool.submit(guess, n) for n in range(1, 41)]
        begun = time.monotonic()
        good(site.gateway.verb("status"))
        assert time.monotonic() - begun < 1
        site.connect(user="bob").ping()
        answers = [g.result() for g in guesses]
    codes = {reply["error"]["code"] for reply in answers}
    assert codes <= {"refused", "busy"} and "busy" in codes
    client.ping()


def test_a_program_s_token_is_told_once_and_taken_back(site):
    made = good(site.gateway.verb("token.make", name="robot", scopes="status,sessions"))
    assert good(site.gateway.verb("token.check", token=made["secret"]))["token"]["scopes"] == "status,sessions"
    listed = good(site.gateway.verb("token.list"))["tokens"]
    assert listed[0]["last_used"] > 0 and made["secret"] not in str(listed)
    good(site.gateway.verb("token.revoke", name="robot"))
    assert site.gateway.verb("token.check", token=made["secret"])["error"]["code"] == "refused"
    assert made["secret"].encode() not in (site.gateway.directory / "users.db").read_bytes()


# ---- the command ----

def test_the_command_speaks_of_all_this(site):
    ask = site.gateway.ask
    ask("group", "add", "staff", "--pool", "office", "--max-sessions", "2", "--note", "upstairs")
    ask("user", "set", "alice", "--group", "staff")
    assert "staff" in ask("user", "list", "alice") and "upstairs" in ask("group", "list")
    ask("user", "set", "alice", "--group", "none")
    ask("group", "del", "staff")
    assert "10.99.0.10-10.99.0.250" in ask("pool", "list")
    said = ask("user", "invite", "erin", "--valid", "2h")
    token = said.split("\n")[1].strip()
    assert len(token) == 32 and "portal.url" in said
    assert "erin" in ask("invite", "list")
    assert good(site.gateway.verb("invite.use", token=token, password="green-grass-77"))
    assert "erin" not in ask("invite", "list")
    ask("user", "invite", "erin")
    ask("invite", "revoke", "--user", "erin")
    secret = site.gateway._secret("admin", "gate-keeper-1867")
    said = ask("admin", "add", "root", "--password-file", secret)
    assert "otpauth://totp/Sekisho:root?secret=" in said and "told only now" in said
    assert "root" in ask("admin", "list")
    assert "otpauth" in ask("admin", "totp", "root")
    ask("admin", "passwd", "root", "--password-file", secret)
    ask("admin", "del", "root")
    assert "sekisho_" in ask("token", "make", "robot", "--scopes", "status")
    assert "robot" in ask("token", "list")
    ask("token", "revoke", "robot")
    assert "disk" in ask("health", check=False)
