"""Logins a second: whole ones, from main mode to an inner address, on one core of the gateway."""
from rig.place import Place, cpu_seconds, fields, storm
from rig.report import heading, line

CLIENTS = 1500
GROUPS = {"MODP-2048": "aes256-sha1-modp2048", "ECP-256": "aes256-sha1-ecp256", "ECP-384": "aes256-sha1-ecp384"}
TARGET = {"MODP-2048": 300}


def one_storm(proposal):
    with Place() as place:
        gateway = place.start_gateway(ike={"encapsulation": "force"})
        before = cpu_seconds(gateway.process.pid)
        process = storm(place, CLIENTS, "--ike", proposal)
        said = process.stdout.readline()
        used = cpu_seconds(gateway.process.pid) - before
        process.wait()
        result = fields(said)
    if result["failed"]:
        raise AssertionError(f"{result['failed']:.0f} logins failed")
    result["per_cpu_second"] = result["logins"] / used
    return result


def benchmark(rounds):
    heading(f"Logins ({CLIENTS} clients, gateway on one core with its Diffie-Hellman workers, load on the other)")
    results = {group: [] for group in GROUPS}
    for _ in range(rounds):
        for group, proposal in GROUPS.items():
            results[group].append(one_storm(proposal))
    for group, runs in results.items():
        line(f"{group}: logins per second of the gateway's processor time", [r["per_cpu_second"] for r in runs],
             TARGET.get(group))
        line(f"{group}: logins per second by the clock (the clients' core works as hard)",
             [r["rate"] for r in runs])
        line(f"{group}: median time of a login, ms", [r["median_ms"] for r in runs])
