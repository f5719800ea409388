"""What an administrator does to a running gateway, and what it must not do to sessions."""
import json
import signal
import subprocess

import pytest

from lab import pings
from lab.gateway import SEKISHO, SEKISHOD, settings
from lab.shell import run, wait_for


def only_session(site):
    sessions = site.gateway.sessions()
    assert len(sessions) == 1
    return sessions[0]


def test_a_session_is_listed_with_what_it_is(site):
    client = site.connect(site.computer(site.world.add_home()))
    client.ping(count=5)
    session = only_session(site)
    assert session["user"] == "alice"
    assert session["address"] == client.address
    assert session["pool"] == "office"
    assert session["peer"].startswith("203.0.113.101:")
    assert session["nat"] is True
    assert session["packets_in"] >= 5 and session["packets_out"] >= 5


def test_the_story_of_a_good_login_is_whole_and_in_order(site):
    site.connect().ping()
    told = site.gateway.explain().split("\n\n", 1)[1]
    steps = ["main mode message 1", "main mode message 2", "main mode message 3", "main mode message 4",
             "main mode message 5", "main mode message 6", "quick mode message 1", "quick mode message 2",
             "first authenticated ESP packet", "L2TP tunnel asked for", "L2TP session asked for",
             "PPP link options agreed", "user authentication", "address and DNS agreed", "first data packet"]
    places = [told.find(step) for step in steps]
    assert -1 not in places and places == sorted(places), told


def test_kicking_ends_the_session_and_tells_the_client(site):
    client = site.connect()
    site.gateway.ask("session", "kick", only_session(site)["id"])
    assert client.wait_end(10) != 0
    assert site.gateway.sessions() == []
    site.gateway.wait_explained("kicked", timeout=5)


@pytest.mark.parametrize("how", ["command", "signal"])
def test_a_reload_changes_settings_and_drops_no_session(site, how):
    client = site.connect()
    pinging = client.namespace.start(*pings.words("172.16.0.10", 150, interval=0.02), stdout=subprocess.PIPE, text=True)
    site.gateway.write_config(**{'pool "office"': {"dns": '{"172.16.0.54"}'}})
    if how == "command":
        site.gateway.reload()
    else:
        site.gateway.process.send_signal(signal.SIGHUP)
    pings.check(pinging.communicate(timeout=60)[0], 150)
    # The next client is told the new name server.
    other = site.connect(user="bob")
    wait_for("it is told", lambda: "172.16.0.54" in other.said())
    client.ping()


def test_a_reload_names_what_waits_for_the_next_start(site):
    """Sockets and our own addresses are made at the start: that these have not changed is told, not found out."""
    def waits(key):
        return site.gateway.said().count(f"{key} has changed; that takes effect at the next start")

    site.gateway.write_config(**{"l2tp": {"allow_plain": "on"}, 'pool "office"': {"gateway": '"10.99.0.2"'}})
    site.gateway.reload()
    wait_for("both are named", lambda: waits("l2tp.allow_plain") == 1 and waits("pool.gateway") == 1)
    site.gateway.write_config(l2tp={"allow_plain": "off"})  # which takes effect at once
    site.gateway.reload()
    wait_for("it was read again", lambda: site.gateway.said().count("read again") == 2)
    assert waits("l2tp.allow_plain") == 1 and waits("pool.gateway") == 1


def test_a_pool_that_the_host_routes_elsewhere_is_refused_at_the_start(site):
    site.gateway.close()
    site.world.gateway.run("ip", "route", "add", "10.99.0.16/28", "dev", "lo")
    with pytest.raises(AssertionError, match=r"the host has a route 10\.99\.0\.16/28 elsewhere"):
        site.gateway.start()
    site.world.gateway.run("ip", "route", "del", "10.99.0.16/28", "dev", "lo")
    site.gateway.start()
    site.connect().ping()


def test_a_reload_brings_certificates_and_takes_the_key_away(site, tmp_path):
    """Who has logged in with the key stays; the next one with it does not come in."""
    pki = ("--directory", tmp_path / "pki")
    client = site.connect()
    run(SEKISHO, "pki", "init", "Ours", "--key", "p256", *pki)
    run(SEKISHO, "pki", "issue", "vpn.example.com", "--for", "server", "--key", "p256", *pki)
    run(SEKISHO, "pki", "export", "vpn.example.com", "--pem", tmp_path / "gateway.pem", *pki)
    site.gateway.sections["ike"].pop("psk_file")
    site.gateway.write_config(**{
        'certificate "gateway"': {"file": f'"{tmp_path}/gateway.pem"'},
        'authority "ours"': {"file": f'"{tmp_path}/pki/ca.pem"'},
    })
    site.gateway.reload()
    client.ping()
    assert only_session(site)["user"] == "alice"
    site.connect(wait=False)
    site.gateway.wait_explained("ike-auth-method")
    # A file that has become wrong stops the next reload, and nothing else.
    (tmp_path / "gateway.pem").write_text("nothing")
    said = site.gateway.ask("config", "reload", check=False)
    assert 'certificate "gateway"' in said and "cannot be used" in said
    client.ping()


