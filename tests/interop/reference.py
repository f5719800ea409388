"""A reference server in a guest: libreswan, xl2tpd and pppd, as they are commonly set up.

It has nothing to do with the gateway under test. It proves the harness: when a stock client fails against Sekisho and
not against this, the fault is ours.
"""
from clients import LIBRESWAN_SETUP, PASSWORD, PSK, USER, start_pluto
from lab.guest import Guest
from lab.world import INTERNET_GATEWAY, OFFICE_HOST

CONNECTION = """
conn l2tp
  ikev2=no
  authby=secret
  type=transport
  left=%defaultroute
  leftprotoport=17/1701
  right=%any
  rightprotoport=17/%any
  pfs=no
  auto=add
"""

XL2TPD = """[global]
port = 1701
[lns default]
ip range = 10.99.0.10-10.99.0.50
local ip = 10.99.0.1
require authentication = yes
name = l2tp
pppoptfile = /etc/ppp/options.server
length bit = yes
"""

PPP_OPTIONS = """ipcp-accept-local
ipcp-accept-remote
noccp
auth
require-mschap-v2
mtu 1280
mru 1280
ms-dns 172.16.0.53
debug
logfile /run/ppp.log
"""


class ReferenceServer:
    """Stands where the gateway stands; the 'office' is an address of its own."""

    def __init__(self, world, job):
        self.guest = Guest(world.internet, "net", "libreswan", job, "server")
        guest = self.guest
        guest.network(INTERNET_GATEWAY + "/24", "203.0.113.254")
        guest.run(f"ip address add {OFFICE_HOST}/32 dev lo")
        guest.write("/etc/ipsec.conf", LIBRESWAN_SETUP + CONNECTION)
        guest.write("/etc/ipsec.secrets", f': PSK "{PSK}"')
        guest.write("/etc/xl2tpd/xl2tpd.conf", XL2TPD)
        guest.write("/etc/ppp/options.server", PPP_OPTIONS)
        guest.write("/etc/ppp/chap-secrets", f'{USER} * {PASSWORD} *')
        start_pluto(guest)
        guest.run("ipsec auto --add l2tp; mkdir -p /run/xl2tpd; modprobe l2tp_ppp; modprobe ppp_generic; "
                  "[ -e /dev/ppp ] || mknod /dev/ppp c 108 0; "
                  "setsid xl2tpd -D >/run/xl2tpd.log 2>&1 </dev/null & busybox usleep 300000")

    def close(self):
        self.guest.close()
