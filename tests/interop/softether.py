"""SoftEther VPN Server, unmodified, in a namespace: IPsec, L2TP, PPP and NAT in one program that needs no kernel's help.

Its clients get addresses of its SecureNAT, which reaches the office with sockets of its own.
"""
import subprocess

from clients import PASSWORD, PSK, USER
from lab import images
from lab.shell import wait_for
from lab.sink import Sink
from lab.world import OFFICE_HOST
from servers import FILE_BYTES, TAKE_PORT

HUB = "DEFAULT"
# It keeps all it has in fixed places, so each server gets places of its own under the fixed names.
START = """
for place in lib log run; do
    case $place in run) at={root}/run/softether ;; *) at={root}/var/$place/softether ;; esac
    mkdir -p $at {directory}/$place && mount --bind {directory}/$place $at || exit 1
done
mount -t proc proc {root}/proc && exec chroot {root} vpnserver execsvc
"""


class SoftEther:
    """Stands where the gateway stands; the office is the world's own."""

    office = OFFICE_HOST
    dns = ("192.168.30.1",)

    def __init__(self, world, directory, office_file):
        self.directory = directory
        self.read = 0  # how far into its log goodbyes were looked for
        world.add_gateway_and_office()
        self.namespace = world.gateway
        self.wire = self.namespace, "wan"
        self.url = world.serve_files(office_file[0]) + "/" + office_file[1]
        self.sha256 = office_file[2]
        self.sink = Sink(world.office, OFFICE_HOST, TAKE_PORT, FILE_BYTES)
        self.root = images.image("softether")
        directory.mkdir(parents=True)
        with open(directory / "out", "wb") as out:
            self.process = self.namespace.start("sh", "-c", START.format(directory=directory, root=self.root), stdout=out,
                                                stderr=subprocess.STDOUT)
        wait_for("SoftEther takes orders", lambda: ":5555 " in self.namespace.run("ss", "-ltn"), 60)
        self.command("IPsecEnable", "/L2TP:yes", "/L2TPRAW:no", "/ETHERIP:no", f"/PSK:{PSK}", f"/DEFAULTHUB:{HUB}")
        self.command("UserCreate", USER, "/GROUP:none", "/REALNAME:none", "/NOTE:none", hub=HUB)
        self.command("UserPasswordSet", USER, f"/PASSWORD:{PASSWORD}", hub=HUB)
        self.command("SecureNatEnable", hub=HUB)
        wait_for("SoftEther listens for IKE", lambda: ":4500 " in self.namespace.run("ss", "-lun"), 90, 0.2)

    def command(self, *words, hub=None):
        return self.namespace.run("chroot", self.root, "vpncmd", "localhost:5555", "/SERVER", *([f"/ADMINHUB:{hub}"] if hub else []), "/CMD",
                                  *words)

    def users(self):
        """Who is logged in, as it sees it."""
        return [line.split("|")[1].strip() for line in self.command("SessionList", hub=HUB).splitlines()
                if line.startswith("User Name") and "SecureNAT" not in line and "Local Bridge" not in line]

    def heard_goodbye(self, timeout=6.0):
        """It ended session and SAs because it was told to, not because of silence, which it endures for longer."""
        wait_for("SoftEther hears the goodbye", lambda: USER not in self.users(), timeout, 0.2)
        said = self.log()[self.read:]
        self.read += len(said)
        assert "This IKE SA is deleted" in said and "This IPsec SA is deleted" in said, said

    def log(self):
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.directory.glob("log/*/*.log")))

    def close(self):
        self.sink.close()
