"""Servers that have nothing to do with the gateway: strongSwan or libreswan with xl2tpd and pppd, unmodified, in guests.

One guest carries many settings one after the other: `Server.offer` says what it serves from now on. Behind the server
is an office of its own, where a file can be fetched and another one be left.
"""
import dataclasses
import itertools
import re

from clients import ADDCONN, LIBRESWAN_SETUP, PASSWORD, PSK, STROKE, USER, WHACK, libreswan_words, start_charon, start_pluto, taking
from lab.guest import Guest
from lab.shell import wait_for
from lab.world import INTERNET_GATEWAY, OFFICE_HOST

DNS = ("172.16.0.53", "172.16.0.54")
FILE_BYTES = 20 * 1000 * 1000
TOLD_WITHIN = 16.0  # seconds until a person knows what is wrong; it is long where the server keeps silent
TAKE_PORT = 9000  # takes bytes and answers with their SHA-256


@dataclasses.dataclass(frozen=True)
class Service:
    """What a server offers and demands. Algorithms are in strongSwan's words, several with commas between them."""
    ike: str = "aes256-sha256-modp2048"
    esp: str = "aes256-sha256"
    psk: str = PSK
    login: str = "mschap-v2"  # in pppd's words: pap, chap, mschap-v2, eap
    pfs: bool = False
    forced: bool = False  # UDP encapsulation without a NAT
    tunnel_secret: str = ""  # L2TP tunnel authentication
    hidden: bool = False  # hide AVPs
    restless: bool = False  # new keys every few seconds, asked for by the server
    more: tuple = ()  # further lines of the connection, in the daemon's own words

    @property
    def extra(self):
        return "".join(f"  {line}\n" for line in self.more)

    def lives(self, seconds):
        """A new quick mode every 10 s and a new main mode every 20 s, or none; `seconds` are the daemon's own words."""
        if not self.restless:
            return "rekey=no"
        ike, child = seconds
        return f"rekey=yes\n  {ike}=30s\n  {child}=20s\n  rekeyfuzz=0%"


XL2TPD = """[global]
port = 1701
{global_more}
[lns default]
ip range = 10.99.0.10-10.99.0.50
local ip = 10.99.0.1
require authentication = yes
name = l2tp
pppoptfile = /etc/ppp/options.server
length bit = yes
{more}
"""

PPP_OPTIONS = """ipcp-accept-local
ipcp-accept-remote
noccp
auth
require-{login}
mtu 1280
mru 1280
{dns}
debug
logfile /run/ppp.log
"""

OFFICE = f"""
modprobe dummy 2>/dev/null
ip link add office type dummy 2>/dev/null && ip link set office up || office=lo
ip address add {OFFICE_HOST}/32 dev ${{office:-office}}
mkdir -p /run/www
printf "#!/bin/sh\\nhead -c {FILE_BYTES} | sha256sum\\n" >/run/take; chmod 755 /run/take
head -c {FILE_BYTES} /dev/urandom >/run/www/file
busybox httpd -p {OFFICE_HOST}:80 -h /run/www
setsid busybox nc -ll -p {TAKE_PORT} -e /run/take </dev/null >/dev/null 2>&1 &
sha256sum /run/www/file
"""


START_XL2TPD = """
mkdir -p /run/xl2tpd
old=$(pidof xl2tpd) && kill $old && for i in $(seq 100); do pidof xl2tpd >/dev/null || break; busybox usleep 100000; done
rm -f /run/xl2tpd/l2tp-control
setsid xl2tpd -D >>/run/xl2tpd.log 2>&1 </dev/null &
for i in $(seq 100); do [ -p /run/xl2tpd/l2tp-control ] && break; busybox usleep 100000; done
"""


