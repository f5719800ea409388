"""A host of its own for quickstart: network, processes, /etc, /usr/local, /var and /run are private, and vanish with it."""
import pathlib
import pty
import os
import subprocess

from lab.shell import stop, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
ADDRESS = "198.51.100.20"
SETUP = f"""
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /mnt
for place in etc usr/local var/lib var/log; do
    mkdir -p /mnt/upper/$place /mnt/work/$place
    mount -t overlay -o lowerdir=/$place,upperdir=/mnt/upper/$place,workdir=/mnt/work/$place none /$place
done
mount -t tmpfs -o mode=755 none /run
rm -rf /etc/sekisho /var/lib/sekisho
ip link set lo up
ip link add eth0 type veth peer name out0
ip address add {ADDRESS}/24 dev eth0
ip link set eth0 up
ip link set out0 up
ip route add default via 198.51.100.1
echo ready
while :; do sleep 1000 & wait $!; done
"""


class Host:
    """Ends with all that runs there."""

    def __init__(self):
        self.first = subprocess.Popen(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "bash",
                                       "-c", SETUP], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = self.first.stdout.readline()
        assert said == "ready\n", said + self.first.stdout.read()
        children = pathlib.Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children")
        self.pid = wait_for("the host starts", lambda: children.read_text().split())[0]

    def words(self, *words):
        return ["nsenter", "--mount", "--net", "--pid", f"--target={self.pid}", "--", *map(str, words)]

    def run(self, *words, status=0, **how):
        done = subprocess.run(self.words(*words), capture_output=True, text=True, timeout=300, check=False, **how)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def start(self, *words):
        return subprocess.Popen(self.words(*words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def quickstart(self, *options):
        """As on a terminal that knows UTF-8; gives the exit status and what it said."""
        build = os.environ["SEKISHO_BUILD"]
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("nsenter", self.words(ROOT / "quickstart", *options),
                       {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "dumb", "SEKISHO_BUILD": build})
        said = b""
        try:
            while piece := os.read(terminal, 65536):
                said += piece
        except OSError:  # the other side is closed
            pass
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode().replace("\r\n", "\n")

    def close(self):
        stop(self.first)
        self.first.stdout.close()
