"""What happens to users who are connected when somebody changes them; and what the portal asks of the gateway."""
import time

import pytest

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
