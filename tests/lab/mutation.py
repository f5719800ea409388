"""Requests as a browser sends them, and what somebody with bad intentions makes of them; all of it follows from a seed.

A request stays one that a server can delimit (`Request`), or is broken as a string of bytes (`torn`)."""
import urllib.parse

FORM = "application/x-www-form-urlencoded"
NASTY = (
    b"", b"%", b"%zz", b"%00", b"%0d%0aSet-Cookie:%20x=y", b"%ff%fe", b"%e3%81", b"..%2f..%2fetc%2fpasswd", b"%25n%25n%25s",
    b"%3Csvg%20onload%3Dalert(1)%3E", b"%22%3E%3Csvg%20onload%3Dalert(1)%3E", b"';DROP%20TABLE%20users;--", b"0", b"-1",
    b"4294967296", b"18446744073709551616", b"1e9", b"2030-13-99", b"%F0%9F%9A%AA" * 9, b"a" * 300, b"a" * 7000, b"&" * 60,
    b"{%22v%22:1}", b"0,0,0,0,0,0,0,0", b"999,1,2,3,4,5,6,7",
)
METHODS = (b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PATCH", b"PROPFIND", b"get", b"X" * 60)
TARGETS = (
    b"/" + b"a" * 2000, b"//login", b"/login/", b"/login/../admin", b"/..%2f..%2fetc/passwd", b"/%6cogin", b"/login%00", b"*",
    b"https://127.0.0.1/login", b"/login?" + b"a=b&" * 40, b"/login?language=%ff", b"/login?language=ja&language=en",
    b"/me?A=1", b"/\xff\xfe", b"/login?%", b"/assets/../portal.js", b"/assets/portal.js?x", b"/login;jsessionid=1",
)
HEADERS = (
    (b"Origin", b"https://evil.example"), (b"Origin", b"null"), (b"Sec-Fetch-Site", b"cross-site"), (b"Host", b""),
    (b"Host", b'"><svg onload=alert(1)>'), (b"Accept-Language", b"ja;q=0.9999999999, en;q=;;,,,"),
    (b"Accept-Language", b"," * 900), (b"Content-Type", b"text/plain"), (b"Content-Type", b"multipart/form-data; boundary=x"),
    (b"Content-Type", FORM.encode() + b"garbage"), (b"User-Agent", b"\xff" * 300), (b"Range", b"bytes=0-1,5-,-9"),
    (b"X-Long", b"y" * 5000), (b"X-Much", b"y" * 30000), (b"Upgrade", b"h2c"), (b"Cookie", b"=;" * 400),
    (b"Cookie", b"__Host-sekisho=" + b"0" * 64), (b"Authorization", b"Bearer " + b"A" * 80), (b"Content-Encoding", b"gzip"),
)


class Request:
    def __init__(self, method, path, query=(), cookie=b"", fields=None):
        self.method, self.path, self.cookie = method.encode(), path.encode(), cookie
        self.query = [(k.encode(), urllib.parse.quote(v).encode()) for k, v in query]
        self.fields = None if fields is None else [(k.encode(), urllib.parse.quote(v).encode()) for k, v in fields.items()]
        self.more = []
        self.tail = b""  # behind the fields

    def body(self):
        return b"&".join(k + b"=" + v for k, v in self.fields) + self.tail

    def bytes(self):
        query = b"&".join(k + b"=" + v for k, v in self.query)
        own = {name.lower() for name, _ in self.more}
        headers = [(b"Host", b"127.0.0.1"), (b"Accept-Language", b"en"), (b"Cookie", self.cookie), *self.more]
        headers = [h for i, h in enumerate(headers) if h[1] and (i >= 3 or h[0].lower() not in own)]
        body = b""
        if self.fields is not None:
            body = self.body()
            if b"content-type" not in own:
                headers.append((b"Content-Type", FORM.encode()))
            headers.append((b"Content-Length", str(len(body)).encode()))
        return (self.method + b" " + self.path + (b"?" + query if query else b"") + b" HTTP/1.1\r\n" +
                b"".join(name + b": " + value + b"\r\n" for name, value in headers) + b"\r\n" + body)

    def mutate(self, rng):
        """Changes one thing."""
        ways = [self._method, self._target, self._header, self._cookie, self._query]
        if self.fields is not None:
            ways += [self._field, self._field, self._field, self._lose, self._double, self._behind, self._flip]
        rng.choice(ways)(rng)

    def _method(self, rng):
        self.method = rng.choice(METHODS)

    def _target(self, rng):
        """Another address. What made somebody with a password is no login of the same: the sender's own would end."""
        self.path = rng.choice(TARGETS)
        if self.fields is not None:
            self.fields, self.tail = [f for f in self.fields if f[0] != b"password"], b""

    def _header(self, rng):
        self.more.append(rng.choice(HEADERS))

    def _query(self, rng):
        self.query.insert(0, (rng.choice((b"language", b"name", b"q", b"who", b"for", b"A", b"a" * 40)), rng.choice(NASTY)))

    def _cookie(self, rng):
        """None, a digit of it changed, cut, twice: whoever sends it is somebody else."""
        if not self.cookie:
            return
        at = self.cookie.index(b"=") + 1 + rng.randrange(64)
        digit = b"%x" % rng.randrange(16)
        self.cookie = rng.choice((b"", self.cookie[:at] + digit + self.cookie[at + 1:], self.cookie[:at],
                                  self.cookie + b"; " + self.cookie, self.cookie + b"00", self.cookie.upper()))

    def _field(self, rng):
        if self.fields:
            at = rng.randrange(len(self.fields))
            self.fields[at] = (self.fields[at][0], rng.choice(NASTY))

    def _lose(self, rng):
        if self.fields:
            del self.fields[rng.randrange(len(self.fields))]

    def _double(self, rng):
        if self.fields:
            self.fields.append(rng.choice(self.fields))

    def _behind(self, rng):
        self.tail += rng.choice((b"&x=y", b"&", b"=", b"\0", b"\r\n", b"&" + b"a" * 30 + b"=1", b"&x_=" + b"z" * 9000,
                                 b"".join(b"&%c=1" % c for c in range(97, 123)), rng.randbytes(rng.randrange(1, 50))))

    def _flip(self, rng):
        """Bytes of the body, whose length stays: the framing holds."""
        body = bytearray(self.body())
        for _ in range(rng.randrange(1, 6) if body else 0):
            body[rng.randrange(len(body))] = rng.randrange(256)
        self.fields, self.tail = [], bytes(body)

    def is_delimited(self):
        """Whether it is sure where it ends: the next request may follow on the connection."""
        return self.method not in (b"TRACE", b"get") and b"\xff" not in self.path and self.path != b"*"


def torn(request, rng):
    """Bytes changed, lost, put in, repeated; headers that lie about the body, or that no standard allows."""
    whole = bytearray(request)
    lies = (b"Content-Length: 99999999999\r\n", b"Content-Length: -1\r\n", b"Content-Length: 0x10\r\n", b"Content-Length: 3\r\n",
            b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked, identity\r\n", b"Expect: 100-continue\r\n",
            b" folded\r\n", b"No colon here\r\n", b": nameless\r\n", b"Na me: x\r\n", b"Nul\0: \0\r\n", b"Bare: x\n", b"\r\r\n")
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(whole))
        match rng.randrange(5):
            case 0:
                whole[at] = rng.randrange(256)
            case 1:
                del whole[at:at + rng.randrange(1, 40)]
            case 2:
                whole[at:at] = rng.randbytes(rng.randrange(1, 40))
            case 3:
                whole[at:at] = whole[at:at + 80]
            case 4:
                line = whole.find(b"\r\n", at % 200)
                whole[line + 2:line + 2] = rng.choice(lies)
        if not whole:
            return b"\r\n"
    return bytes(whole)
