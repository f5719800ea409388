"""The portal under test: sekisho-portal on a loopback address, in front of a gateway; and a browser of few words."""
import base64
import hashlib
import hmac
import html
import html.parser
import http.client
import json
import re
import socket
import ssl
import subprocess
import time
import urllib.parse

from lab.gateway import BUILD
from lab.shell import check_sanitizers, stop, wait_for

PORTAL = BUILD / "src/portal/sekisho-portal"
ADMIN, ADMIN_PASSWORD = "keeper", "gate-of-seven-locks"


def one_time_code(secret, at=None):
    """RFC 6238 with 30 seconds and six digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, int((time.time() if at is None else at) // 30).to_bytes(8, "big"), hashlib.sha1)
    start = mac[-1] & 15
    return f"{int.from_bytes(mac[start:start + 4], 'big') % 2**31 % 10**6:06}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Portal:
    """Runs beside `gateway`, whose configuration gets the portal's section, until closed."""

    def __init__(self, gateway, **settings):
        self.gateway = gateway
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.log = gateway.directory / "portal.log"
        section = {"listen": "127.0.0.1", "port": str(self.port), "url": f'"{self.url}"', "user": '"root"',
                   "certificate": f'"{gateway.directory}/portal.pem"', **settings}
        gateway.write_config(portal=section)
        self.process = None
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([PORTAL, "--config", self.gateway.config], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        wait_for("the portal serves", self._serves, 20)

    def _serves(self):
        if self.process.poll() is not None:
            raise AssertionError(f"sekisho-portal ended with {self.process.returncode}:\n{self.said()}")
        return b"serving on" in self.log.read_bytes()

    def said(self):
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""

    def ask(self, verb, **args):
        """Asks the gateway by its control socket; gives the data."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.gateway.socket))
            s.sendall(json.dumps({"v": 1, "verb": verb, "args": args}).encode() + b"\n")
            reply = json.loads(s.makefile().readline())
        assert reply["ok"], reply
        return reply["data"]

    def admin(self, name, password):
        """Adds an administrator; gives the secret of the one-time codes."""
        return self.ask("admin.add", name=name, password=password)["secret"]

    def visitor(self, language="en", source="127.0.0.1"):
        return Visitor(self.port, language, source)

    def close(self):
        stop(self.process)
        check_sanitizers(self.said())


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.text = body.decode("utf-8", "replace")

    @property
    def location(self):
        return self.headers.get("Location", "")

    def forms(self):
        """Every form of the page: {action: {name: value}} with what is filled in already; the last one of an action."""
        reader = _Forms()
        reader.feed(self.text)
        return reader.found

    def form(self, action, **having):
        """The fields of the first form with this action and these values."""
        reader = _Forms()
        reader.feed(self.text)
        for found, fields in reader.all:
            if found == action and all(fields.get(name) == value for name, value in having.items()):
                return fields
        raise AssertionError(f"no form for {action} with {having} in:\n{self.text}")


class _Forms(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.all = []
        self.now = None
        self.select = None

    @property
    def found(self):
        return dict(self.all)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "form":
            self.now = {}
            self.all.append((a.get("action"), self.now))
        elif tag == "input" and self.now is not None and a.get("name"):
            if a.get("type") != "checkbox" or "checked" in a:
                self.now[a["name"]] = a.get("value", "")
        elif tag == "select" and self.now is not None:
            self.select = a.get("name")
        elif tag == "option" and self.select:
            if "selected" in a or self.select not in self.now:
                self.now[self.select] = a.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.now = None
        elif tag == "select":
            self.select = None


class Visitor:
    """Keeps cookies, follows redirections, checks what every answer must have. Every address of 127.0.0.0/8 can be its
    source: what one has asked too often, another may."""

    def __init__(self, port, language="en", source="127.0.0.1"):
        self.port = port
        self.source = source
        self.language = language
        self.source = source
        self.cookies = {}
        self.headers = {}  # besides, in every request
        self.context = ssl._create_unverified_context()  # its certificate signs itself

    def raw(self, method, path, body=None, headers=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.context,
                                                 source_address=(self.source, 0))
        try:
            all_headers = {"Accept-Language": self.language}
            if self.cookies:
                all_headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
            all_headers.update({**self.headers, **(headers or {})})
            connection.request(method, path, body, all_headers)
            response = connection.getresponse()
            answer = Answer(response, response.read())
        finally:
            connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, value = re.match(r"([^=]+)=([^;]*)", cookie).groups()
            assert "Secure" in cookie and "Path=/" in cookie
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer

    def follow(self, answer):
        for _ in range(5):
            if answer.status != 303:
                return answer
            answer = self.raw("GET", answer.location)
        raise AssertionError("redirected without end")

    def get(self, path):
        return self.follow(self.raw("GET", path))

    def post(self, path, fields, headers=None):
        body = urllib.parse.urlencode(fields)
        return self.raw("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})

    def submit(self, page, action, having=None, **fields):
        """Fills in a form of the page and sends it."""
        return self.follow(self.post(action, {**page.form(action, **(having or {})), **fields}))

    def switch(self, page):
        """Follows the switch of the language in the head of a page."""
        (href,) = re.findall('<a class="language" href="([^"]*)"', page.text)
        assert href.startswith("/") and not href.startswith("//"), href
        return self.get(html.unescape(href))

    def log_in(self, name, password):
        return self.submit(self.get("/login"), "/login", name=name, password=password)
