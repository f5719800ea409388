"""Requests that no browser sends: a clear status, nothing told, nothing held up."""
import socket
import ssl
import time

from lab.client import Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_every_answer_forbids_what_pages_of_others_could_do(portal):
    visitor = portal.visitor()
    for path in ("/login", "/nowhere", "/assets/portal.js", "/me"):
        headers = visitor.raw("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert headers["Strict-Transport-Security"] and headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store" or path.startswith("/assets/")
    cookie = visitor.raw("GET", "/login").headers["Set-Cookie"] or portal.visitor().raw("GET", "/login").headers["Set-Cookie"]
    assert cookie is None or all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Strict", "__Host-"))


def test_no_page_holds_script_or_style_within(portal):
    for path in ("/login", "/admin/login", "/invite", "/why"):
        text = portal.visitor().get(path).text.lower()
        assert "<style" not in text and " style=" not in text and " onclick=" not in text
        assert text.count("<script") == 1 and '<script src="/assets/portal.js" defer></script>' in text


def test_forms_of_others_are_refused(portal):
    visitor = portal.visitor()
    page = visitor.get("/login")
    fields = {**page.form("/login"), "name": "alice", "password": "wonder-land-42"}
    assert visitor.post("/login", {**fields, "token": ""}).status == 403
    assert visitor.post("/login", {**fields, "token": "0" * 64}).status == 403
    assert visitor.post("/login", fields, {"Origin": "https://evil.example"}).status == 403
    assert visitor.post("/login", fields, {"Origin": "null"}).status == 403
    assert visitor.post("/login", fields, {"Sec-Fetch-Site": "cross-site"}).status == 403
    other = portal.visitor()
    other.get("/login")
    assert other.post("/login", fields).status == 403, "a token belongs to its cookie"
    assert visitor.post("/login", fields, {"Origin": portal.url}).status == 303


def test_forged_cookies_are_nobody(portal):
    visitor = portal.visitor()
    for value in ("", "0", "f" * 64, "F" * 64, "g" * 64, "a" * 63, "%00" * 20, "'; DROP TABLE logins; --", "ab" * 4000):
        visitor.cookies = {"__Host-sekisho": value}
        answer = visitor.raw("GET", "/me")
        assert answer.status in (303, 400, 413, 431) and answer.location in ("/login", ""), value[:70]


def test_wrong_methods_and_sizes_have_a_clear_status(portal):
    visitor = portal.visitor()
    token = visitor.get("/login").form("/login")["token"]
    assert visitor.raw("PUT", "/login").status == 405
    assert visitor.raw("DELETE", "/me").status == 405
    assert visitor.raw("GET", "/me/kick").status == 405
    assert visitor.raw("POST", "/login", "x=1", {"Content-Type": "text/plain"}).status == 415
    assert visitor.raw("POST", "/login", "token=" + "a" * 9000, FORM).status == 413
    assert visitor.raw("POST", "/login", "x", {**FORM, "Content-Length": "999999999999"}).status in (400, 413)
    assert visitor.raw("POST", "/login", iter([b"x=1"]), {**FORM, "Transfer-Encoding": "chunked"}).status in (400, 411)
    assert visitor.raw("POST", "/login", f"token={token}&name=%zz", FORM).status == 400
    assert visitor.raw("POST", "/login", f"token={token}&name=a&name=b", FORM).status == 400
    assert visitor.raw("GET", "/" + "a" * 2000).status in (400, 404, 414)
    assert visitor.raw("GET", "/login?%00").status == 400
    assert visitor.raw("GET", "/../../etc/passwd").status == 404


def tls(portal):
    context = ssl._create_unverified_context()
    raw = socket.create_connection(("127.0.0.1", portal.port), timeout=30)
    return context.wrap_socket(raw)


def test_old_tls_is_refused(portal):
    context = ssl._create_unverified_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    try:
        context.wrap_socket(socket.create_connection(("127.0.0.1", portal.port), timeout=10))
    except (ssl.SSLError, ConnectionError):
        return
    raise AssertionError("TLS 1.1 was taken")


def test_a_request_that_trickles_is_shut_and_holds_nobody_up(portal):
    slow = [tls(portal) for _ in range(10)]
    began = time.monotonic()
    for s in slow:
        s.sendall(b"GET /login HTTP/1.1\r\nHost: x\r\n")
    open_ = list(slow)
    n = 0
    while open_ and time.monotonic() - began < 30:
        n += 1
        for s in list(open_):
            try:
                s.sendall(b"X-%d: y\r\n" % n)
            except OSError:
                open_.remove(s)
        assert portal.visitor().raw("GET", "/login").status == 200
        time.sleep(1)
    assert not open_, "all were shut"
    assert 13 < time.monotonic() - began < 22


def test_half_a_handshake_does_not_keep_the_portal_busy(portal):
    def cpu():
        fields = open(f"/proc/{portal.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    half = socket.create_connection(("127.0.0.1", portal.port))
    half.sendall(bytes.fromhex("160301020001000001"))
    before = cpu()
    time.sleep(3)
    assert cpu() - before < 60, "hundredths of a second in three seconds"
    half.close()


def test_a_flood_from_one_source_is_told_to_wait(portal):
    visitor = portal.visitor()
    page = visitor.get("/login")
    fields = {**page.form("/login"), "name": "nobody", "password": "x"}
    statuses = [visitor.post("/login", fields).status for _ in range(14)]
    assert statuses[-1] == 429 and 403 in statuses
    answers = [visitor.raw("GET", "/login") for _ in range(200)]
    refused = [a for a in answers if a.status == 429]
    assert refused and int(refused[0].headers["Retry-After"]) >= 1


def test_heads_that_are_no_http_or_half_leave_nothing_behind(portal):
    """A request begins at its first line, and is forgotten when no good lines follow; a sanitizer tells at the end what was
    left."""
    begun = b"POST /login HTTP/1.1\r\nHost: x\r\n"
    for more in (b"", b"Content-Length: -1\r\n\r\n", b"Content-Length: 99999999999999999999\r\n\r\n", b"Cookie: " + b"=;" * 400 +
                 b"\r\n\r\n", b"X: " + b"y" * 30000 + b"\r\n\r\n", b"Nul\0here: x\r\n: nameless\r\n\r\n"):
        for _ in range(4):
            with tls(portal) as s:
                s.sendall(begun + more)
                if more:
                    assert s.recv(10) in (b"", b"HTTP/1.1 4"), more[:40]
    assert portal.visitor().raw("GET", "/login").status == 200
    portal.process.terminate()
    assert portal.process.wait(30) == 0, portal.said()


def test_a_kick_that_names_nobody_ends_nothing(site, portal, keeper, tmp_path):
    client = Client(site.add_computer(), tmp_path, "alice", "wonder-land-42", "four-winds-1867")
    site.on_close(client.close)
    client.wait_up()
    alice = portal.visitor()
    page = alice.log_in("alice", "wonder-land-42")
    token = keeper.get("/admin").form("/logout")["token"]
    for path, fields in (("/admin/kick", {"session": "0"}), ("/admin/user/kick", {"name": ""}), ("/admin/user/kick", {})):
        answer = keeper.follow(keeper.post(path, {"token": token, **fields}))
        assert "It is not there any more." in answer.text, (path, fields)
    answer = alice.follow(alice.post("/me/kick", {"token": page.form("/logout")["token"], "session": "0"}))
    assert "It is not there any more." in answer.text
    assert len(site.gateway_program.sessions()) == 1
