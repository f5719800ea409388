"""NetworkManager with its plug-in for L2TP/IPsec, unmodified, inside a guest: it starts strongSwan, xl2tpd and pppd itself."""
import re

from lab import pings
from lab.guest import Guest

CONNECTIONS = "/etc/NetworkManager/system-connections"

# No polkit and no DHCP: root asks, and the card has its address already.
CONFIGURATION = """[main]
plugins=keyfile
auth-polkit=root-only
dhcp=internal
dns=default
rc-manager=file
no-auto-default=*
[logging]
level=INFO
"""

# A VPN is for a card that NetworkManager has set up itself.
WIRED = """[connection]
id=wired
type=ethernet
interface-name=vec0
[ipv4]
method=manual
address1={address},{router}
[ipv6]
method=disabled
"""

# Without udevd nobody tells that a card is ready, and NetworkManager would wait for it; a /sys that cannot be written is
# how it knows.
START = """
for m in af_key esp4 xfrm_user l2tp_ppp ppp_async ppp_generic; do modprobe $m; done
[ -e /dev/ppp ] || mknod /dev/ppp c 108 0
mount -o remount,ro /sys
rm -f /etc/resolv.conf
mkdir -p /run/dbus /run/xl2tpd
dbus-uuidgen --ensure=/etc/machine-id
dbus-daemon --system --fork
setsid NetworkManager --debug >/run/nm.log 2>&1 </dev/null &
n=0
until nmcli -t -f STATE general 2>/dev/null | grep -q '^connected'; do
    [ $n -lt 300 ] || { nmcli general; nmcli device; nmcli connection; cat /run/nm.log; exit 1; }
    sleep 0.2
    n=$((n + 1))
done
"""


class NetworkManager:
    """A desktop without its desktop."""

    def __init__(self, namespace, bridge, job, address, router, name="desktop"):
        self.guest = Guest(namespace, bridge, "networkmanager", job, name, memory="256M")
        try:
            self.guest.run(self.guest.putting("/etc/NetworkManager/NetworkManager.conf", CONFIGURATION) +
                           self.guest.putting(f"{CONNECTIONS}/wired.nmconnection",
                                              WIRED.format(address=address, router=router)) + START, 60)
        except BaseException:
            self.close()
            raise

    def take(self, name, file):
        """Puts a connection where the steps say, readable for root alone."""
        path = f"{CONNECTIONS}/{name}.nmconnection"
        self.guest.write(path, file)
        self.guest.run(f"chmod 600 {path} && nmcli connection load {path}")

    def up(self, name, password, seconds=90):
        """As the network menu does it; the password comes from a file, in the place of a window that asks."""
        self.guest.run(self.guest.putting("/run/answers", f"vpn.secrets.password:{password}") +
                       f"nmcli --wait {seconds} connection up {name} passwd-file /run/answers", seconds + 10)

    def down(self, name):
        """The command is done before what the plug-in has started is."""
        self.guest.run(f"nmcli connection down {name}; for i in $(seq 150); do "
                       "pidof pppd xl2tpd charon >/dev/null || exit 0; busybox usleep 200000; done; exit 1", 40)

    def devices(self):
        """The cards there are, but for loopback and what the kernel brings along."""
        return sorted(set(re.findall(r"^\d+: (vec\d|ppp\d)", self.guest.run("ip -o link"), re.M)), reverse=True)

    def addresses(self, device):
        return re.findall(r"inet ([\d.]+)", self.guest.run(f"ip -4 -o address show dev {device}"))

    def way_to(self, host):
        """The card that packets to this host leave by."""
        return re.search(r" dev (\S+)", self.guest.run(f"ip route get {host}"))[1]

    def resolver(self):
        """What programs are told about names."""
        found = {}
        for word, value in re.findall(r"^(\w+) (\S+)$", self.guest.run("cat /etc/resolv.conf"), re.M):
            found.setdefault(word, []).append(value)
        return found

    def sha256_of(self, url, seconds=60):
        return self.guest.run(f"curl -sSf -m {seconds} {url} | sha256sum", seconds).split()[0]

    def ping(self, host, count=3):
        """Every packet must come back."""
        words = pings.words(host, count)
        pings.check(self.guest.run(" ".join(map(str, words)), count + pings.PATIENCE, check=False), count)

    def log(self):
        return self.guest.run("cat /run/nm.log; ip xfrm state; ip xfrm policy; ip route", check=False)

    def close(self):
        self.guest.close()