def test_a_bad_reload_changes_nothing_and_says_why(site):
    client = site.connect()
    good = site.gateway.config.read_text()
    site.gateway.config.write_text(good + "\nike { polcy = modern }\n")
    said = site.gateway.ask("config", "reload", check=False)
    assert "polcy" in said
    client.ping()
    assert site.connect(user="bob").address


def test_a_gateway_whose_interface_is_deleted_says_so_and_ends_with_a_failure(make_site):
    """So that whoever watches over it starts it again; clients are told that it goes."""
    site = make_site(settings(**{"": {"shards": "2"}}))
    client = site.connect()
    site.world.gateway.run("ip", "link", "delete", "sekisho")
    wait_for("the gateway ends", lambda: site.gateway.process.poll() is not None, 30)
    assert site.gateway.process.returncode == 1
    assert "somebody has deleted the TUN interface sekisho; start the gateway again" in site.gateway.said()
    client.wait_end(30)
    site.gateway.start()
    site.connect(user="bob").ping()


def test_users_change_at_once(site):
    site.gateway.add_user("carol", "singing-12-stars")
    client = site.connect(user="carol", password="singing-12-stars")
    client.ping()
    client.close()
    site.gateway.ask("user", "set", "carol", "--disable")
    refused = site.connect(user="carol", password="singing-12-stars", wait=False)
    refused.wait_end(15)
    site.gateway.wait_explained("user-disabled", "carol")


def test_a_fixed_address_is_given_and_no_other_client_gets_it(site):
    site.gateway.ask("user", "set", "alice", "--address", "10.99.0.77")
    assert site.connect().address == "10.99.0.77"
    assert site.connect(user="bob").address != "10.99.0.77"


def test_an_empty_pool_is_told(make_site):
    site = make_site(settings(**{'pool "office"': {"range": '"10.99.0.10-10.99.0.10"'}}))
    site.connect().ping()
    site.connect(user="bob", wait=False).wait_end(20)
    site.gateway.wait_explained("pool-empty", "bob")


def test_an_address_is_free_again_after_logout(make_site):
    site = make_site(settings(**{'pool "office"': {"range": '"10.99.0.10-10.99.0.10"'}}))
    first = site.connect()
    assert first.address == "10.99.0.10"
    first.close()
    wait_for("the session is gone", lambda: not site.gateway.sessions())
    second = site.connect(user="bob")
    assert second.address == "10.99.0.10"
    second.ping()


def test_wrong_password_wrong_key_and_unknown_user_end_within_ten_seconds(site):
    for cause, options in (("wrong-password", {"password": "nonsense"}), ("no-such-user", {"user": "mallory"}),
                           ("wrong-psk", {"psk": "nonsense"})):
        client = site.connect(wait=False, **options)
        site.gateway.wait_explained(cause, timeout=10)
        client.close()


@pytest.mark.parametrize("line, words", [
    ("ike { policy = ancient }", ["ike.policy", "ancient"]),
    ("nonsense = 1", ["nonsense"]),
    ('pool "more" { range = "172.16.5.1-172.16.5.9" }', ["172.16"]),
    ('psk "more" { file = "/nowhere/psk" }', ["/nowhere/psk"]),
])
def test_a_bad_setting_stops_the_start_with_a_sentence(site, line, words):
    path = site.directory / "bad.conf"
    kept = [text for text in site.gateway.config.read_text().splitlines()]
    path.write_text("\n".join(kept + [line]) + "\n")
    path.chmod(0o600)
    site.gateway.close()
    done = subprocess.run(["ip", "netns", "exec", site.world.gateway.name, SEKISHOD, "--config", path, "--foreground"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                          timeout=10, check=False)
    assert done.returncode not in (0, -6, -11)
    for word in words:
        assert word in done.stdout


def test_stopping_removes_interface_and_firewall_table(site):
    client = site.connect()
    client.ping()
    site.gateway.close()
    assert site.gateway.process.returncode == 0
    assert "10.99.0" not in site.world.gateway.run("ip", "route", "show", "table", "all")
    assert "sekisho" not in site.world.gateway.run("nft", "list", "tables")
    assert json.loads(site.world.gateway.run("ip", "-j", "link", "show", "type", "tun") or "[]") in ([], [{}])


def test_masquerade_hides_the_clients_behind_the_gateway(make_site):
    site = make_site(settings(net={"masquerade": "on"}))
    client = site.connect()
    site.office.run("ip", "route", "del", "default")
    client.ping()
