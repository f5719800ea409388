"""Runs host commands and waits for things, with errors that tell what was run and what it said."""
import re
import subprocess
import time


class CommandFailed(AssertionError):
    """A command ended badly; its text holds the command and everything it printed."""


def run(*words, timeout=60, check=True, stdin=None):
    """Runs one command without a shell and gives back what it printed (standard output and error together)."""
    done = subprocess.run([str(word) for word in words], input=stdin, stdin=None if stdin else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def wait_for(what, condition, timeout=10.0, every=0.05):
    """Asks `condition` again and again until it says something true, and gives that back."""
    end = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {timeout:g} s")
        time.sleep(every)


def stop(process, patience=5.0):
    """Ends one process that we started: asks first, then insists."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def check_sanitizers(text):
    """What a program of ours wrote must hold no report of a sanitizer: not every way to end shows one by its status."""
    found = re.search(r"^.*(?:Thread|Address|Leak|UndefinedBehavior)Sanitizer.*|^.*runtime error:.*", text, re.M)
    assert not found, text[found.start():][:6000]
