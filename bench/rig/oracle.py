"""Whether a stranger can tell by the time which names exist: refusals under unknown and known names, in turn, through
the real programs: logins at the gateway by every method, and the portal's pages over HTTPS.

Told is how far the median of the farthest name lies from that of the unknown one: in microseconds, and in units of the
noise, which is the distance of the quartiles. What chance alone may bring is estimated by drawing anew from what was
measured. A name is told from another when it lies farther away than that. Another unknown name is a witness.
"""
import ipaddress
import random
import re
import socket
import ssl
import statistics
import time
import urllib.parse

from lab.portal import ADMIN, ADMIN_PASSWORD, Portal, one_time_code
from rig.place import LOAD_CORE, PASSWORD, PSK, SERVER, STORM_FIRST, Place, on_core, program
from rig.report import heading

METHODS = ("pap", "chap-md5", "mschapv2", "eap-gtc", "eap-mschapv2")
UNKNOWN, CONTROL = "mallory", "nemesis"
LOGINS = {"alice": "with a pattern", "bobby": "without", "carol": "disabled", "david": "locked", "erwin": "with codes"}
KEEPERS = {ADMIN: "administrator"}
ROUNDS_EACH = 60  # attempts of each name, in each of the rounds of bench/run
PATTERN = [0, 21, 10, 35, 5, 44, 18, 31]
PATIENCE = 45  # failures under an administrator's name before all have to wait, for which nothing is hashed
DEVIATIONS = 4  # past which it is not chance: some fifty pairs are compared


def people(gateway):
    """One of each kind."""
    def ask(verb, **args):
        reply = gateway.verb(verb, **args)
        assert reply["ok"], reply
        return reply["data"]

    for name in LOGINS:
        gateway.add_user(name, PASSWORD)
    practice = ask("grid.enrol", user="alice", cells=",".join(map(str, PATTERN)))
    while practice["enrolment"]["rounds"]:
        grid = practice["grid"]
        practice = ask("grid.practise", user="alice", code=grid["code"],
                       answer="".join(grid["cells"][cell] for cell in PATTERN))
    ask("user.set", name="carol", enabled=False)
    secret = ask("totp.begin", user="erwin")["secret"]
    ask("totp.confirm", user="erwin", answer=one_time_code(secret))
    for source in range(1, 4):
        for _ in range(6):
            gateway.verb("user.check", name="david", password="wrong", source=f"203.0.113.{source}")
    assert ask("user.list", name="david")["users"][0]["locked"], "nobody is locked"


# ---- judging ----

def chance(one, other):
    """What the difference of two medians may be by chance."""
    draw = random.Random(1)
    drawn = [statistics.median(draw.choices(one, k=len(one))) - statistics.median(draw.choices(other, k=len(other)))
             for _ in range(200)]
    return DEVIATIONS * statistics.pstdev(drawn)


class Verdict:
    """Of one way to ask; times: {name: [microseconds]}."""

    def __init__(self, what, known, times):
        low, middle, high = statistics.quantiles(times[UNKNOWN], n=4)
        apart = {name: statistics.median(values) - middle for name, values in times.items() if name != UNKNOWN}
        worst = max(known, key=lambda name: abs(apart[name]))
        self.what = what
        self.ratio = abs(apart[worst]) / (high - low)
        limit = chance(times[worst], times[UNKNOWN])
        self.told = abs(apart[worst]) > limit
        print(f"  {what}: unknown {middle:.0f} us, noise {high - low:.0f} us, {len(times[UNKNOWN])} each; farthest: "
              f"{known[worst]}, {apart[worst]:+.1f} us, {self.ratio:.2f} of the noise (chance: up to {limit:.1f} us); "
              f"another unknown: {apart[CONTROL]:+.1f} us", flush=True)


# ---- the gateway ----

def names_of(known):
    return [UNKNOWN, CONTROL, *known]


def logins(place, method, rounds, first):
    """Of one method: {name: [microseconds]}."""
    said = place.client.run(*on_core(LOAD_CORE, program("oracle")), "--server", SERVER, "--psk", PSK, "--password",
                            "not the password", "--method", method, "--rounds", rounds, "--first", first,
                            *names_of(LOGINS), timeout=900)
    times = {name: [] for name in names_of(LOGINS)}
    for line in said.splitlines():
        name, took = line.split()
        times[name].append(int(took) / 1000)
    return times


# ---- the portal ----

class Pages:
    """Asks the portal from a new address each time, so that it never has to wait."""

    def __init__(self, port):
        self.port = port
        self.context = ssl._create_unverified_context()
        self.sources = 0
        visitor = Portal.visitor(self)
        page = visitor.get("/login")
        self.token = page.form("/login")["token"]
        self.cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())

    def took(self, path, **fields):
        """Microseconds from the request to the end of its response, the connection being there."""
        self.sources += 1
        source = f"127.1.{self.sources >> 8}.{self.sources & 255}"
        body = urllib.parse.urlencode({"token": self.token, **fields})
        request = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookie}\r\n"
                   "Connection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
        with socket.create_connection(("127.0.0.1", self.port), source_address=(source, 0)) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.context.wrap_socket(plain) as s:
                began = time.perf_counter_ns()
                s.sendall(request)
                head = s.recv(65536)
                took = (time.perf_counter_ns() - began) / 1000
                while s.recv(65536):
                    pass
        assert re.match(rb"HTTP/1.1 (200|403) ", head), head[:200]
        return took


WAYS = {
    "login": (LOGINS, None, lambda pages, name: pages.took("/login", name=name, password="not the password")),
    "a grid": (LOGINS, None, lambda pages, name: pages.took("/grid", name=name)),
    "a grid's answer": (LOGINS, None, lambda pages, name: pages.took("/grid/login", name=name, code="0" * 32,
                                                                  answer="12345678")),
    "an administrator's login": (KEEPERS, PATIENCE, lambda pages, name: pages.took(
        "/admin/login", name=name, answer="123456", password="not the password")),
}


def asked(pages, way, rounds):
    known, most, ask = WAYS[way]
    times = {name: [] for name in names_of(known)}
    order = random.Random(1)
    for _ in range(min(rounds, most or rounds)):
        for name in order.sample(list(times), len(times)):
            times[name].append(ask(pages, name))
    return times


# ---- all of it ----

def benchmark(rounds):
    each = rounds * ROUNDS_EACH
    heading(f"What the time of a refusal tells of names ({each} attempts under each, in turn; grids and codes on)")
    verdicts = []
    with Place() as place:
        gateway = place.start_gateway(grid={"enabled": "on", "totp": '"alternative"', "lock_sources": "3"},
                                      ppp={"auth": "{" + ", ".join(f'"{method}"' for method in METHODS) + "}"})
        people(gateway)
        first = ipaddress.ip_address(STORM_FIRST)
        for method in METHODS:
            verdicts.append(Verdict(f"login by {method}", LOGINS, logins(place, method, each, first)))
            first += each * len(names_of(LOGINS))
        portal = Portal(gateway)
        try:
            portal.admin(ADMIN, ADMIN_PASSWORD)
            pages = Pages(portal.port)
            for way in WAYS:
                verdicts.append(Verdict(f"portal, {way}", WAYS[way][0], asked(pages, way, each)))
        finally:
            portal.close()
    told = [verdict.what for verdict in verdicts if verdict.told]
    print(f"  largest part of the noise: {max(verdict.ratio for verdict in verdicts):.2f}; "
          + (f"NAMES ARE TOLD APART by {', '.join(told)}" if told else "no name is told from an unknown one"), flush=True)
