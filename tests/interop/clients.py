"""Stock Linux clients, unmodified, inside guests: strongSwan or libreswan for IPsec, xl2tpd and pppd for the rest.

One guest carries many connections one after the other: the IKE daemon is started once, every `Profile` becomes a
connection of its own.
"""
import base64
import dataclasses
import re

from lab import pings
from lab.guest import Guest
from lab.world import INTERNET_GATEWAY, OFFICE_NET

PSK = "four-winds-1867"
USER = "alice"
PASSWORD = "wonder-land-42"


@dataclasses.dataclass(frozen=True)
class Profile:
    """What one login offers and says. Algorithms are in strongSwan's words: aes256-sha1-modp2048."""
    ike: str = "aes256-sha1-modp2048"
    esp: str = "aes256-sha1"
    psk: str = PSK
    user: str = USER
    password: str = PASSWORD
    forced: bool = False  # UDP encapsulation without a NAT
    pfs: bool = False
    certificate: str = ""  # log in with this one, which install() has put there, and not with the key
    identity: str = ""  # our ID, when it is not the certificate's subject
    server: str = "CN=vpn.example.com"  # the gateway's ID, which its certificate must bear
    more: tuple = ()  # further lines of the connection, in the stack's own words
    ppp: tuple = ("refuse-eap",)  # what pppd takes and refuses for a login

    @property
    def name(self):
        return f"{self.certificate}+{self.ike}+{self.esp}".replace("-", "")

    @property
    def extra(self):
        return "".join(f"  {line}\n" for line in self.more)


@dataclasses.dataclass(frozen=True)
class Link:
    """What a login brought."""
    address: str
    peer: str
    dns: tuple


class LoginFailed(AssertionError):
    """The login stopped; `stage` is 'ipsec' or 'ppp'."""

    def __init__(self, stage, said):
        super().__init__(f"login stopped at {stage}:\n{said}")
        self.stage = stage


PPP_OPTIONS = """ipcp-accept-local
ipcp-accept-remote
noccp
noauth
noipdefault
usepeerdns
nodefaultroute
mtu 1400
mru 1400
debug
logfile /run/ppp.log
name {user}
password {password}
{more}
"""

XL2TPD = """[global]
port = 1701
access control = no
[lac gw]
lns = {server}
pppoptfile = /etc/ppp/options.l2tp
length bit = yes
autodial = no
"""

# pppd tells its end by taking the interface away, and a refusal in its log. What is started here costs a guest more than
# ten milliseconds of the processor each time.
DIAL = """
rm -f /etc/ppp/resolv.conf
: >/run/ppp.log
echo "c gw" >/run/xl2tpd/l2tp-control
n=0
while [ $n -lt {fifths} ]; do
    case $(grep -m 1 -E "ip-up finished|authentication failed|Connection terminated|TermReq" /run/ppp.log) in
    *ip-up*)
        address=$(ip -4 -o address show ppp0)
        case $address in
        *peer*) echo "$address"; cat /etc/ppp/resolv.conf; ip route replace {office} dev ppp0; exit 0 ;;
        esac ;;
    ?*) cat /run/ppp.log; exit 1 ;;
    esac
    sleep 0.2
    n=$((n + 1))
done
cat /run/ppp.log; cat /run/xl2tpd.log; exit 1
"""


