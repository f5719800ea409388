"""Ten thousand requests that no browser sends, to every address of the portal, from strangers, a user and an administrator."""
import collections
import os
import queue
import random
import re
import socket
import ssl
import threading
import time

import pytest

from lab.client import Client
from lab.gateway import TREE, Gateway, settings
from lab.mutation import Request, torn
from lab.portal import ADMIN, ADMIN_PASSWORD, Portal, one_time_code
from lab.shell import wait_for
from lab.world import World

REQUESTS = 10000
VISIT = 50  # requests from one address, whose rate is limited
THREADS = 8
PSK = "four-winds-1867"
USERS = {"alice": "wonder-land-42", "bob": "builder-77-hats", "mallory": "seven-long-words", "traveller": "far-away-places-9"}
PATTERN = "0,21,10,35,5,44,18,31"
STATUSES = {200, 303, 400, 403, 404, 405, 411, 413, 414, 415, 422, 429, 431, 501, 503, 505}
ROUTES = [(method, path, who) for method, path, who in re.findall(
    r'^ROUTE\((\w+), "([^"]+)", (\w+)', (TREE / "src/portal/routes.def").read_text(), re.M)]
ROLES = {"stranger": "ANYONE", "user": "USER", "keeper": "ADMIN"}
QUERY = {"/me/device": {"for": "ios"}, "/me/device/file": {"for": "windows"}, "/me/device/hand": {"for": "rtx"},
         "/admin/user": {"name": "bob"}, "/admin/group": {"name": "field"}, "/admin/stories": {"who": "alice"},
         "/admin/users": {"q": "o"}}
# What the forms hold; the values do nothing to the traveller's session, whatever becomes of them.
FIELDS = {
    "/login": {"name": "nobody", "password": "not-the-password"},
    "/admin/login": {"name": "nobody", "password": "not-the-password", "answer": "123456"},
    "/invite": {"code": "0123456789abcdef0123456789abcdef"},
    "/invite/use": {"code": "0123456789abcdef0123456789abcdef", "name": "eve", "password": "a-long-word-12",
                    "again": "a-long-word-12"},
    "/grid": {"name": "bob"},
    "/grid/login": {"name": "eve", "code": "0123456789abcdef0123456789abcdef", "answer": "12345678"},
    "/me/kick": {"session": "77777777"},
    "/me/password": {"old": "x", "password": "a-brand-new-one", "again": "a-brand-new-one"},
    "/me/pattern": {"cells": "3,1,4,15,9,26,5,35", "old": "x"},
    "/me/pattern/practise": {"code": "0123456789abcdef0123456789abcdef", "answer": "12345678"},
    "/me/codes/begin": {"old": "x"},
    "/me/codes/prove": {"code": "0123456789abcdef0123456789abcdef", "answer": "12345678"},
    "/me/codes/confirm": {"answer": "123456"},
    "/me/codes/off": {"answer": "123456"},
    "/admin/kick": {"session": "77777777"},
    "/admin/users/add": {"name": "newcomer", "password": "a-long-word-12", "group": ""},
    "/admin/user/save": {"name": "bob", "enabled": "1", "expires": "2030-01-31", "address": "10.99.0.200", "max_sessions": "3",
                         "group": "field", "note": "on the road"},
    "/admin/user/password": {"name": "newcomer", "password": "another-long-word"},
    "/admin/groups/add": {"name": "branch"},
    "/admin/group/save": {"name": "field", "enabled": "1", "pool": "", "max_sessions": "3", "login": "", "note": "x"},
    "/admin/invites/revoke": {"id": "77777777"},
    "/admin/config": {"config": 'pool "a" { range = "10.1.1.2-10.1.1.9" }\n'},
}


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A gateway with grids and a session of the traveller's; the portal keeps little freed memory, so that its size tells."""
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4")
    made = World()
    try:
        made.add_gateway_and_office()
        sections = settings(grid={"enabled": "on", "totp": "alternative"}, ppp={"auth": "{mschapv2}"}, log={"level": '"info"'})
        made.gateway_program = Gateway(made.gateway, tmp_path / "gateway", PSK, USERS, sections)
        made.on_close(made.gateway_program.close)
        made.portal = Portal(made.gateway_program)
        made.on_close(made.portal.close)
        made.portal.ask("group.add", name="field")
        made.client = Client(made.add_computer(), tmp_path, "traveller", USERS["traveller"], PSK)
        made.on_close(made.client.close)
        yield made
    finally:
        made.close()


