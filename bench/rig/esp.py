"""ESP bursts against bare libipsec-mb: the table of bench_esp_burst, and one line of it for others."""
import re
import subprocess

from rig.place import GATEWAY_CORE, on_core, program
from rig.report import heading

ROW = re.compile(r"^  (seal|open) +[\d.]+ ns.* bare +([\d.]+) ns", re.M)


def bare_ns():
    """Nanoseconds a packet of bare libipsec-mb: AES-CBC-256 with SHA-1, bursts of 32, as {"seal": ns, "open": ns}."""
    said = subprocess.run(on_core(GATEWAY_CORE, program("esp_burst"), "AES-CBC-256 SHA-1", 32), check=True,
                          capture_output=True, text=True).stdout
    found = {side: float(ns) for side, ns in ROW.findall(said)}
    if len(found) != 2:
        raise AssertionError(f"no bare libipsec-mb to compare with:\n{said}")
    return found


def benchmark(_rounds):
    heading("ESP bursts: ours, bare libipsec-mb and OpenSSL in turn (packets of 1400 bytes)")
    subprocess.run(on_core(GATEWAY_CORE, program("esp_burst")), check=True)
