"""What readers of set-up files demand, as tables: which keys a dictionary may have, of which types, with which values, and
which it must have; and besides the tables the rules between keys.

Apple's are after its published schema of configuration profiles (VPN of type L2TP, certificates), ONC's after Chromium's
specification and its validator (VPN of type L2TP-IPsec), NetworkManager-l2tp's after the list that its service holds every
connection against. Here more is refused than by some of those readers: what a reader would pass over is a mistake of ours.
"""
import base64
import binascii
import re
import ssl
from typing import NamedTuple


class Key(NamedTuple):
    kind: object  # a type, a pattern for a text, [kind] for a list, a table, or Chosen
    needed: bool = False
    among: tuple = ()


class Chosen(NamedTuple):
    """One of several tables, by a key of the dictionary itself."""
    key: str
    tables: dict


def need(kind, *among):
    return Key(kind, True, among)


def may(kind, *among):
    return Key(kind, False, among)


def table_of(kind, value):
    """None: a dictionary does not say which."""
    if not isinstance(kind, Chosen):
        return kind
    name = value.get(kind.key)
    return kind.tables.get(name) if isinstance(name, str) else None


def complaints(kind, value, where=""):
    """What is wrong with a value of this kind, each in a sentence."""
    if isinstance(kind, re.Pattern):
        good = isinstance(value, str) and kind.fullmatch(value) is not None
        return [] if good else [f"{where}: {value!r} is not like {kind.pattern}"]
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [wrong for i, item in enumerate(value) for wrong in complaints(kind[0], item, f"{where}[{i}]")]
    if isinstance(kind, type):
        return [] if type(value) is kind else [f"{where}: {value!r} is no {kind.__name__}"]  # for True is an int else
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no dictionary"]
    table = table_of(kind, value)
    if table is None:
        return [f"{where}: there is no such {kind.key}: {value.get(kind.key)!r}"]
    found = [f"{where}.{key} is unknown" for key in value if key not in table]
    for key, (inner, needed, among) in table.items():
        if key not in value:
            found += [f"{where}.{key} is missing"] if needed else []
            continue
        found += complaints(inner, value[key], f"{where}.{key}")
        if among and value[key] not in among:
            found.append(f"{where}.{key}: {value[key]!r} is not one of {among}")
    return found


def mutations(kind, value):
    """(what was done, the value with one mistake in it): none of them may pass."""
    for other in ([], {}, 7, True, "no such thing!", b"no such thing!"):
        if complaints(kind, other) and type(other) is not type(value):
            yield f"{other!r} in place of {type(value).__name__}", other
    if isinstance(kind, list):
        for i, item in enumerate(value):
            for what, other in mutations(kind[0], item):
                yield f"[{i}] {what}", value[:i] + [other] + value[i + 1:]
    elif isinstance(kind, re.Pattern):
        for other in ("", "no such thing!", value + "\n"):
            if not kind.fullmatch(other):
                yield f"{other!r} in place of {value!r}", other
    elif not isinstance(kind, type):
        yield "an unknown key", {**value, "NoSuchKey": "x"}
        for key, (inner, needed, among) in table_of(kind, value).items():
            if key not in value:
                continue
            if needed:
                yield f"no {key}", {k: v for k, v in value.items() if k != key}
            if needed or among:
                yield f"{key} in other letters", {k.swapcase() if k == key else k: v for k, v in value.items()}
            if among:
                yield f"another {key}", {**value, key: 99 if type(value[key]) is int else "NoSuchValue"}
            for what, other in mutations(inner, value[key]):
                yield f"{key}: {what}", {**value, key: other}


# ---- Apple ----

UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
FLAG = (0, 1)  # an integer, where property lists would have had booleans
DNS_NAMES = [re.compile(r"[\w.-]*", re.ASCII)]

PAYLOAD = {"PayloadIdentifier": need(str), "PayloadUUID": need(UUID), "PayloadVersion": need(int, 1),
           "PayloadDescription": may(str), "PayloadDisplayName": may(str), "PayloadOrganization": may(str)}
