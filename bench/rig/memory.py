"""Memory: of an idle gateway, and of each connected idle session."""
import time

from rig.place import Place, fields, memory_bytes, storm
from rig.report import heading, line

SESSIONS = 10000
HOLD = 60
IDLE_TARGET, SESSION_TARGET = 30, 24


def benchmark(_rounds):
    heading(f"Memory (resident; {SESSIONS} sessions)")
    with Place() as place:
        pid = place.start_gateway(ike={"encapsulation": "force"}).process.pid
        time.sleep(1)
        idle = memory_bytes(pid)
        process = storm(place, SESSIONS, "--ike", "aes256-sha1-ecp256", "--hold", HOLD)
        result = fields(process.stdout.readline())
        time.sleep(2)
        full = memory_bytes(pid)
        process.terminate()
        process.wait()
    if result["failed"]:
        raise AssertionError(f"{result['failed']:.0f} logins failed")
    line("idle gateway, MB", [idle / 1e6], IDLE_TARGET, most=True)
    line("a connected idle session, KB", [(full - idle) / 1024 / result["logins"]], SESSION_TARGET, most=True)
