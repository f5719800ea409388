"""Root file systems of guests and of foreign programs, made once by mmdebstrap and kept outside the tree.

A stamp in each image holds what it was made of; another list of packages or another kernel makes it anew.
"""
import fcntl
import hashlib
import os
import pathlib
import shutil

from lab.shell import run

CACHE = pathlib.Path(os.environ.get("SEKISHO_INTEROP_CACHE", "/var/cache/sekisho-interop"))
SUITE = "bookworm"
KERNEL = "linux.uml"
MODULES = pathlib.Path("/usr/lib/uml/modules")
COMMON = ["mount", "util-linux", "busybox-static", "kmod", "iproute2", "iputils-ping", "procps", "iperf3", "curl",
          "xl2tpd", "ppp"]
# The two IKE daemons exclude each other, therefore one image each.
PACKAGES = {
    "strongswan": COMMON + ["strongswan", "libstrongswan-standard-plugins"],
    "libreswan": COMMON + ["libreswan"],
    "networkmanager": COMMON + ["strongswan", "libstrongswan-standard-plugins", "network-manager-l2tp", "dbus",
                                "netbase"],
    # It runs in a namespace, not in a guest; installed on the host it would start there.
    "softether": ["softether-vpnserver", "softether-vpncmd"],
}


def image(stack):
    """The directory of an image of PACKAGES; builds it when it is missing or out of date."""
    roots = CACHE / "roots"
    roots.mkdir(parents=True, exist_ok=True)
    root = roots / stack
    with open(roots / f"{stack}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = _stamp(stack)
        if _read(root / "stamp") != stamp:
            _build(stack, root)
            (root / "stamp").write_text(stamp)
    return root


def _stamp(stack):
    parts = [SUITE, *PACKAGES[stack], *sorted(str(path) for path in MODULES.iterdir())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _read(path):
    return path.read_text() if path.exists() else None


def _build(stack, root):
    fresh = root.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    run("mmdebstrap", "--mode=root", "--variant=apt", "--include=" + ",".join(PACKAGES[stack]), SUITE, fresh,
        timeout=600)
    # In the image, the kernel's own autoloading finds ciphers, PPP and L2TP.
    shutil.copytree(MODULES, fresh / "lib/modules", dirs_exist_ok=True, symlinks=True)
    (fresh / "job").mkdir(exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    fresh.rename(root)
