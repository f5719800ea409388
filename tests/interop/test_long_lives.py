"""Keys grow old: stock clients rekey ESP SAs and make new main modes while packets flow, and no packet is lost."""
import pytest

from clients import STACKS, Profile

# A new quick mode every 15 s and a new main mode every 30 s, so that a minute and a half sees several of both.
LIVES = {
    "strongswan": ("lifetime=30s", "margintime=15s", "rekeyfuzz=0%", "ikelifetime=45s"),
    "libreswan": ("salifetime=30s", "rekeymargin=15s", "rekeyfuzz=0%", "ikelifetime=45s"),
}
PINGS = 400  # of 0.2 s
MAIN_MODE = "stage=ike-6"
QUICK_MODE = "stage=quick-3"


@pytest.mark.parametrize("stack, place", [
    pytest.param(stack, place, marks=pytest.mark.xdist_group(f"{stack}-lives-{place}"))
    for stack, place in (("strongswan", "napt"), ("libreswan", "direct"))])
def test_new_keys_and_new_main_modes_lose_no_packet(make_site, stack, place):
    site = make_site()
    client = site.add_client(STACKS[stack], site.world.add_home() if place == "napt" else None)
    profile = Profile(more=LIVES[stack])
    client.login(profile)
    client.ping("172.16.0.10")
    before = site.gateway.sessions()
    client.ping("172.16.0.10", PINGS, interval=0.2)
    log = site.gateway.log.read_text()
    assert log.count(MAIN_MODE) >= 3 and log.count(QUICK_MODE) >= 5
    after = site.gateway.sessions()
    assert [session["id"] for session in after] == [session["id"] for session in before]
    client.logout(profile)
    assert site.gateway.sessions() == []
