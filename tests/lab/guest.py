"""A User-Mode Linux guest: a real kernel as a process, in a namespace, with one network card."""
import itertools
import os
import pathlib
import queue
import shutil
import subprocess
import threading

from lab import images
from lab.shell import CommandFailed, stop

INIT = pathlib.Path(__file__).parent / "guest-init.sh"
# How long a guest may take on a machine that is slow and has much to do. These say nothing about what is tested.
BOOT_SECONDS = 180
SLOW = 60  # seconds on top of what a script waits for by itself
_serial = itertools.count(1)


class Guest:
    """Boots on construction. `run` runs a shell script in the guest and gives back what it printed."""

    def __init__(self, namespace, bridge, stack, job, name="guest", memory="160M"):
        self.job = pathlib.Path(job)
        self.job.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.orders = itertools.count(1)
        self.tap = f"tap{next(_serial)}"
        self.console = []
        self.lines = queue.Queue()
        root = images.image(stack)
        shutil.copy(INIT, self.job / "init.sh")
        namespace.tap(self.tap, bridge)
        self.process = namespace.start(
            images.KERNEL, f"mem={memory}", "root=/dev/root", "rootfstype=hostfs", f"rootflags={root}", "ro",
            "init=/bin/sh", "con=null", "con0=fd:0,fd:1", "quiet", f"vec0:transport=tap,ifname={self.tap},depth=128,gro=0",
            "--", "-c", f'"mount -t hostfs none /job -o {self.job} && exec sh /job/init.sh {name}"',
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        threading.Thread(target=self._listen, daemon=True).start()
        self._await("GUEST READY", BOOT_SECONDS)

    def _listen(self):
        for line in self.process.stdout:
            text = line.decode(errors="replace").rstrip()
            self.console.append(text)
            self.lines.put(text)
        self.lines.put(None)

    def _await(self, start, timeout):
        while True:
            try:
                line = self.lines.get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(f"guest {self.name}: no '{start}' within {timeout} s\n{self.said()}") from None
            if line is None:
                raise AssertionError(f"guest {self.name} ended unasked\n{self.said()}")
            if line.startswith(start):
                return line

    def said(self):
        return "\n".join(self.console[-40:])

    def run(self, script, seconds=0, check=True):
        """`seconds` is what the script may wait for by itself."""
        number = next(self.orders)
        (self.job / f"{number}.sh").write_text(script)
        self.process.stdin.write(f"{number}\n".encode())
        self.process.stdin.flush()
        done = self._await(f"GUEST DONE {number} ", seconds + SLOW)
        said = (self.job / f"{number}.out").read_text(errors="replace")
        status = int(done.split()[-1])
        if check and status != 0:
            raise CommandFailed(f"guest {self.name}: exit {status} from:\n{script}\nit said:\n{said}")
        return said

    def network(self, address, router=None):
        self.run(f"ip address add {address} dev vec0 && ip link set vec0 up" +
                 (f" && ip route add default via {router}" if router else ""))

    @staticmethod
    def putting(path, text):
        """The script that puts a file into the guest's memory file systems (/etc, /run, /tmp)."""
        directory = os.path.dirname(path)
        return f"umask 077; [ -d {directory} ] || mkdir -p {directory}; cat >{path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE\n"

    def write(self, path, text):
        self.run(self.putting(path, text))

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(3)
        except (OSError, subprocess.TimeoutExpired):
            stop(self.process, 1)
