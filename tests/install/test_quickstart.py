"""`quickstart` on a host without systemd, as a new user runs it: what its page tells is true, and nothing lies open."""
import json
import os
import pathlib
import re
import sys

import pytest

from install.host import ADDRESS, ROOT, Host

TESTS = ROOT / "tests"


@pytest.fixture(name="host")
def fixture_host():
    made = Host()
    try:
        yield made
    finally:
        made.close()


def told(pattern, text):
    found = re.search(pattern, text, re.M)
    assert found, f"no {pattern} in:\n{text}"
    return found[1]


def visit(host, *words):
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return host.run(sys.executable, TESTS / "install/visit.py", *words, env=environment)


def good(host, *options):
    status, page = host.quickstart(*options)
    assert status == 0, page
    return page


def open_secrets(host, secrets):
    """Files that others may read and that hold one of the secrets."""
    # Others' files in /tmp may go in the meantime.
    script = "find /etc /usr/local /var/lib /var/log /run /tmp -xdev -type f -perm /o+r -newer /mnt/upper -print0 2>/dev/null" \
             " | xargs -0r grep -lsF" + "".join(f" -e {secret}" for secret in secrets) + " || true"
    return host.run("sh", "-c", script)


def test_from_nothing_to_a_gateway_with_a_portal_and_back(host):
    page = good(host)
    key, password = told(r"^ +Pre-shared key +(\S+)$", page), told(r"^ +Password +(\S+)$", page)
    code = told(rf"^  https://{ADDRESS}/invite#(\S+)$", page)
    admin = told(r"^Password: (\S+)$", page)
    secret = told(r"^Secret for an authenticator app, told only now: (\S+)$", page)
    assert f"Server           {ADDRESS}" in page and "User name        vpn" in page
    for system in ("Windows 10, 11", "macOS", "iPhone, iPad", "Android", "Linux"):
        assert re.search(rf"^{system} ", page, re.M), system
    assert page.count("\u2580") + page.count("\u2588") + page.count("\u2584") > 500, "two QR codes"

    # The certificate on the wire is the one whose fingerprint was told, and has the address in it.
    wire = host.run("sh", "-c", f"openssl s_client -connect {ADDRESS}:443 </dev/null 2>/dev/null"
                                " | openssl x509 -noout -fingerprint -sha256 -ext subjectAltName")
    assert told(r"^ +((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$", page) in wire and ADDRESS in wire

    chosen = "seven-hills-and-a-river"
    assert open_secrets(host, [key, password, code, admin, secret]) == ""
    for file in ("/etc/sekisho/psk", "/etc/sekisho/first-user", "/etc/sekisho/sekisho.conf", "/var/lib/sekisho/portal.pem"):
        assert host.run("stat", "-c", "%a", file).strip() in ("600", "640")
    shown = visit(host, "administrator", "443", admin, secret)
    assert shown.startswith("200 ") and "Live" in shown
    shown = visit(host, "invitation", "443", code, chosen)
    assert "vpn" in shown and "\n200 " in shown

    # What README tells to type next.
    host.run("/usr/local/bin/sekisho", "user", "profile", "vpn", "--for", "windows", "--output", "/run/vpn.ps1")
    assert f"'{ADDRESS}'" in host.run("cat", "/run/vpn.ps1")

    # Again: nothing is lost, no second administrator, no new invitation for one who has used it, the programs run.
    page = good(host)
    assert key in page and "or what was chosen since" in page
    assert "invite#" not in page and "told only now" not in page and "Administrators log in" in page
    assert host.run("/usr/local/bin/sekisho", "status")
    admins = json.loads(host.run("/usr/local/bin/sekisho", "admin", "list", "--json"))
    assert [one["name"] for one in admins["admins"]] == ["admin"]
    assert host.run("sh", "-c", "pgrep -c '^sekisho-portal$'").strip() == "1"

    assert "is removed" in good(host, "--uninstall")
    assert host.run("sh", "-c", "find /usr/local /run -name '*sekisho*'; pgrep sekisho || true") == ""
    assert key in host.run("cat", "/etc/sekisho/psk"), "settings stay"


def test_another_web_server_keeps_its_port(host):
    other = host.start(sys.executable, "-m", "http.server", "443")
    try:
        host.run("sh", "-c", "for i in $(seq 300); do ss -Hltn 'sport = :443' | grep -q . && exit; sleep 0.1; done; exit 1")
        page = good(host)
    finally:
        other.kill()
        other.wait()
    assert f"  https://{ADDRESS}:8443/invite#" in page
    assert "HTTP/1.1 200" in host.run("sh", "-c", f"printf 'GET /login HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n'"
                                                  f" | openssl s_client -quiet -connect {ADDRESS}:8443 2>/dev/null")


def test_settings_without_a_portal_stay_without_one(host):
    good(host)
    conf = pathlib.PurePath("/etc/sekisho/sekisho.conf")
    host.run("sed", "-i", "/^portal {/,/^}/d", conf)
    before = host.run("cat", conf)
    good(host, "--uninstall")
    page = good(host)
    assert "docs/portal.md" in page and "invite#" not in page and "Password         " in page
    assert host.run("cat", conf) == before and host.run("sh", "-c", "pgrep sekisho-portal || true") == ""
