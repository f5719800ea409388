"""The portal is killed while it is at work: the VPN does not notice."""
import re
import socket
import ssl
import subprocess

from lab import pings
from lab.client import Client
from lab.portal import ADMIN_PASSWORD

PINGS = 40


def speak(portal, visitor, head, body=b""):
    """A connection with a request on it; what comes back is left to lie."""
    line = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", portal.port), timeout=30))
    cookie = "; ".join(f"{k}={v}" for k, v in visitor.cookies.items())
    line.sendall(f"{head}\r\nHost: 127.0.0.1:{portal.port}\r\nCookie: {cookie}\r\n".encode() + body)
    return line


def test_a_killed_portal_takes_no_session_with_it(site, portal, gateway, keeper, tmp_path):
    client = Client(site.add_computer(), tmp_path, "alice", "wonder-land-42", "four-winds-1867")
    site.on_close(client.close)
    client.wait_answer()
    session = gateway.sessions()[0]
    alice = portal.visitor()
    token = alice.log_in("alice", "wonder-land-42").form("/logout")["token"]
    ping = client.namespace.start(*pings.words("172.16.0.10", PINGS), stdout=subprocess.PIPE, text=True)
    # A form that is half here, events that flow, a file that nobody takes, and a question that the gateway works at.
    post = speak(portal, alice, "POST /me/password HTTP/1.1", b"Content-Type: application/x-www-form-urlencoded\r\n"
                 b"Content-Length: 4000\r\n\r\ntoken=" + token.encode())
    stream = speak(portal, keeper, "GET /admin/stream HTTP/1.1", b"\r\n")
    file = speak(portal, alice, "GET /me/device/file?for=windows HTTP/1.1", b"\r\n")
    told = b""
    while b"event: status" not in told:
        told += stream.recv(4000)
    stranger = portal.visitor()
    form = stranger.get("/admin/login").form("/admin/login")
    body = f"token={form['token']}&name=keeper&password={ADMIN_PASSWORD}x&answer=000000".encode()
    login = speak(portal, stranger, "POST /admin/login HTTP/1.1", b"Content-Type: application/x-www-form-urlencoded\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body) + body)
    portal.process.kill()
    portal.process.wait()
    for line in (post, stream, file, login):
        line.close()
    portal.log.write_bytes(b"")
    portal.start()
    assert alice.raw("GET", "/me").location == "/login", "who was logged in is not, after a restart"
    assert session["address"] in alice.log_in("alice", "wonder-land-42").text
    pings.check(ping.communicate(timeout=120)[0], PINGS)
    assert client.running
    assert [(s["id"], s["address"]) for s in gateway.sessions()] == [(session["id"], session["address"])]
    assert {c["state"] for c in portal.ask("health")["checks"]} <= {"ok", "warn"}
    assert gateway.process.poll() is None
    assert not re.search(r"^\S+Z error ", gateway.log.read_text(errors="replace"), re.M), gateway.said()
