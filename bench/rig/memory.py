"""Memory: of an idle gateway, and of each connected idle session."""
import time

from rig.place import Place, fields, memory_bytes, storm
from rig.report import heading, line

PROCESSES, CLIENTS = 5, 2000  # each client has descriptors, of which a process may not have any number
SESSIONS = PROCESSES * CLIENTS
HOLD = 60
IDLE_TARGET, SESSION_TARGET = 30, 24


def idle_gateway():
    """As most will run it: all limits as they are, a shard for each core."""
    with Place() as place:
        pid = place.start_gateway(alone=False).process.pid
        time.sleep(1)
        return memory_bytes(pid)


def a_session():
    with Place() as place:
        pid = place.start_gateway(ike={"encapsulation": "force"}).process.pid
        time.sleep(1)
        before = memory_bytes(pid)
        storms = [storm(place, CLIENTS, "--ike", "aes256-sha1-ecp256", "--hold", HOLD, number=i) for i in range(PROCESSES)]
        results = [fields(one.stdout.readline()) for one in storms]
        time.sleep(2)
        after = memory_bytes(pid)
        for one in storms:
            one.terminate()
            one.wait()
    if failed := sum(result["failed"] for result in results):
        raise AssertionError(f"{failed:.0f} logins failed")
    return (after - before) / sum(result["logins"] for result in results)


def benchmark(_rounds):
    heading(f"Memory (resident; {SESSIONS} sessions)")
    line("idle gateway, MB", [idle_gateway() / 1e6], IDLE_TARGET, most=True)
    line("a connected idle session, KB", [a_session() / 1024], SESSION_TARGET, most=True)