class Person:
    """Somebody who sends: what the cookie is, and what forms must bring."""

    def __init__(self, visitor, page, action):
        self.visitor = visitor
        self.cookie = f"__Host-sekisho={visitor.cookies['__Host-sekisho']}".encode()
        self.token = page.form(action)["token"]

    @property
    def secret(self):
        return self.cookie.split(b"=")[1]


def people(portal):
    """A stranger, a user whose login may be lost on the way, an administrator; and those whose cookies nobody may see."""
    stranger, mallory, keeper, alice = (portal.visitor() for _ in range(4))
    secret = portal.admin(ADMIN, ADMIN_PASSWORD)
    kept = keeper.submit(keeper.get("/admin/login"), "/admin/login", name=ADMIN, password=ADMIN_PASSWORD,
                         answer=one_time_code(secret))
    who = {"stranger": Person(stranger, stranger.get("/login"), "/login"),
           "user": Person(mallory, mallory.log_in("mallory", USERS["mallory"]), "/logout"),
           "keeper": Person(keeper, kept, "/logout")}
    other = Person(alice, alice.log_in("alice", USERS["alice"]), "/logout")
    return who, {secret.encode(), other.secret}


class Line:
    """One connection to the portal from an address of its own, read as strictly as HTTP demands."""

    def __init__(self, port, source):
        context = ssl._create_unverified_context()
        self.tcp = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))
        self.tls = context.wrap_socket(self.tcp)
        self.file = self.tls.makefile("rb")
        self.open = True

    def send(self, request, last):
        """last: nothing follows, so that the portal does not wait for what a torn head has promised."""
        try:
            self.tls.sendall(request)
            if last:
                with socket.socket(fileno=os.dup(self.tls.fileno())) as same:
                    same.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has closed already: what it said first is read

    def answer(self, head_only):
        """(status, all bytes); (0, b"") for a closed connection."""
        try:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.file.readline(20000)
                if not line:
                    assert head == b"", head
                    self.open = False
                    return 0, b""
                head += line
        except OSError:
            self.open = False
            return 0, b""
        first = re.match(rb"HTTP/1\.[01] (\d{3}) [\x20-\x7e]+\r\n", head)
        assert first, head
        assert all(re.fullmatch(rb"[A-Za-z-]+: [\x20-\x7e]*", h) for h in head.split(b"\r\n")[1:-2]), head
        headers = dict(h.lower().split(b": ", 1) for h in head.split(b"\r\n")[1:-2])
        status = int(first[1])
        if status == 100:
            return self.answer(head_only)
        if headers.get(b"content-type") == b"text/event-stream":
            self.open = False
            return status, head + self.file.readline(2000)
        length = 0 if head_only else int(headers[b"content-length"])
        body = self.file.read(length)
        self.open = headers.get(b"connection") != b"close"
        assert len(body) == length or not self.open, (head, len(body))
        if status == 200 and b"text/html" in headers[b"content-type"] and not head_only:
            assert body.startswith(b"<!doctype html>") and body.endswith(b"</html>\n"), body
        return status, head + body

    def close(self):
        self.file.close()
        self.tls.close()


