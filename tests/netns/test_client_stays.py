"""A client that stays: whatever happens to the server, the network or the way, it comes back with its inner address. And
six ways to fail, each with a status and a sentence of its own within 15 seconds."""
import json
import os
import pathlib
import signal
import time

import pytest

from lab.client import host_state, settled_state
from lab.gateway import settings
from lab.packets import forget_mappings
from lab.shell import run, wait_for
from lab.world import INTERNET_GATEWAY

STAY = ("--stay", "up", "--log", "json")


def events(client):
    return [json.loads(line) for line in client.log.read_text().splitlines() if line.startswith("{")]


def count(client, kind):
    return sum(event["type"] == kind for event in events(client))


def passes(client):
    return " 0% packet loss" in client.namespace.run("ping", "-q", "-c", "1", "-W", "1", "172.16.0.10", check=False)


def comes_back(client, before, timeout):
    """Packets pass again, from the same inner address, without anybody's help."""
    wait_for("packets pass again", lambda: passes(client), timeout, 0.2)
    assert client.address == before
    client.ping(count=5)


def test_a_server_that_is_killed_and_started_again_is_found(site):
    client = site.connect(None, "alice", *STAY)
    before = client.address
    client.ping()
    os.kill(site.gateway.process.pid, signal.SIGKILL)
    site.gateway.process.wait()
    wait_for("the client notices", lambda: count(client, "lost"), 20, 0.1)
    site.gateway.start()
    comes_back(client, before, 75)
    assert count(client, "up") >= 2


def test_a_server_that_is_restarted_says_goodbye_and_is_found_at_once(site):
    client = site.connect(None, "alice", *STAY)
    before = client.address
    site.gateway.close()
    wait_for("the client notices", lambda: count(client, "lost"), 10, 0.1)
    site.gateway.start()
    comes_back(client, before, 30)


def test_a_client_whose_interface_is_deleted_ends_whether_it_would_stay_or_not(site):
    computer = site.computer()
    before = settled_state(computer)
    client = site.connect(computer, "alice", "--stay", "always", "--log", "json")
    computer.run("ip", "link", "delete", client.tun)
    assert client.wait_end(30) == 25
    assert [event["cause"] for event in events(client) if event["type"] == "failed"] == ["interface-gone"]
    assert host_state(computer) == before


def hosts(computer, address):
    """Gives the namespace a hosts file of its own; `ip netns exec` puts it in place for the processes it starts, and a
    change is written in place."""
    directory = pathlib.Path("/etc/netns") / computer.name
    directory.mkdir(parents=True, exist_ok=True)
    with open(directory / "hosts", "w", encoding="ascii") as file:
        file.write(f"127.0.0.1 localhost\n{address} vpn.test\n")
    return directory


def test_a_server_that_moves_to_another_address_is_found_by_its_name(site):
    computer = site.computer()
    directory = hosts(computer, INTERNET_GATEWAY)
    try:
        client = site.connect(computer, "alice", *STAY, server="vpn.test")
        before = client.address
        site.world.gateway.run("ip", "address", "flush", "dev", "wan")
        site.world.gateway.run("ip", "address", "add", "203.0.113.2/24", "dev", "wan")
        site.world.gateway.run("ip", "route", "add", "default", "via", "203.0.113.254")
        hosts(computer, "203.0.113.2")
        site.gateway.close()
        site.gateway.start()
        comes_back(client, before, 60)
    finally:
        run("rm", "-r", directory)


def test_a_nat_that_forgets_is_not_even_noticed(site):
    home = site.world.add_home()
    client = site.connect(site.computer(home), "alice", *STAY)
    before = client.address
    client.ping()
    forget_mappings(home)
    comes_back(client, before, 10)
    assert count(client, "lost") == 0


@pytest.mark.long
def test_a_link_that_is_down_for_half_a_minute_comes_back(site):
    client = site.connect(site.computer(site.world.add_home()), "alice", *STAY)
    before = client.address
    client.ping()
    client.namespace.run("ip", "link", "set", "eth", "down")
    time.sleep(30)
    client.namespace.run("ip", "link", "set", "eth", "up")
    client.namespace.run("ip", "route", "add", "default", "via", "192.168.1.1")
    comes_back(client, before, 20)


