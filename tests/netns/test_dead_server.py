"""A server that stands still, without a word and without a closed port: the client notices in less than 20 seconds."""
import json
import signal
import subprocess
import time

import pytest

from lab.shell import stop, wait_for


def losses(client):
    lines = client.log.read_text().splitlines(keepends=True)  # the last may not be whole yet
    return [event for event in map(json.loads, (line for line in lines if line.endswith("\n"))) if event["type"] == "lost"]


@pytest.mark.long
@pytest.mark.parametrize("home", [False, True], ids=["direct", "nat"])
@pytest.mark.parametrize("traffic", ["idle", "outbound"])
def test_a_server_that_stands_still_is_lost(site, home, traffic):
    """Outbound: what the host goes on sending is no sign of life."""
    client = site.connect(site.computer(site.world.add_home() if home else None), "alice", "--stay", "up", "--log", "json")
    client.ping()
    sender = client.namespace.start("ping", "-q", "-i", "0.05", "172.16.0.10", stdout=subprocess.DEVNULL) \
        if traffic == "outbound" else None
    time.sleep(1)
    began = time.monotonic()
    site.gateway.process.send_signal(signal.SIGSTOP)
    try:
        wait_for("the client notices", lambda: losses(client), 25)
        took = time.monotonic() - began
    finally:
        site.gateway.process.send_signal(signal.SIGCONT)
        stop(sender)
    assert took < 20, f"{took:.1f} s"
    assert losses(client)[0]["cause"] == "peer-silent"
    client.wait_answer(timeout=30)  # and it is there again once the server is
