"""The engine by a profile: its control socket, what it tells, routes that the server tells, certificates."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

from lab.client import host_state, settled_state
from lab.gateway import CLIENT, settings
from lab.packets import open_socket
from lab.papers import Authority, bundle
from lab.pings import ping
from lab.shell import check_sanitizers, stop, wait_for
from lab.world import INTERNET_GATEWAY

FORMER = "nameserver 203.0.113.53\n"
SOCKETS = pathlib.Path("/run/sekisho/client")


def own_files(computer, **texts):
    """Gives a namespace files of its own in /etc, such as resolv_conf: the host's are not to be touched."""
    directory = pathlib.Path("/etc/netns") / computer.name
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / name.replace("_conf", ".conf")).write_text(text)
    computer.world.on_close(lambda: shutil.rmtree(directory, ignore_errors=True))
    return directory


class Engine:
    """sekisho-client with a profile in a namespace, and its control socket."""

    def __init__(self, site, computer, text, name="office", listens=True, **environment):
        if not (pathlib.Path("/etc/netns") / computer.name).exists():
            own_files(computer, resolv_conf=FORMER)
        self.name = f"{computer.name}.{name}"[-60:].lstrip(".")
        self.socket = SOCKETS / f"{self.name}.sock"
        self.log = site.directory / f"{self.name}.log"
        profile = site.directory / f"{self.name}.conf"
        profile.write_text(text)
        profile.chmod(0o600)
        reader, writer = os.pipe()
        with open(self.log, "ab") as log:
            self.process = computer.start(CLIENT, "--profile", profile, "--name", self.name, "--ready-fd", writer, "--log",
                                          "json", stdout=log, stderr=subprocess.STDOUT, pass_fds=(writer,),
                                          env={**os.environ, **environment})
        os.close(writer)
        with os.fdopen(reader) as ready:
            self.ready = json.loads(ready.readline() or '{"error":{"sentence":"it said nothing"}}')
        if listens and self.ready.get("ok"):
            self.ask("events")  # it begins when somebody listens

    def ask(self, verb, lines=1):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.socket))
            connection.sendall(json.dumps({"v": 1, "verb": verb}).encode() + b"\n")
            with connection.makefile() as file:
                return [json.loads(file.readline()) for _ in range(lines)]

    def link(self):
        return self.ask("client.status")[0]["data"]["link"]

    def wait_up(self):
        return wait_for("the connection is up", lambda: self.process.poll() is None and self.link()["state"] == "up", 15)

    def said(self):
        return self.log.read_text()

    def close(self):
        stop(self.process)
        check_sanitizers(self.said())


def profile(site, **more):
    lines = {"server": f'"{INTERNET_GATEWAY}"', "user": '"alice"', "password": '"wonder-land-42"',
             "psk": '"four-winds-1867"'}
    lines.update(more.pop("top", {}))
    text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
    for section, keys in more.items():
        text += section + " {\n" + "".join(f"    {key} = {value}\n" for key, value in keys.items()) + "}\n"
    return text


@pytest.fixture
def start(site):
    made = []

    def begin(text, computer=None, **more):
        engine = Engine(site, computer or site.computer(), text, **more)
        made.append(engine)
        return engine

    yield begin
    for engine in made:
        engine.close()


def test_a_profile_connects_and_the_socket_tells_of_it(site, start):
    computer = site.computer(site.world.add_home())
    engine = start(profile(site, net={"routes": '{"172.16.0.0/16"}', "dns": '"off"'}), computer)
    assert engine.ready.get("ok") is True, engine.ready
    engine.wait_up()
    link = engine.link()
    assert link["user"] == "alice" and link["server"] == INTERNET_GATEWAY
    assert link["server_address"] == f"{INTERNET_GATEWAY}:4500" and link["nat"] is True
    assert link["address"].startswith("10.99.0.") and link["remote"] == "10.99.0.1"
    assert link["routes"] == "172.16.0.0/16" and "mschapv2" in link["auth"]
    ping(computer, "172.16.0.10")
    assert engine.link()["packets_in"] >= 3
    events = engine.ask("events")[0]["data"]
    kinds = [progress["type"] for progress in events["progress"]]
    assert kinds[0] == "step" and "up" in kinds and events["link"]["state"] == "up"