class Server:
    """Stands where the gateway stands. The subclasses bring IPsec up."""

    stack = None

    office = OFFICE_HOST
    dns = DNS

    def __init__(self, world, job, name="server"):
        self.guest = Guest(world.internet, "net", self.stack, job, name, memory="224M")
        self.wire = world.internet, self.guest.tap  # where packets between it and its clients can be seen
        self.xl2tpd = ""
        try:
            self.guest.network(INTERNET_GATEWAY + "/24", "203.0.113.254")
            self.url = f"http://{OFFICE_HOST}/file"
            self.sha256 = self.guest.run(OFFICE).split()[0]
            self.guest.write("/etc/ppp/chap-secrets", f"{USER} * {PASSWORD} *")
            self.guest.write("/etc/ppp/pap-secrets", f"{USER} * {PASSWORD} *")
            self.guest.run("modprobe l2tp_ppp; modprobe ppp_generic; [ -e /dev/ppp ] || mknod /dev/ppp c 108 0")
            self.start_ipsec()
        except BaseException:
            self.close()
            raise

    def start_ipsec(self):
        raise NotImplementedError

    def serving_ipsec(self, service):
        """The script that makes IPsec serve this and nothing else."""
        raise NotImplementedError

    def secrets(self, service):
        """What it proves itself with, as a file of secrets."""
        return f': PSK "{service.psk}"'

    status = None  # the command that tells of IKE SAs, and what it says when there is none
    no_ike_sa = None

    def offer(self, service=Service()):
        """Serves this from now on, and nothing else. Gives the server back."""
        options = PPP_OPTIONS.format(login=service.login, dns="".join(f"ms-dns {address}\n" for address in self.dns))
        said = self.guest.run(self.guest.putting("/etc/ppp/options.server", options) + self.starting_xl2tpd(service) +
                              self.serving_ipsec(service) + "\nstatus=$?; : >/run/ppp.log; : >/run/xl2tpd.log; "
                              "wc -c </run/ipsec.log; exit $status")
        self.read = int(said.split()[-1])
        return self

    def established(self):
        """(main modes, quick modes) that were completed since the last offer."""
        said = self.guest.run(f"tail -c +{self.read} /run/ipsec.log")
        return len(re.findall(r"IKE_SA l2tp\S+ established|IKE SA established", said)), \
            len(re.findall(r"CHILD_SA l2tp\S+ established|IPsec SA established", said))

    def starting_xl2tpd(self, service):
        """It reads its configuration when it starts."""
        wanted = XL2TPD.format(
            global_more="auth file = /etc/xl2tpd/l2tp-secrets" if service.tunnel_secret else "",
            more=("challenge = yes\n" if service.tunnel_secret else "") + ("hidden bit = yes\n" if service.hidden else ""))
        wanted += f"; {service.tunnel_secret}"
        if wanted == self.xl2tpd:
            return ""
        self.xl2tpd = wanted
        return (self.guest.putting("/etc/xl2tpd/xl2tpd.conf", wanted) +
                self.guest.putting("/etc/xl2tpd/l2tp-secrets", f"* * {service.tunnel_secret}" if service.tunnel_secret else "") +
                START_XL2TPD)

    def heard_goodbye(self):
        """Every layer was told that the client leaves: pppd, xl2tpd, ESP, IKE. None of them waited for silence: xl2tpd's
        alone would take a minute. A slow pppd reads of it only after xl2tpd has ended it."""
        def told():
            said = self.guest.run(f"cat /run/ppp.log /run/xl2tpd.log; ip xfrm state; {self.status}")
            return "rcvd [LCP TermReq" in said and "Connection closed to" in said and "proto esp" not in said \
                and self.no_ike_sa in said
        wait_for("the server hears the goodbye", told, 45, 0.2)

    def kill(self):
        """Everything ends without a goodbye, as when the power goes."""
        self.guest.run("kill -9 $(pidof pppd xl2tpd starter charon pluto); busybox usleep 300000; "
                       "ip xfrm state flush; ip xfrm policy flush; "
                       "rm -f /run/charon.* /run/starter.* /run/pluto/*", check=False)
        self.xl2tpd = ""

    def log(self):
        return self.guest.run("tail -c 20000 /run/ipsec.log; tail -n 60 /run/xl2tpd.log /run/ppp.log; ip xfrm state", check=False)

    def close(self):
        self.guest.close()


class StrongSwanServer(Server):
    """strongSwan 5.9: charon with its starter, ipsec.conf."""

    stack = "strongswan"
    status = f"{STROKE} status"
    no_ike_sa = "Security Associations (0 up"
    CONNECTION = """config setup
conn {name}
  keyexchange=ikev1
  authby=secret
  type=transport
  left=%defaultroute
  leftprotoport=17/1701
  right=%any
  rightprotoport=17/%any
  ike={ike}!
  esp={esp}!
  forceencaps={forced}
  {lives}
  auto=add
{extra}"""

    def start_ipsec(self):
        self.serial = itertools.count(1)
        self.guest.write("/etc/strongswan.d/log.conf", "charon { filelog { ipsec { path = /run/ipsec.log\n default = 1\n ike = 2\n "
                         "flush_line = yes } } retransmit_tries = 3\n retransmit_timeout = 2.0\n i_dont_care_about_security_and_use_aggressive_mode_psk = yes }")
        self.guest.write("/etc/ipsec.conf", "config setup\n")
        start_charon(self.guest)

    def serving_ipsec(self, service):
        esp = service.esp
        if service.pfs:
            group = service.ike.split(",")[0].split("-")[-1]
            esp = ",".join(f"{words}-{group}" for words in service.esp.split(","))
        name = f"l2tp{next(self.serial)}"  # a new one, so that it can be seen when the old one is gone
        return (self.guest.putting("/etc/ipsec.secrets", self.secrets(service)) +
                self.guest.putting("/etc/ipsec.conf", self.CONNECTION.format(
                    name=name, ike=service.ike, esp=esp, lives=service.lives(("ikelifetime", "lifetime")) + "\n  margintime=5s", forced="yes" if service.forced else "no", extra=service.extra)) +
                taking(name))


class LibreswanServer(Server):
    """libreswan 4.10: pluto."""

    stack = "libreswan"
    status = f"{WHACK} --status"
    no_ike_sa = "IKE SAs: total(0)"
    CONNECTION = """
conn l2tp
  ikev2=no
  authby=secret
  type=transport
  left=%defaultroute
  leftprotoport=17/1701
  right=%any
  rightprotoport=17/%any
  ike={ike}
  esp={esp}
  pfs={pfs}
  encapsulation={forced}
  leftupdown=%disabled
  {lives}
  auto=add
{extra}"""

    def start_ipsec(self):
        self.guest.write("/etc/ipsec.conf", LIBRESWAN_SETUP)
        start_pluto(self.guest)

    def serving_ipsec(self, service):
        words = [",".join(map(libreswan_words, part.split(","))) for part in (service.ike, service.esp)]
        return (self.guest.putting("/etc/ipsec.secrets", self.secrets(service)) +
                self.guest.putting("/etc/ipsec.conf", LIBRESWAN_SETUP + self.CONNECTION.format(
                    lives=service.lives(("ikelifetime", "salifetime")) + "\n  rekeymargin=5s", ike=words[0], esp=words[1], pfs="yes" if service.pfs else "no",
                    forced="yes" if service.forced else "auto", extra=service.extra)) +
                f"{WHACK} --name l2tp --delete >/dev/null; {WHACK} --rereadsecrets; {ADDCONN} l2tp")


SERVERS = {"strongswan": StrongSwanServer, "libreswan": LibreswanServer}