class StockClient:
    """The part that both stacks share: guest, xl2tpd, pppd. The subclasses bring IPsec up and down."""

    stack = None

    def __init__(self, namespace, bridge, job, address, router=None, server=INTERNET_GATEWAY, name="client"):
        self.server = server
        self.installed = {}  # certificate -> password of its file
        self.guest = Guest(namespace, bridge, self.stack, job, name)
        try:
            self.guest.network(address, router)
            self.guest.write("/etc/xl2tpd/xl2tpd.conf", XL2TPD.format(server=server))
            self.guest.run("mkdir -p /run/xl2tpd; modprobe l2tp_ppp; modprobe ppp_async; modprobe ppp_generic; "
                           "[ -e /dev/ppp ] || mknod /dev/ppp c 108 0")
            self.start_xl2tpd()
            self.start_ipsec()
        except BaseException:
            self.close()
            raise

    def start_xl2tpd(self):
        self.guest.run("rm -f /run/xl2tpd/l2tp-control; setsid xl2tpd -D >/run/xl2tpd.log 2>&1 </dev/null & "
                       "for i in 1 2 3 4 5 6 7 8 9; do [ -p /run/xl2tpd/l2tp-control ] && exit 0; "
                       "busybox usleep 100000; done; exit 1")

    def aim(self, server):
        """Dials this server from now on."""
        self.server = server
        self.guest.write("/etc/xl2tpd/xl2tpd.conf", XL2TPD.format(server=server))
        self.hang_up()

    def hang_up(self):
        """Ends PPP and L2TP, and leaves IPsec up: xl2tpd starts again, and knows nothing of what was refused."""
        self.guest.run("kill $(pidof xl2tpd); for i in $(seq 50); do pidof xl2tpd >/dev/null || exit 0; "
                       "busybox usleep 100000; done; exit 1")
        self.start_xl2tpd()

    def start_ipsec(self):
        raise NotImplementedError

    def crash(self):
        """Everything ends without a goodbye, and starts again."""
        self.guest.run("kill -9 $(pidof pppd xl2tpd starter charon pluto); "
                       "for i in $(seq 50); do pidof pppd xl2tpd charon pluto >/dev/null || break; "
                       "busybox usleep 100000; done; ip xfrm state flush; ip xfrm policy flush; "
                       "rm -f /run/charon.* /run/starter.* /run/pluto/*", check=False)
        self.start_xl2tpd()
        self.start_ipsec()

    def install(self, name, p12, password, authorities):
        """Puts a certificate there, with the authorities to trust (PEM texts)."""
        raise NotImplementedError

    def write_bytes(self, path, content):
        self.guest.run(f"base64 -d >{path} <<'END'\n{base64.encodebytes(content).decode()}END\nchmod 600 {path}")

    def ipsec_up(self, profile, seconds):
        raise NotImplementedError

    def leaving_ipsec(self, profile):
        """The script that ends it."""
        raise NotImplementedError

    def login(self, profile=Profile(), seconds=60):
        """Logs in as the profile says; gives the Link, or raises LoginFailed with the client's own words."""
        try:
            self.ipsec_up(profile, seconds)
        except AssertionError as failure:
            raise LoginFailed("ipsec", str(failure)) from None
        return self.dial(profile, seconds)

    def dial(self, profile=Profile(), seconds=60):
        """The part of a login after IPsec, which is up."""
        options = PPP_OPTIONS.format(user=profile.user, password=profile.password, more="\n".join(profile.ppp))
        try:
            said = self.guest.run(self.guest.putting("/etc/ppp/options.l2tp", options) +
                                  DIAL.format(fifths=seconds * 5, office=OFFICE_NET), seconds)
        except AssertionError as failure:
            raise LoginFailed("ppp", str(failure)) from None
        address = re.search(r"inet ([\d.]+) peer ([\d.]+)", said)
        return Link(address[1], address[2], tuple(re.findall(r"^nameserver (\S+)", said, re.M)))

    def logout(self, profile=Profile()):
        """Ends PPP, then L2TP, then IPsec, as a person does who clicks on 'disconnect'."""
        self.guest.run("kill $(pidof pppd); "
                       "for i in $(seq 150); do pidof pppd >/dev/null || break; busybox usleep 200000; done; "
                       'echo "d gw" >/run/xl2tpd/l2tp-control; busybox usleep 200000; ' + self.leaving_ipsec(profile), 40,
                       check=False)

    def ping(self, host, count=3, size=56, interval=0.1):
        """Every packet must come back."""
        words = pings.words(host, count, size, interval)
        pings.check(self.guest.run(" ".join(map(str, words)), count * interval + pings.PATIENCE, check=False), count)

    def sha256_of(self, url, seconds=60):
        """Fetches a file through the tunnel and gives its SHA-256."""
        said = self.guest.run(f"curl -sSf -m {seconds} {url} | sha256sum", seconds)
        return said.split()[0]

    def log(self):
        return self.guest.run("cat /run/ipsec.log /run/xl2tpd.log /run/ppp.log; ip xfrm state; ip xfrm policy",
                              check=False)

    def close(self):
        self.guest.close()