APPLE_PPP = {"AuthName": may(str), "AuthPassword": may(str), "TokenCard": may(int, *FLAG), "CommRemoteAddress": may(str),
             "AuthEAPPlugins": may([str], ["EAP-RSA"], ["EAP-TLS"], ["EAP-KRB"]), "AuthProtocol": may([str], ["EAP"]),
             "CCPEnabled": may(int, *FLAG), "CCPMPPE40Enabled": may(int, *FLAG), "CCPMPPE128Enabled": may(int, *FLAG),
             "DisconnectOnIdle": may(int, *FLAG), "DisconnectOnIdleTimer": may(int)}
APPLE_IPSEC = {"AuthenticationMethod": may(str, "SharedSecret", "Certificate"), "SharedSecret": may(bytes),
               "PayloadCertificateUUID": may(UUID), "LocalIdentifier": may(str), "LocalIdentifierType": may(str, "KeyID"),
               "RemoteAddress": may(str), "DisconnectOnIdle": may(int, *FLAG), "DisconnectOnIdleTimer": may(int),
               "PromptForVPNPIN": may(bool), "OnDemandEnabled": may(int, *FLAG),
               # of Cisco's kind of VPN
               "XAuthName": may(str), "XAuthPassword": may(str), "XAuthEnabled": may(int, *FLAG),
               "XAuthPasswordEncryption": may(str, "Prompt")}
APPLE_DNS = {"DNSProtocol": need(str, "Cleartext", "HTTPS", "TLS"), "ServerAddresses": need([str]), "ServerURL": may(str),
             "ServerName": may(str), "SearchDomains": may(DNS_NAMES), "DomainName": may(str),
             "SupplementalMatchDomains": may(DNS_NAMES), "SupplementalMatchDomainsNoSearch": may(int, *FLAG),
             "PayloadCertificateUUID": may(UUID)}
APPLE_PROXIES = {"ProxyAutoConfigEnable": may(int, *FLAG), "ProxyAutoDiscoveryEnable": may(int, *FLAG),
                 "ProxyAutoConfigURLString": may(str), "SupplementalMatchDomains": may(DNS_NAMES),
                 **{f"{kind}{key}": what for kind in ("HTTP", "HTTPS") for key, what in
                    (("Enable", may(int, *FLAG)), ("Proxy", may(str)), ("Port", may(int)))},
                 "HTTPProxyUsername": may(str), "HTTPProxyPassword": may(str)}
APPLE_VPN = {**PAYLOAD, "PayloadType": need(str, "com.apple.vpn.managed"), "UserDefinedName": need(str),
             "VPNType": need(str, "L2TP"), "PPP": may(APPLE_PPP), "IPSec": may(APPLE_IPSEC),
             "IPv4": may({"OverridePrimary": may(int, *FLAG)}), "DNS": may(APPLE_DNS), "Proxies": may(APPLE_PROXIES)}
APPLE_CERTIFICATE = {**PAYLOAD, "PayloadCertificateFileName": may(str), "PayloadContent": need(bytes)}
APPLE_PAYLOADS = Chosen("PayloadType", {
    "com.apple.vpn.managed": APPLE_VPN,
    "com.apple.security.pkcs12": {**APPLE_CERTIFICATE, "PayloadType": need(str, "com.apple.security.pkcs12"),
                                  "Password": may(str), "AllowAllAppsAccess": may(bool), "KeyIsExtractable": may(bool)},
    "com.apple.security.root": {**APPLE_CERTIFICATE, "PayloadType": need(str, "com.apple.security.root")},
})
APPLE = {**PAYLOAD, "PayloadType": need(str, "Configuration"), "PayloadContent": need([APPLE_PAYLOADS]),
         "PayloadScope": may(str, "System", "User"), "PayloadRemovalDisallowed": may(bool), "HasRemovalPasscode": may(bool),
         "TargetDeviceType": may(int, 0, 1, 2, 3, 4, 5), "DurationUntilRemoval": may(float), "ConsentText": may({})}


def apple_vpn_rules(vpn, identities):
    """A VPN by L2TP has a server and a user, and one proof of the device, by its method."""
    found = [f"PPP.{key} is missing" for key in ("CommRemoteAddress", "AuthName") if key not in vpn.get("PPP", {})]
    ipsec = vpn.get("IPSec", {})
    found += [f"IPSec.{key} is Cisco's" for key in ipsec if key.startswith("XAuth") or key == "PromptForVPNPIN"]
    by_key = ipsec.get("AuthenticationMethod", "SharedSecret") == "SharedSecret"
    if by_key != ("SharedSecret" in ipsec) or by_key == ("PayloadCertificateUUID" in ipsec):
        found.append("the proof is not that of AuthenticationMethod")
    if not by_key and ipsec.get("PayloadCertificateUUID") not in identities:
        found.append("PayloadCertificateUUID is of no certificate in here")
    return found


