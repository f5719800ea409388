"""The host's own ping, and what came back. A packet is lost when its answer never comes, not when it comes late."""
import math
import re

LATE = 0.65  # seconds that an answer may take: a router that learns keeps some back for half a second, decision 0020
PATIENCE = 20  # seconds after the last packet: a guest on a busy machine may stand still for a while


def words(host, count, size=56, interval=0.1, extra=()):
    """The command. Without a deadline ping ends one interval after its last packet, whatever it is told to wait; with one
    it goes on, and sends more, until it has as many answers as it is told: so many here that the first have the time to come."""
    answers = max(count, math.ceil(LATE / interval))
    return "ping", "-i", interval, "-w", math.ceil(answers * interval) + PATIENCE, "-c", answers, "-s", size, *extra, host


def missing(said, count):
    """The numbers among the first `count` packets that have no answer in what ping said."""
    return sorted(set(range(1, count + 1)) - {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl=", said)})


def check(said, count):
    assert not missing(said, count), said


def ping(namespace, host, count=3, **more):
    """Every packet must come back."""
    command = words(host, count, **more)
    said = namespace.run(*command, timeout=60 + count, check=False)
    check(said, count)
    return said