# What the script `ipsec` of strongSwan calls; the script itself costs a guest more than what it is there for.
STROKE = "/usr/lib/ipsec/stroke"


def start_charon(guest):
    guest.run(f"ipsec start && for i in $(seq 300); do {STROKE} status >/dev/null 2>&1 && exit 0; busybox usleep 100000; "
              "done; exit 1", 30)


def taking(connection):
    """The script that makes charon know this connection and no other."""
    return (f"{STROKE} rereadall >/dev/null; kill -HUP $(cat /run/starter.charon.pid); "
            f"for i in $(seq 300); do {STROKE} statusall | grep -q '{connection}:' && break; busybox usleep 100000; done")


class StrongSwan(StockClient):
    """strongSwan 5.9: charon with its starter, ipsec.conf."""

    stack = "strongswan"
    CONNECTION = """
conn {name}
  keyexchange=ikev1
  authby=secret
  type=transport
  left=%defaultroute
  leftprotoport=17/1701
  right={server}
  rightprotoport=17/1701
  ike={ike}!
  esp={esp}!
  forceencaps={forced}
  keyingtries=1
  auto=add
{extra}"""

    def start_ipsec(self):
        self.guest.write("/etc/strongswan.d/log.conf", "charon { filelog { ipsec { path = /run/ipsec.log\n default = 1\n "
                         "flush_line = yes } } retransmit_tries = 3\n retransmit_timeout = 2.0 }")
        self.guest.write("/etc/ipsec.conf", "config setup\n")
        start_charon(self.guest)

    def p12_secrets(self):
        return "".join(f': P12 {name}.p12 "{password}"\n' for name, password in self.installed.items())

    def install(self, name, p12, password, authorities):
        self.installed[name] = password
        self.write_bytes(f"/etc/ipsec.d/private/{name}.p12", p12)
        for i, authority in enumerate(authorities):
            self.guest.write(f"/etc/ipsec.d/cacerts/{name}{i}.pem", authority)
        self.guest.run(f"{STROKE} rereadcacerts")

    def ipsec_up(self, profile, seconds):
        auth = "authby=secret"
        if profile.certificate:
            auth = (f'leftauth=pubkey\n  rightauth=pubkey\n  leftid="{profile.identity or "CN=" + profile.certificate}"\n'
                    f'  rightid="{profile.server}"')
        self.dial_ipsec(profile, seconds, self.CONNECTION.replace("authby=secret", auth), profile.extra,
                        self.guest.putting("/etc/ipsec.secrets", f': PSK "{profile.psk}"\n' + self.p12_secrets()))

    def dial_ipsec(self, profile, seconds, connection, extra, before=""):
        self.guest.run(before + self.guest.putting("/etc/ipsec.conf", "config setup\n" + connection.format(
            name=profile.name, server=self.server, ike=profile.ike, esp=profile.esp,
            forced="yes" if profile.forced else "no", extra=extra)) + taking(profile.name) +
            f"; timeout {seconds} {STROKE} up {profile.name} && ip xfrm state | grep -q 'mode transport'", seconds + 30)

    def leaving_ipsec(self, profile):
        return f"timeout 10 {STROKE} down {profile.name}"


def libreswan_words(algorithms):
    """strongSwan's words for algorithms in libreswan's: aes128gcm16 is aes_gcm128-null, groups follow a semicolon."""
    groups = {"modp2048": "modp2048", "modp3072": "modp3072", "ecp256": "dh19", "ecp384": "dh20"}
    words = algorithms.replace("sha256", "sha2_256").replace("sha384", "sha2_384").replace("sha512", "sha2_512").split("-")
    words = [re.sub(r"^aes(\d+)gcm16$", r"aes_gcm\1-null", word) for word in words]
    if words[-1] in groups:
        return "-".join(words[:-1]) + ";" + groups[words[-1]]
    return "-".join(words)