def apple_complaints(profile):
    found = complaints(APPLE, profile)
    if found:
        return found
    payloads = profile["PayloadContent"]
    for key in ("PayloadUUID", "PayloadIdentifier"):
        if len({payload[key] for payload in [profile, *payloads]}) != len(payloads) + 1:
            found.append(f"a {key} is there twice")
    identities = {p["PayloadUUID"] for p in payloads if p["PayloadType"] == "com.apple.security.pkcs12"}
    vpns = [p for p in payloads if p["PayloadType"] == "com.apple.vpn.managed"]
    return found + [wrong for vpn in vpns for wrong in apple_vpn_rules(vpn, identities)] + ([] if vpns else ["no VPN"])


# ---- ChromeOS ----

SOME = re.compile(r"(?s).+")
STRINGS = [SOME]
ONC_IPCONFIG = {"Type": may(str, "IPv4", "IPv6"), "IPAddress": may(SOME), "RoutingPrefix": may(int), "Gateway": may(SOME),
                "NameServers": may(STRINGS), "SearchDomains": may(STRINGS), "IncludedRoutes": may(STRINGS),
                "ExcludedRoutes": may(STRINGS)}
ONC_IPSEC = {"AuthenticationType": need(str, "PSK", "Cert"), "IKEVersion": need(int, 1), "PSK": may(SOME),
             "SaveCredentials": may(bool), "Group": may(SOME),
             "ClientCertType": may(str, "Ref", "Pattern", "PKCS11Id", "ProvisioningProfileId"), "ClientCertRef": may(SOME),
             "ClientCertPKCS11Id": may(SOME), "ClientCertProvisioningProfileId": may(SOME), "ServerCARefs": may(STRINGS),
             "ServerCARef": may(SOME)}
ONC_L2TP = {"Username": may(SOME), "Password": may(SOME), "SaveCredentials": may(bool), "LcpEchoDisabled": may(bool)}
ONC_VPN = {"Type": need(str, "L2TP-IPsec"), "Host": need(SOME), "AutoConnect": may(bool), "IPsec": need(ONC_IPSEC),
           "L2TP": need(ONC_L2TP)}
ONC_NETWORK = {"GUID": need(SOME), "Name": need(SOME), "Type": need(str, "VPN"), "VPN": need(ONC_VPN), "Remove": may(bool),
               "Metered": may(bool), "Priority": may(int), "IPAddressConfigType": may(str, "DHCP", "Static"),
               "NameServersConfigType": may(str, "DHCP", "Static"), "StaticIPConfig": may(ONC_IPCONFIG)}
ONC_CERTIFICATE = {"GUID": need(SOME), "Type": need(str, "Client", "Server", "Authority"), "PKCS12": may(SOME),
                   "X509": may(SOME), "TrustBits": may([str]), "Remove": may(bool)}
ONC = {"Type": need(str, "UnencryptedConfiguration"), "NetworkConfigurations": need([ONC_NETWORK]),
       "Certificates": may([ONC_CERTIFICATE])}


def onc_certificate_rules(certificate):
    client = certificate["Type"] == "Client"
    if client != ("PKCS12" in certificate) or client == ("X509" in certificate):
        return [f"a certificate of type {certificate['Type']} is in the wrong form"]
    try:
        if client:
            base64.b64decode(certificate["PKCS12"], validate=True)
        else:
            ssl.PEM_cert_to_DER_cert(certificate["X509"])
    except (ValueError, binascii.Error) as e:
        return [f"a certificate is not readable: {e}"]
    return []


def onc_ipsec_rules(ipsec, certificates):
    by_key = ipsec["AuthenticationType"] == "PSK"
    authorities = ipsec.get("ServerCARefs", []) + [ipsec[key] for key in ("ServerCARef",) if key in ipsec]
    found = []
    if by_key != ("PSK" in ipsec) or by_key == ("ClientCertType" in ipsec) or by_key == bool(authorities):
        found.append("what is there is not what AuthenticationType wants")
    if "ServerCARef" in ipsec and "ServerCARefs" in ipsec:
        found.append("ServerCARef and ServerCARefs")
    if ("ClientCertRef" in ipsec) != (ipsec.get("ClientCertType") == "Ref"):
        found.append("ClientCertRef goes with ClientCertType Ref")
    if "ClientCertRef" in ipsec and certificates.get(ipsec["ClientCertRef"]) != "Client":
        found.append("ClientCertRef is of no client's certificate in here")
    return found + [f"{ref} is no authority in here" for ref in authorities if certificates.get(ref) != "Authority"]


