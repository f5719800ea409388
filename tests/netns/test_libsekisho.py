"""Programs that use libsekisho, without a device and without rights."""
import subprocess

import pytest

from lab.gateway import BUILD
from lab.world import INTERNET_GATEWAY, OFFICE_HOST

KEY, USER, PASSWORD = "four-winds-1867", "alice", "wonder-land-42"
# setpriv gives up every right: no low port, no raw socket, no interface.
UNPRIVILEGED = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps",
                "-all", "--no-new-privs")


@pytest.mark.parametrize("rights", [(), UNPRIVILEGED])
@pytest.mark.parametrize("nat", [False, True])
def test_packets_by_calls(site, rights, nat):
    computer = site.computer(site.world.add_home() if nat else None)
    said = computer.run(*rights, BUILD / "tests/netns/pinger", INTERNET_GATEWAY, KEY, USER, PASSWORD, OFFICE_HOST, 20,
                        timeout=30)
    assert f"20 replies to {OFFICE_HOST}" in said


def test_the_example_of_the_documentation(site):
    computer = site.computer()
    process = computer.start(BUILD / "tests/unit/sekisho/libsekisho-example", INTERNET_GATEWAY, KEY, USER, PASSWORD,
                             stdout=subprocess.PIPE, text=True)
    address = next(line.split()[1] for line in process.stdout if line.startswith("address 10."))
    session, = site.gateway.sessions()
    assert address == session["address"]
    site.gateway.ask("session", "kick", session["id"])
    assert process.wait(10) != 0


def test_the_example_ends_with_the_status_of_the_cause(site):
    done = subprocess.run(["ip", "netns", "exec", site.computer().name, BUILD / "tests/unit/sekisho/libsekisho-example",
                           INTERNET_GATEWAY, KEY, USER, "nonsense"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 16 and "refused user name or password" in done.stderr