LIBRESWAN_SETUP = """config setup
  ikev1-policy=accept
  virtual-private=
  logfile=/run/ipsec.log
  logtime=no
"""


# What the script `ipsec` of libreswan calls.
WHACK = "/usr/libexec/ipsec/whack"
ADDCONN = "/usr/libexec/ipsec/addconn"


def start_pluto(guest):
    """Starts libreswan's daemon without the scripts around it, which expect an init system."""
    guest.run("mkdir -p /run/pluto /var/lib/ipsec/nss; ipsec initnss >/dev/null; "
              "for m in af_key esp4 xfrm_user; do modprobe $m; done; "
              "setsid /usr/libexec/ipsec/pluto --config /etc/ipsec.conf --nofork >/run/pluto.out 2>&1 </dev/null & "
              f"for i in $(seq 300); do [ -S /run/pluto/pluto.ctl ] && {WHACK} --status >/dev/null 2>&1 && break; "
              f"busybox usleep 100000; done; {WHACK} --listen", 30)


class Libreswan(StockClient):
    """libreswan 4.10: pluto. Without its scripts for routes, which transport mode does not need: pluto stands still while
    they run, and on a busy machine the other side gives up."""

    stack = "libreswan"
    CONNECTION = """
conn {name}
  ikev2=no
  authby=secret
  type=transport
  left=%defaultroute
  leftprotoport=17/1701
  right={server}
  rightprotoport=17/1701
  ike={ike}
  esp={esp}
  pfs={pfs}
  encapsulation={forced}
  leftupdown=%disabled
  keyingtries=1
  retransmit-timeout=10s
  auto=ignore
{extra}"""

    def start_ipsec(self):
        self.guest.write("/etc/ipsec.conf", LIBRESWAN_SETUP)
        start_pluto(self.guest)

    def install(self, name, p12, password, authorities):
        self.installed[name] = password
        store = "-d sql:/var/lib/ipsec/nss"
        self.write_bytes("/tmp/one.p12", p12)
        for i, authority in enumerate(authorities):
            self.guest.write("/tmp/authority.pem", authority)
            self.guest.run(f"certutil -A {store} -n {name}-authority{i} -t CT,, -i /tmp/authority.pem")
        self.guest.run(f"pk12util -i /tmp/one.p12 {store} -W {password} -K ''")

    def ipsec_up(self, profile, seconds):
        auth = "authby=secret"
        if profile.certificate:
            auth = (f'authby=rsasig\n  leftcert={profile.certificate}\n  leftid={profile.identity or "%fromcert"}\n'
                    f'  leftsendcert=always\n  leftrsasigkey=%cert\n  rightrsasigkey=%cert\n  rightid="{profile.server}"')
        configuration = (LIBRESWAN_SETUP + self.CONNECTION.replace("authby=secret", auth).format(
            name=profile.name, server=self.server, ike=libreswan_words(profile.ike),
            esp=libreswan_words(profile.esp), forced="yes" if profile.forced else "auto", pfs="yes" if profile.pfs else "no", extra=profile.extra))
        self.guest.run(self.guest.putting("/etc/ipsec.secrets", f': PSK "{profile.psk}"') +
                       self.guest.putting("/etc/ipsec.conf", configuration) +
                       f"{WHACK} --rereadsecrets; {ADDCONN} {profile.name} && "
                       f"timeout {seconds} {WHACK} --name {profile.name} --initiate && ip xfrm state | grep -q 'mode transport'",
                       seconds)

    def leaving_ipsec(self, profile):
        return f"{WHACK} --name {profile.name} --terminate; {WHACK} --name {profile.name} --delete"


STACKS = {"strongswan": StrongSwan, "libreswan": Libreswan}
