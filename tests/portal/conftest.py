"""The gateway in a namespace, the portal in front of it on loopback: they meet at the control socket alone."""
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


@pytest.fixture
def site(tmp_path):
    """A gateway with alice and bob and an administrator, `portal` before it."""
    made = World()
    try:
        made.add_gateway_and_office()
        gateway = Gateway(made.gateway, tmp_path / "gateway", PSK, USERS)
        made.on_close(gateway.close)
        portal = Portal(gateway)
        made.on_close(portal.close)
        portal.secret = portal.admin(ADMIN, ADMIN_PASSWORD)
        made.gateway_program, made.portal = gateway, portal
        yield made
    finally:
        made.close()


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
