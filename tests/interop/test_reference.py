"""The harness itself: stock clients log in at a stock server. When this fails, look here first, not at the gateway."""
import pytest

from clients import STACKS, Profile
from lab.world import OFFICE_HOST, World
from servers import LibreswanServer, Service


@pytest.mark.parametrize("stack", [pytest.param(stack, marks=pytest.mark.xdist_group(f"{stack}-reference"))
                                   for stack in STACKS])
def test_a_stock_client_behind_a_napt_reaches_a_stock_server(stack, tmp_path):
    with World() as world:
        server = LibreswanServer(world, tmp_path / "server")
        world.on_close(server.close)
        server.offer(Service(ike="aes256-sha1-modp2048", esp="aes256-sha1"))
        home = world.add_home()
        client = STACKS[stack](home, "lan", tmp_path / "client", "192.168.1.10/24", "192.168.1.1")
        world.on_close(client.close)
        link = client.login(Profile())
        assert link.address.startswith("10.99.0.")
        client.ping(OFFICE_HOST)
        client.logout()
