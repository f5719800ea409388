"""Memory: of an idle gateway, and of each connected idle session."""
import time

from rig.place import Place, fields, memory_bytes, storm
from rig.report import heading, line

SESSIONS = 10000
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
        process = storm(place, SESSIONS, "--ike", "aes256-sha1-ecp256", "--hold", HOLD)
        result = fields(process.stdout.readline())
        time.sleep(2)
        after = memory_bytes(pid)
        process.terminate()
        process.wait()
    if result["failed"]:
        raise AssertionError(f"{result['failed']:.0f} logins failed")
    return (after - before) / result["logins"]


def benchmark(_rounds):
    heading(f"Memory (resident; {SESSIONS} sessions)")
    line("idle gateway, MB", [idle_gateway() / 1e6], IDLE_TARGET, most=True)
    line("a connected idle session, KB", [a_session() / 1024], SESSION_TARGET, most=True)