def test_disconnect_is_answered_when_all_is_undone(site, start):
    computer = site.computer()
    own_files(computer, resolv_conf=FORMER)
    before = settled_state(computer)
    engine = start(profile(site, net={"routes": '"everything"'}), computer)
    engine.wait_up()
    assert host_state(computer) != before
    assert engine.ask("client.disconnect")[0].get("ok") is True
    assert host_state(computer) == before
    assert engine.process.wait(5) == 0
    wait_for("the gateway knows", lambda: not site.gateway.sessions())


def test_an_end_at_once_is_told_to_whoever_started_it(site, start):
    """However late it is scheduled to ask."""
    computer = site.computer()
    computer.run("ip", "route", "del", "default")
    engine = start(profile(site, top={"server": '"198.51.100.1"'}, run={"stay": '"never"'}), computer, listens=False)
    time.sleep(1.5)
    reply, *told = engine.ask("events", lines=2)
    told = reply["data"]["progress"] + [line["event"] for line in told]
    assert told[-1]["type"] == "failed" and told[-1]["cause"] == "no-network", told


def memory(pid):
    """All that a process can write to."""
    areas = [line.split()[:2] for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines() if "[v" not in line]
    with open(f"/proc/{pid}/mem", "rb") as file:
        for area, rights in areas:
            begin, end = (int(edge, 16) for edge in area.split("-"))
            if "w" in rights:
                file.seek(begin)
                yield file.read(end - begin)


@pytest.mark.plain
def test_the_helper_with_roots_rights_knows_no_secret(site, start):
    engine = start(profile(site))
    engine.wait_up()
    helper, = pathlib.Path(f"/proc/{engine.process.pid}/task/{engine.process.pid}/children").read_text().split()
    seen = {pid: b"".join(memory(pid)) for pid in (engine.process.pid, helper)}
    assert b"wonder-land-42" in seen[engine.process.pid], "this shows nothing"
    for secret in (b"wonder-land-42", b"four-winds-1867"):
        assert secret not in seen[helper]


def test_a_second_engine_of_the_same_name_is_refused(site, start):
    computer = site.computer()
    engine = start(profile(site), computer)
    engine.wait_up()
    second = start(profile(site), computer)
    assert "error" in second.ready, second.ready
    assert second.process.wait(10) != 0
    assert engine.link()["state"] == "up"


def test_the_host_has_its_name_servers_back_while_the_server_is_looked_for(site, start):
    computer = site.computer()
    files = own_files(computer, resolv_conf=FORMER, hosts=f"127.0.0.1 localhost\n{INTERNET_GATEWAY} vpn.test\n")
    engine = start(profile(site, top={"server": '"vpn.test"'}, net={"routes": '{"172.16.0.0/16"}'}), computer)
    address = engine.wait_up() and engine.link()["address"]
    resolv_conf = files / "resolv.conf"
    wait_for("the tunnel's name server is in use", lambda: "172.16.0.53" in resolv_conf.read_text(), 5)
    site.gateway.close()
    wait_for("the host's own is in use", lambda: resolv_conf.read_text() == FORMER, 40)
    assert address in computer.run("ip", "-4", "address", "show")
    site.gateway.start()
    wait_for("it is up again", lambda: engine.link()["state"] == "up", 75)
    assert engine.link()["address"] == address
    wait_for("the tunnel's name server is in use", lambda: "172.16.0.53" in resolv_conf.read_text(), 5)


@pytest.mark.parametrize("top, word", [
    ({"password": None}, "password"),
    ({"psk": None}, "key"),
    ({"server": None}, "server"),
])
def test_what_a_profile_lacks_is_told_to_whoever_starts_it(site, start, top, word):
    engine = start(profile(site, top=top))
    assert word in engine.ready["error"]["sentence"], engine.ready
    assert engine.process.wait(10) != 0


