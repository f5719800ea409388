"""`quickstart --demo` with its switches: the four cases of docs/passthrough.md, as they are told to who watches."""
import os
import pathlib
import re
import subprocess

import pytest

DEMO = pathlib.Path(__file__).resolve().parents[2] / "tools/demo"
pytestmark = pytest.mark.xdist_group("demo")  # its namespaces have names of their own: one at a time


def demo(*options):
    done = subprocess.run([DEMO, os.environ["SEKISHO_BUILD"], "--measure", "off", *options], capture_output=True, text=True,
                          timeout=300, check=False, stdin=subprocess.DEVNULL)
    assert "sekisho-demo-" not in subprocess.check_output(["ip", "netns", "list"], text=True), "something of it remains"
    return done.returncode, done.stdout + done.stderr


def test_plain_napt_without_nat_traversal_fails_and_both_ends_say_why():
    status, said = demo("--passthrough", "off", "--nat-traversal", "off")
    assert status == 11, said
    assert len(re.findall(r"(Why:|Stopped) .*ESP, which has no ports, does not pass", said)) == 2, said
    assert re.search(r"^ +[1-9]\d* +esp-no-ports ", said, re.M) and "Welcome to the office" not in said, said


@pytest.mark.parametrize("passthrough, traversal, port", [
    ("on", ("--nat-traversal", "off"), 500),
    ("on", ("--gateway-nat-traversal", "off"), 500),
    ("on", ("--client-nat-traversal", "off"), 500),
    ("off", ("--nat-traversal", "on"), 4500),
    ("on", ("--nat-traversal", "on"), 4500)])
def test_each_of_the_others_reaches_the_office(passthrough, traversal, port):
    status, said = demo("--passthrough", passthrough, *traversal)
    assert status == 0, said
    assert f"IPsec passthrough {passthrough}" in said and f"Server     203.0.113.1 (203.0.113.1:{port})" in said, said
    assert "Welcome to the office" in said and "nothing of it remains" in said
    assert re.search(r"The portal, through the tunnel: https://172\.16\.0\.1/login\n +\S.*Sekisho", said), said
    assert re.search(r"^ +https://172\.16\.0\.1/invite#\S+$", said, re.M), said
    if port == 500:
        assert re.search(r"^ +in +esp +\w+ +192\.168\.1\.10 +203\.0\.113\.1 +(bound|tentative) ", said, re.M), said
