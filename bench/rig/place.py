"""Where benchmarks happen: three network namespaces, made for one run and removed after it.

    client ---------------- gateway ---------------- office
    198.51.100.2      .1              172.16.0.1     172.16.0.10
    10.128.0.0/16 (all of it local: a storm of clients with an address each)
"""
import ipaddress
import os
import pathlib
import shutil
import subprocess
import tempfile

from lab.gateway import BUILD, Gateway, settings
from lab.world import Namespace, sweep

SERVER = "198.51.100.1"
CLIENT = "198.51.100.2"
OFFICE = "172.16.0.10"
OFFICE_NET = "172.16.0.0/16"
STORM_NET = "10.128.0.0/16"
STORM_FIRST = "10.128.0.1"
POOL = "10.64.0.10-10.64.255.250"
POOL_NET = "10.64.0.0/16"
PSK, USER, PASSWORD = "a key for benchmarks alone", "bench", "a password for benchmarks"
LOAD_CORE, GATEWAY_CORE = 0, 1


class Place:
    """The namespaces, a directory for files, and the gateway once it is started."""

    def __init__(self):
        sweep()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sekisho-bench."))
        self.namespaces = []
        self.gateway = None
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _namespace(self, role):
        made = Namespace(self, role)
        self.namespaces.append(made)
        return made

    def _build(self):
        self.client, self.middle, self.office = (self._namespace(role) for role in ("client", "gateway", "office"))
        self.client.cable("wan", self.middle, "wan")
        self.middle.cable("lan", self.office, "lan")
        self.client.address("wan", CLIENT + "/24")
        self.middle.address("wan", SERVER + "/24")
        self.middle.address("lan", "172.16.0.1/16")
        self.office.address("lan", OFFICE + "/16")
        self.client.run("ip", "route", "add", "local", STORM_NET, "dev", "lo")
        self.middle.run("ip", "route", "add", STORM_NET, "via", CLIENT)
        self.office.run("ip", "route", "add", "default", "via", "172.16.0.1")
        self.middle.forward()

    def start_gateway(self, alone=True, **changes):
        """sekishod; alone: with one shard, all its threads on one core."""
        sections = settings(**{"pool \"office\"": {"range": f'"{POOL}"', "gateway": '"10.64.0.1"'},
                               "log": {"level": '"warning"'},
                               **changes})
        if alone:
            sections[""]["shards"] = 1
        self.gateway = Gateway(self.middle, self.directory / "gateway", PSK, {USER: PASSWORD}, sections)
        if alone:
            pin(self.gateway.process.pid, GATEWAY_CORE)
        return self.gateway

    def stop_gateway(self):
        if self.gateway:
            self.gateway.close()
            shutil.rmtree(self.gateway.directory)
        self.gateway = None

    def secret_file(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def close(self):
        self.stop_gateway()
        for namespace in reversed(self.namespaces):
            namespace.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def program(name):
    return BUILD / "bench" / f"bench_{name}"


def pin(pid, core):
    """All threads that the process has now."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def on_core(core, *words):
    return ("taskset", "-c", str(core), *map(str, words))


def cpu_seconds(pid):
    """Processor time of all threads so far, to the nanosecond."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def memory_bytes(pid):
    """Resident memory of a process."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def storm(place, clients, *options, number=0, **popen):
    """Starts the load generator; gives the process, whose first line of output is its result. Several of one size, by
    `number`, have addresses of their own."""
    first = ipaddress.ip_address(STORM_FIRST) + number * clients
    return place.client.start(*on_core(LOAD_CORE, program("storm")), "--server", SERVER, "--psk", PSK, "--user", USER,
                              "--password", PASSWORD, "--first", first, "--clients", clients, *options,
                              stdout=subprocess.PIPE, text=True, **popen)


def fields(line):
    """key=value words of a result line, numbers as such."""
    return {key: float(value) for key, value in (word.split("=") for word in line.split())}

