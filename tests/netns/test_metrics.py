"""What Prometheus sees, read by the project's own parser and by a strict one of ours; and readers who mean no good."""
import re
import socket
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab.gateway import settings
from lab.shell import wait_for

PORT = 9199
LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? ([0-9]+)')


@pytest.fixture
def site(make_site):
    return make_site(settings(metrics={"listen": '"127.0.0.1"', "port": PORT}))


def ask(site, request=b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"):
    """The whole reply; asked from within the gateway's namespace."""
    script = ("import socket,sys\n"
              f"s=socket.create_connection(('127.0.0.1',{PORT}),5)\n"
              "s.sendall(sys.stdin.buffer.read())\n"
              "while (b:=s.recv(65536)): sys.stdout.buffer.write(b)\n")
    done = subprocess.run(["ip", "netns", "exec", site.gateway.namespace.name, "/usr/bin/python3", "-c", script], input=request,
                          capture_output=True, timeout=30, check=True)
    return done.stdout


def parse(text):
    """{name: {labels: value}}; every line must be right, and each family stand together behind its HELP and TYPE."""
    families, samples, current = {}, {}, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            assert current not in families, line
            families[current] = None
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current and families[name] is None and kind in ("counter", "gauge"), line
            assert (kind == "counter") == name.endswith("_total"), line
            families[name] = kind
        else:
            match = LINE.fullmatch(line)
            assert match and match[1] == current and families[current], line
            labels = match[2] or ""
            assert labels not in samples.setdefault(current, {}), line
            samples[current][labels] = int(match[3])
    return samples


def numbers(site):
    head, text = ask(site).decode().split("\r\n\r\n", 1)
    assert head.startswith("HTTP/1.1 200 OK\r\n") and "text/plain; version=0.0.4" in head
    assert f"Content-Length: {len(text)}" in head
    return parse(text)


def test_the_numbers_are_those_of_the_gateway_and_their_parser_reads_them(site):
    site.connect().ping(count=5)
    refused = site.connect(user="bob", password="guess", wait=False)
    refused.wait_end(15)
    time.sleep(1.1)
    told = numbers(site)
    assert told["sekisho_sessions"][""] == 1
    assert told["sekisho_logins_total"] == {'result="accepted"': 1, 'result="refused"': 1}
    assert told["sekisho_pool_addresses_used"] == {'pool="office"': 1}
    assert told["sekisho_packets_total"]['direction="in"'] >= 5
    assert told["sekisho_ends_total"]['cause="wrong-password"'] == 1
    text = ask(site).split(b"\r\n\r\n", 1)[1]
    assert b"alice" not in text and b"203.0.113" not in text
    read = {sample.name for family in text_string_to_metric_families(text.decode()) for sample in family.samples}
    assert read == set(told)


def test_every_name_is_documented(site):
    from lab.gateway import TREE
    page = (TREE / "docs/metrics.md").read_text()
    named = set(re.findall(r"^\| `(sekisho_\w+)`", page, re.M))
    assert set(numbers(site)) <= named
    assert named - set(numbers(site)) <= {"sekisho_certificate_expiry_timestamp_seconds"}  # there is none here


@pytest.mark.parametrize("request_, status", [
    (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"), (b"GET / HTTP/1.1\r\n\r\n", b"404"),
    (b"rubbish\r\n\r\n", b"400"), (b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 9000, b"431"),
], ids=["post", "path", "rubbish", "long"])
def test_what_is_no_request_for_them_has_a_plain_answer(site, request_, status):
    assert ask(site, request_).startswith(b"HTTP/1.1 " + status)


def test_slow_readers_and_silent_ones_hurt_nobody(site):
    client = site.connect()
    script = ("import socket,time\n"
              f"c=[socket.create_connection(('127.0.0.1',{PORT}),5) for _ in range(60)]\n"
              "[s.send(b'GET /met') for s in c[:30]]\n"
              "print('ready',flush=True)\n"
              "time.sleep(30)\n")
    slow = subprocess.Popen(["ip", "netns", "exec", site.gateway.namespace.name, "/usr/bin/python3", "-c", script], stdout=subprocess.PIPE)
    try:
        assert slow.stdout.readline() == b"ready\n"
        client.ping()
        begun = time.monotonic()
        assert site.gateway.verb("status")["ok"]
        assert numbers(site)["sekisho_sessions"][""] == 1
        assert time.monotonic() - begun < 2
    finally:
        slow.kill()
        slow.wait()