def test_routes_and_domain_that_the_server_tells(make_site):
    site = make_site(settings(net={"routes": '{"172.16.0.0/16", "10.200.0.0/16"}', "domain": '"corp.example"'}))
    computer = site.computer()
    engine = Engine(site, computer, profile(site, net={"routes": '"ask"'}))
    try:
        engine.wait_up()
        wait_for("the routes are there", lambda: "10.200.0.0/16" in engine.link()["routes"], 10)
        assert engine.link()["domain"] == "corp.example"
        ping(computer, "172.16.0.10", 2, interval=0.2)
    finally:
        engine.close()


def test_a_path_smaller_than_usual_is_found_out(site, start):
    """The internet carries 1400 bytes; the tunnel's packets are to fit without fragments."""
    computer = site.computer()
    computer.run("ip", "link", "set", "eth", "mtu", "1400")
    engine = start(profile(site, net={"routes": '{"172.16.0.0/16"}'}), computer)
    engine.wait_up()
    wait_for("the MTU is below that of the path", lambda: 1200 < engine.link()["mtu"] < 1360, 20)


# ---- as a service ----

def test_the_service_manager_is_told(site):
    computer = site.computer()
    manager = open_socket(computer, socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind("\0sekisho-manager")
    manager.settimeout(15)
    engine = Engine(site, computer, profile(site), NOTIFY_SOCKET="@sekisho-manager")
    try:
        told = []
        while not told or "READY=1" not in told[-1]:
            told.append(manager.recv(4096).decode())
        assert told[0].startswith("STATUS=Connecting: ")
        assert told[-1] == f"READY=1\nSTATUS=Connected, address {engine.link()['address']}"
        engine.process.send_signal(signal.SIGTERM)
        assert engine.process.wait(10) == 0
        while "STOPPING=1" not in told[-1]:
            told.append(manager.recv(4096).decode())
    finally:
        stop(engine.process)
        manager.close()


# ---- certificates ----

SERVER = "vpn.example.com"


class Signed:
    """A gateway with a certificate, and a client with one, both of one authority."""

    def __init__(self, make_site, directory, key="rsa2048"):
        self.root = Authority(directory / "root", key)
        self.server = self.root.issue(SERVER, key, usage="serverAuth")
        self.holder = self.root.issue("laptop.example.com", key)
        self.site = make_site(settings(**{'certificate "gateway"': {"file": f'"{bundle(self.server)}"'},
                                          'authority "example"': {"file": f'"{self.root.certificate}"'}}))

    def profile(self, holder=None, root=None, identity=SERVER):
        return profile(self.site, top={"psk": None}, net={"routes": '{"172.16.0.0/16"}', "dns": '"off"'}, certificate={
            "file": f'"{bundle(holder or self.holder)}"', "authorities_file": f'"{(root or self.root).certificate}"',
            "server_identity": f'"{identity}"'})

    def start(self, **changes):
        return Engine(self.site, self.site.computer(), self.profile(**changes))


@pytest.mark.parametrize("key", ["rsa2048", "ecdsa256", "ecdsa384"])
def test_a_certificate_in_place_of_a_key(make_site, tmp_path, key):
    signed = Signed(make_site, tmp_path, key)
    engine = signed.start()
    try:
        assert engine.ready.get("ok") is True, engine.ready
        engine.wait_up()
        assert SERVER in engine.link()["server_identity"]
        assert "laptop.example.com" in signed.site.gateway.explain("alice")
    finally:
        engine.close()


def test_each_refused_certificate_has_its_status(make_site, tmp_path):
    signed = Signed(make_site, tmp_path)
    stranger = Authority(tmp_path / "stranger", name="Example Stranger")
    for changes, status, cause in (
            ({"identity": "other.example.com"}, 14, "cert-name"),
            ({"root": stranger}, 14, "cert-unknown-ca"),
            ({"holder": stranger.issue("laptop.example.com")}, 15, "cert-refused"),
            ({"holder": signed.root.issue("old.example.com", start=-20, days=10)}, 15, "cert-refused")):
        engine = signed.start(**changes)
        try:
            assert engine.process.wait(20) == status, engine.said()
            assert f'"cause":"{cause}"' in engine.said()
        finally:
            engine.close()
