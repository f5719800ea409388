"""Several clients that look alike from outside: behind one NAPT, or with one inner address behind two."""
import concurrent.futures

import pytest

from clients import PASSWORD, USER, Libreswan, Profile, StrongSwan

USERS = {USER: PASSWORD, "bob": "builder-77-hats"}
ALICE = Profile()
BOB = Profile(user="bob", password=USERS["bob"], esp="aes128-sha256")


def together(*calls):
    """Runs the calls at the same time and gives their results."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def both_work_at_once(site, first, second):
    links = together(lambda: first.login(ALICE), lambda: second.login(BOB))
    assert links[0].address != links[1].address
    together(lambda: first.ping("172.16.0.10", 10), lambda: second.ping("172.16.0.10", 10))
    sums = together(lambda: first.sha256_of(site.url), lambda: second.sha256_of(site.url))
    assert sums == [site.sha256, site.sha256]
    assert {session["user"] for session in site.gateway.sessions()} == {"alice", "bob"}
    # One leaves; the other does not notice.
    first.logout(ALICE)
    second.ping("172.16.0.10", 5)
    assert [session["user"] for session in site.gateway.sessions()] == ["bob"]


@pytest.mark.xdist_group("neighbours-one-napt")
def test_two_clients_behind_one_napt_work_at_the_same_time(make_site):
    site = make_site(users=USERS)
    home = site.world.add_home()
    first, second = together(lambda: site.add_client(StrongSwan, home, "first", "192.168.1.10"),
                             lambda: site.add_client(Libreswan, home, "second", "192.168.1.11"))
    both_work_at_once(site, first, second)


@pytest.mark.xdist_group("neighbours-two-napts")
def test_equal_inner_addresses_behind_two_napts_work_at_the_same_time(make_site):
    site = make_site(users=USERS)
    homes = site.world.add_home(), site.world.add_home()
    first, second = together(lambda: site.add_client(StrongSwan, homes[0], "first", "192.168.1.10"),
                             lambda: site.add_client(StrongSwan, homes[1], "second", "192.168.1.10"))
    both_work_at_once(site, first, second)
