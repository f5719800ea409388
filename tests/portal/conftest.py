"""The gateway in a namespace, the portal in front of it on loopback: they meet at the control socket alone."""
import contextlib

import pytest

from lab import world
from lab.gateway import Gateway
from lab.portal import ADMIN, ADMIN_PASSWORD, Portal, one_time_code
from lab.world import World

PSK = "four-winds-1867"
USERS = {"alice": "wonder-land-42", "bob": "builder-77-hats"}


@pytest.fixture(scope="session", autouse=True)
def _no_remains():
    world.sweep()


@contextlib.contextmanager
def gateway_and_portal(directory, sections=None, **portal):
    """A world with a gateway that knows alice and bob, and `portal` before it."""
    made = World()
    try:
        made.add_gateway_and_office()
        made.gateway_program = Gateway(made.gateway, directory / "gateway", PSK, USERS, sections)
        made.on_close(made.gateway_program.close)
        made.portal = Portal(made.gateway_program, **portal)
        made.on_close(made.portal.close)
        yield made
    finally:
        made.close()


@pytest.fixture
def site(tmp_path):
    """And an administrator."""
    with gateway_and_portal(tmp_path) as made:
        made.portal.secret = made.portal.admin(ADMIN, ADMIN_PASSWORD)
        yield made


@pytest.fixture
def portal(site):
    return site.portal


@pytest.fixture
def gateway(site):
    return site.gateway_program


@pytest.fixture
def keeper(portal):
    """An administrator who is logged in."""
    visitor = portal.visitor()
    page = visitor.submit(visitor.get("/admin/login"), "/admin/login", name=ADMIN, password=ADMIN_PASSWORD,
                          answer=one_time_code(portal.secret))
    assert page.status == 200 and "Live" in page.text, page.text
    return visitor
