"""What a person gets wrong is told in plain words within ten seconds."""
import dataclasses
import re

import pytest

from clients import STACKS, LoginFailed, Profile, StockClient

SECONDS = 10


@dataclasses.dataclass
class Connected:
    site: object
    client: StockClient


@pytest.fixture(scope="module")
def connected(request, make_site):
    site = make_site()
    return Connected(site, site.add_client(STACKS[request.param], site.world.add_home()))


def every_stack(test):
    return pytest.mark.parametrize("connected", [
        pytest.param(stack, marks=pytest.mark.xdist_group(f"{stack}-refusals")) for stack in STACKS
    ], indirect=True)(test)


def refused(connected, profile, stage, cause):
    with pytest.raises(LoginFailed) as failure:
        connected.client.login(profile, seconds=SECONDS)
    story = connected.site.gateway.wait_explained(cause, timeout=60)
    connected.client.logout(profile)
    steps = map(float, re.findall(r"^ +([\d.]+) s  ", story, re.M))  # none when the first message was refused
    assert max(steps, default=0) <= SECONDS, story
    assert failure.value.stage == stage
    assert connected.site.gateway.sessions() == []
    return story


@every_stack
def test_a_wrong_pre_shared_key_is_told(connected):
    story = refused(connected, Profile(psk="five-winds-1867"), "ipsec", "wrong-psk")
    assert "five-winds" not in story


@every_stack
def test_a_wrong_password_is_told(connected):
    story = refused(connected, Profile(password="wonder-land-43"), "ppp", "wrong-password")
    assert "alice" in story
    assert "wonder-land" not in story


@every_stack
def test_an_unknown_user_is_told(connected):
    story = refused(connected, Profile(user="mallory"), "ppp", "no-such-user")
    assert "mallory" in story


@every_stack
def test_no_common_proposal_is_told(connected):
    refused(connected, Profile(ike="3des-md5-modp2048"), "ipsec", "no-ike-proposal")


@every_stack
def test_after_all_refusals_the_right_words_open_the_door(connected):
    connected.client.login(Profile())
    connected.client.ping("172.16.0.10")
    connected.client.logout(Profile())