def onc_complaints(top):
    found = complaints(ONC, top)
    if found:
        return found
    certificates, networks = top.get("Certificates", []), top["NetworkConfigurations"]
    guids = [one["GUID"] for one in certificates + networks]
    if len(set(guids)) != len(guids):
        found.append("a GUID is there twice")
    kinds = {one["GUID"]: one["Type"] for one in certificates}
    found += [wrong for one in certificates for wrong in onc_certificate_rules(one)]
    for network in networks:
        found += onc_ipsec_rules(network["VPN"]["IPsec"], kinds)
        if re.search(r"\$\{[A-Z_]+\}", network["VPN"]["L2TP"].get("Username", "")):
            found.append("Username is expanded")
    return found if networks else found + ["no network"]


# ---- NetworkManager-l2tp ----

NUMBER = re.compile(r"[0-9]{1,9}")
YES_NO = re.compile(r"yes|no")
FLAGS = re.compile(r"[0-7]")  # of a secret: bits for an agent's, never saved, not required
FILE = re.compile(r"/.*")
HOST = re.compile(r"[0-9A-Za-z.-]+")
TEXT = re.compile(r".*")
NM_SECRETS = {"password": may(TEXT), "user-certpass": may(TEXT), "ipsec-psk": may(TEXT), "machine-certpass": may(TEXT)}
NM_VPN = {"service-type": need(re.compile(r"org\.freedesktop\.NetworkManager\.l2tp")), "gateway": need(HOST),
          "user-auth-type": may(str, "password", "tls"), "user": may(TEXT), "domain": may(TEXT),
          **{key: may(YES_NO) for key in
             "ephemeral-port refuse-eap refuse-pap refuse-chap refuse-mschap refuse-mschapv2 require-mppe require-mppe-40 "
             "require-mppe-128 mppe-stateful nobsdcomp nodeflate no-vj-comp nopcomp noaccomp ipsec-enabled "
             "ipsec-forceencaps ipsec-ipcomp ipsec-ikev2 ipsec-pfs".split()},
          **{key: may(NUMBER) for key in
             "mtu mru mrru lcp-echo-failure lcp-echo-interval unit ipsec-ikelifetime ipsec-salifetime".split()},
          **{f"{kind}-{part}": may(FILE) for kind in ("user", "machine") for part in ("ca", "cert", "key")},
          **{f"{secret}-flags": may(FLAGS) for secret in NM_SECRETS},
          "machine-auth-type": may(str, "psk", "tls"), "ipsec-remote-id": may(TEXT), "ipsec-gateway-id": may(TEXT),
          "ipsec-ike": may(TEXT), "ipsec-esp": may(TEXT)}
NM_GROUPS = {"connection": need({"id": need(SOME), "uuid": need(UUID), "type": need(str, "vpn"),
                                 "autoconnect": may(str, "true", "false")}),
             "vpn": need(NM_VPN), "vpn-secrets": may(NM_SECRETS),
              "ipv4": may(dict), "ipv6": may(dict)}  # NetworkManager's own, which reads them itself


def nm_complaints(groups):
    """Of the groups of a key file."""
    found = complaints(NM_GROUPS, groups)
    if found:
        return found
    vpn, secrets = groups["vpn"], groups.get("vpn-secrets", {})
    by_key = vpn.get("machine-auth-type") == "psk"
    if vpn.get("ipsec-enabled") != "yes":
        found.append("IPsec is off")
    if by_key != ("ipsec-psk" in secrets) or by_key == ("machine-cert" in vpn) or by_key == ("machine-key" in vpn):
        found.append("the proof is not that of machine-auth-type")
    for secret in NM_SECRETS:
        if (secret in secrets) != (vpn.get(f"{secret}-flags") == "0"):
            found.append(f"{secret} is in the file, or its flags say that it is not: {vpn.get(f'{secret}-flags')}")
    return found