def test_a_link_that_is_down_for_a_moment_costs_nothing(site):
    client = site.connect(site.computer(site.world.add_home()), "alice", *STAY)
    before = client.address
    client.namespace.run("ip", "link", "set", "eth", "down")
    time.sleep(2)
    client.namespace.run("ip", "link", "set", "eth", "up")
    client.namespace.run("ip", "route", "add", "default", "via", "192.168.1.1")
    comes_back(client, before, 10)
    assert count(client, "lost") == 0


@pytest.mark.parametrize("options, anew", [((), False), (("--encap", "off"), True)])
def test_roaming_to_another_address(site, options, anew):
    """ESP in UDP goes on as it is; plain ESP is bound to its address, so the connection is made anew."""
    computer = site.computer(site.world.add_home() if not anew else None)
    client = site.connect(computer, "alice", *STAY, *options)
    before = client.address
    client.ping()
    old, new, via = (("203.0.113.10/24", "203.0.113.99/24", "203.0.113.254") if anew else
                     ("192.168.1.10/24", "192.168.1.99/24", "192.168.1.1"))
    computer.run("ip", "address", "add", new, "dev", "eth")
    computer.run("ip", "address", "del", old, "dev", "eth")
    computer.run("ip", "address", "flush", "dev", "eth")
    computer.run("ip", "address", "add", new, "dev", "eth")
    computer.run("ip", "route", "add", "default", "via", via)
    comes_back(client, before, 10)
    assert (count(client, "lost") > 0) == anew


def test_a_process_that_stood_still_asks_at_once(site):
    """As after sleep, only that the host's clocks went on: SIGSTOP for longer than the gateway remembers."""
    client = site.connect(None, "alice", *STAY)
    before = client.address
    os.kill(client.process.pid, signal.SIGSTOP)
    site.gateway.close()
    site.gateway.start()
    time.sleep(2)
    os.kill(client.process.pid, signal.SIGCONT)
    comes_back(client, before, 12)


# ---- six ways to fail ----

BLOCK = "table inet block {{ chain in {{ type filter hook input priority 0; udp dport {} drop; }}; }}"


def fail_no_answer(site):
    site.world.gateway.nft(BLOCK.format(500))
    return site.connect(None, "alice", wait=False)


def fail_blocked(site):
    site.world.gateway.nft(BLOCK.format(4500))
    return site.connect(site.computer(site.world.add_home()), "alice", wait=False)


def fail_key(site):
    return site.connect(None, "alice", wait=False, psk="nonsense")


def fail_proposal(site):
    return site.connect(None, "alice", "--ike", "des-md5-modp768", wait=False)


def fail_password(site):
    return site.connect(None, "alice", wait=False, password="nonsense")


def fail_full(site):
    site.gateway.ask("user", "set", "alice", "--enable")
    site.connect(None, "bob").ping()
    return site.connect(None, "alice", wait=False)


@pytest.mark.parametrize("fail, status, words", [
    (fail_no_answer, 10, "does not answer IKE"),
    (fail_blocked, 11, "4500"),
    (fail_key, 12, "pre-shared key"),
    (fail_proposal, 13, "no phase 1 proposal in common"),
    (fail_password, 16, "refused user name or password"),
    (fail_full, 18, "No free address"),
])
def test_each_failure_has_its_status_and_its_sentence_within_15_seconds(make_site, fail, status, words):
    site = make_site(settings(**{'pool "office"': {"range": '"10.99.0.10-10.99.0.10"'}}))
    client = fail(site)
    assert client.wait_failed(15) == status, client.said()
    assert words in client.said()


# ---- nothing is left behind ----

@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(site, how):
    computer = site.computer()
    before = settled_state(computer)
    client = site.connect(computer, "alice", *STAY, "--route", "10.44.0.0/16")
    client.ping()
    assert host_state(computer) != before
    client.process.send_signal(how)
    client.process.wait(10)
    wait_for("everything is as it was", lambda: host_state(computer) == before, 10)


# ---- rights ----

def test_the_engine_has_no_rights_once_it_runs(site):
    client = site.connect(None, "alice", *STAY)
    status = pathlib.Path(f"/proc/{client.process.pid}/status").read_text(encoding="ascii")
    said = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert said["CapEff"] == said["CapPrm"] == said["CapBnd"] == "0" * 16
    assert said["NoNewPrivs"] == "1"
    assert said["Seccomp"] == ("0" if os.environ.get("SEKISHO_SANITIZED") else "2")  # sanitizers need calls of their own
    assert said["Uid"].split()[0] != "0"