class Attack:
    def __init__(self, site, seed):
        self.site, self.seed = site, seed
        self.who, self.secrets = people(site.portal)
        self.secrets |= {PSK.encode(), PATTERN.encode(), ADMIN_PASSWORD.encode(), *(p.encode() for p in USERS.values())}
        self.places = re.compile(rb"0x[0-9a-f]{8}|/work/|/tmp/|/home/|/root/|/src/|\.[ch]:\d|Sanitizer|users\.db|users\.key")
        self.counts = collections.Counter()
        self.told = []

    def judge(self, name, request, status, answer):
        self.counts[status] += 1
        assert status in STATUSES | {0}, (status, request, answer)
        may = {PSK.encode()} if name == "user" else set()
        others = {p.secret for n, p in self.who.items() if n != name}
        for secret in (self.secrets | others) - may:
            assert secret not in answer or secret in request, (secret, request, answer)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"<svg onload" not in answer, (request, answer)
        assert b"\r\nset-cookie: x" not in head.lower(), (request, answer)
        if name != "keeper" and b"attachment" not in answer:
            found = self.places.search(body)
            assert not found or found[0] in request, (found, request, answer)

    def request(self, rng, name):
        """One that would be answered, before anything is done to it."""
        person = self.who[name]
        own = [r for r in ROUTES if r[2] == ROLES[name]] if rng.randrange(4) else ROUTES
        while True:
            method, path, _ = rng.choice(own)
            heavy = path == "/admin/login" and method == "POST"  # a hash that takes its time
            ends = path == "/logout" and name != "stranger"
            if not (heavy or ends) or rng.randrange(8) == 0:
                break
        fields = None
        if method != "GET":
            fields = {"token": person.token if not ends else "0" * 64, **FIELDS.get(path, {"name": "newcomer"})}
        return Request(method, path, QUERY.get(path, {}).items(), person.cookie if rng.randrange(20) else b"", fields)

    def visit(self, number):
        rng = random.Random(f"{self.seed}/{number}")
        source = f"127.{1 + number // 62500}.{number // 250 % 250}.{2 + number % 250}"
        name = rng.choices(("stranger", "user", "keeper"), (2, 3, 4))[0]
        line = None
        for _ in range(VISIT):
            request = self.request(rng, name)
            for _ in range(rng.randrange(0, 4)):
                request.mutate(rng)
            whole, last = request.bytes(), not request.is_delimited()
            if rng.randrange(6) == 0:
                whole, last = torn(whole, rng), True
            if line is None or not line.open or last:
                if line is not None:
                    line.close()
                line = Line(self.site.portal.port, source)
            line.send(whole, last)
            status, answer = line.answer(whole.startswith(b"HEAD "))
            self.judge(name, whole, status, answer)
            if last:
                line.open = False
            elif status == 0:  # where a head has filled all the memory that it may, there is none left to answer with
                assert len(whole) > 8000 or b"=;=;=;=;" in whole, whole
        line.close()

    def run(self):
        todo = queue.SimpleQueue()
        for number in range(REQUESTS // VISIT):
            todo.put(number)

        def work():
            while not self.told:
                try:
                    number = todo.get_nowait()
                except queue.Empty:
                    return
                try:
                    self.visit(number)
                except BaseException as e:  # told by the thread that waits
                    self.told.append((number, e))
        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.told:
            number, e = self.told[0]
            raise AssertionError(f"seed {self.seed}, visit {number}") from e


def resident(process):
    """MB."""
    return int(re.search(r"VmRSS:\s*(\d+)", open(f"/proc/{process.pid}/status").read())[1]) / 1024


def checks(portal):
    return [(c["state"], re.sub(r"\d+", "N", c["sentence"])) for c in portal.ask("health")["checks"]]


def test_ten_thousand_mutated_requests_leave_portal_and_gateway_whole(site):
    seed = int(os.environ.get("SEKISHO_SEED", 0)) or random.randrange(2**32)
    print("seed", seed)
    gateway, portal = site.gateway_program, site.portal
    session, pid = gateway.sessions()[0], portal.process.pid
    health = checks(portal)
    said_before = gateway.log.stat().st_size
    attack = Attack(site, seed)
    before, began = resident(portal.process), time.monotonic()
    attack.run()
    print(dict(attack.counts), f"{time.monotonic() - began:.0f} s, {before:.0f} -> {resident(portal.process):.0f} MB")
    assert attack.counts.total() == REQUESTS
    assert {200, 303, 400, 403, 404, 405, 413} <= attack.counts.keys(), "what was sent was of many kinds"
    assert attack.counts[429] < REQUESTS / 10 and attack.counts[0] < REQUESTS / 10, "most of it got as far as a verdict"
    assert resident(portal.process) < before + 64
    assert portal.process.pid == pid and portal.process.poll() is None and "serving" in portal.said().splitlines()[-1]
    wait_for("the address of the tests may ask again", lambda: portal.visitor().raw("GET", "/login").status == 200)
    for name, page in (("user", "/me"), ("keeper", "/admin")):
        assert attack.who[name].visitor.raw("GET", page).status == 200, "the logins have lasted, so the pages were reached"
    assert gateway.process.poll() is None
    assert checks(portal) == health
    assert [(s["id"], s["address"]) for s in gateway.sessions()] == [(session["id"], session["address"])]
    site.client.ping()
    assert not re.search(r"^\S+Z (error|warning) ", gateway.log.read_bytes()[said_before:].decode(errors="replace"), re.M), gateway.said()
