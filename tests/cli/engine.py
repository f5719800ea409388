#!/usr/bin/python3
"""A stand-in for the program sekisho-client: it says what script.json beside it has it say, and writes down how it was
started, so that the command can be tried without a network. Run as `sekisho-client --profile-fd N --ready-fd N --name X`."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import sys
import threading
import time

LISTEN_TIME = 10  # as in the program: for whoever started it to listen before the first attempt

HERE = pathlib.Path(__file__).parent
SCRIPT = json.loads((HERE / "script.json").read_text())


def option(name):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def line(value):
    return json.dumps(value).encode() + b"\n"


def note_start(profile):
    (HERE / "started.json").write_text(json.dumps({
        "argv": pathlib.Path("/proc/self/cmdline").read_bytes().decode().split("\0"),
        "environ": pathlib.Path("/proc/self/environ").read_bytes().decode(),
        "profile": profile,
        "descriptors": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                              if os.path.exists(f"/proc/self/fd/{fd}")),
        "session": os.getsid(0) == os.getpid(),
        "signals": [line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if "SigBlk" in line],
        "pid": os.getpid(),
    }))


class Engine:
    def __init__(self, path):
        self.path = path
        self.link = {"profile": option("--name"), "state": "connecting", "server": "vpn.example.net", **SCRIPT["link"]}
        self.told = []
        self.lock = threading.Lock()
        self.subscribers = []
        self.over = threading.Event()
        self.listened = threading.Event()
        self.answered = threading.Semaphore(0)

    def tell(self, progress):
        with self.lock:
            self.told.append(progress)
            if progress["type"] == "up":
                self.link["state"] = "up"
            for one in self.subscribers:
                with contextlib.suppress(OSError):  # a command that has seen enough is gone
                    one.sendall(line({"event": progress}))

    def end(self):
        self.tell({"type": "ended"})
        self.over.set()

    def answer(self, connection, request):
        verb = request["verb"]
        if verb == "events":
            with self.lock:
                connection.sendall(line({"ok": True, "data": {"link": self.link, "progress": self.told}}))
                self.subscribers.append(connection)
            self.listened.set()
        elif verb == "client.status":
            connection.sendall(line({"ok": True, "data": {"link": self.link}}))
        elif verb == "client.answer":
            with open(HERE / "answers", "a", encoding="utf-8") as f:
                f.write(request["args"]["answer"] + "\n")
            connection.sendall(line({"ok": True, "data": {}}))
            self.answered.release()
        elif verb == "client.disconnect":
            time.sleep(SCRIPT.get("undoing", 0))
            (HERE / "disconnected").write_text("")
            connection.sendall(line(SCRIPT.get("disconnect", {"ok": True, "data": {}})))
            self.end()

    def serve(self, connection):
        with connection.makefile("rb") as lines:
            for text in lines:
                self.answer(connection, json.loads(text))

    def accept(self, listener):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def run(self):
        listener = socket.socket(socket.AF_UNIX)
        pathlib.Path(self.path).unlink(missing_ok=True)
        listener.bind(self.path)
        listener.listen()
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()
        os.write(int(option("--ready-fd")), line(SCRIPT.get("ready", {"ok": True, "data": {}})))
        os.close(int(option("--ready-fd")))
        if not SCRIPT.get("early", False):
            self.listened.wait(LISTEN_TIME)
        for step in SCRIPT["steps"]:
            if "wait" in step:
                self.over.wait(step["wait"])
            elif "crash" in step:
                os.kill(os.getpid(), signal.SIGKILL)
            elif not self.over.is_set():
                self.tell(step)
                while step["type"] == "prompt" and not self.over.is_set() and not self.answered.acquire(timeout=0.05):
                    pass
        if SCRIPT.get("stays", False):
            self.over.wait()
        elif not self.over.is_set():
            self.end()
        time.sleep(0.05)
        os.unlink(self.path)
        os._exit(0)


def main():
    if option("--clean") is not None:
        with open(HERE / "cleaned", "a", encoding="utf-8") as f:
            f.write(option("--clean") + "\n")
        sys.exit(SCRIPT.get("clean", 0))
    with os.fdopen(int(option("--profile-fd"))) as f:
        note_start(f.read())
    if "refuses" in SCRIPT:
        os.write(int(option("--ready-fd")), line({"ok": False, "error": SCRIPT["refuses"]}))
        sys.exit(1)
    if "dies" in SCRIPT:
        sys.exit(SCRIPT["dies"])
    Engine(str(HERE / "sockets" / (option("--name") + ".sock"))).run()


main()
