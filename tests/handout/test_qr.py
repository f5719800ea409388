"""QR codes as a scanner reads them, from the terminal's text and from the SVG."""
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from handout.readers import WRITER

SCALE = 6
TEXTS = ["https://vpn.example.net:8443/invite#k3yk3yk3y", "it's a <key> & \"more\"", "鍵と関所", "x" * 600]



def draw(kind, text):
    return subprocess.run([WRITER, kind, text], check=True, capture_output=True).stdout.decode()


def scan(rows, path):
    """What a scanner reads from rows of booleans, True for dark."""
    image = path / "code.pgm"
    pixels = b"".join(bytes(0 if dark else 255 for dark in row for _ in range(SCALE)) * SCALE for row in rows)
    image.write_bytes(b"P5 %d %d 255\n" % (len(rows[0]) * SCALE, len(rows) * SCALE) + pixels)
    done = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sbinary", image], check=True, capture_output=True)
    return done.stdout.decode()


def terminal(text):
    """Two rows a line, on a dark terminal: what is drawn is light."""
    cells = {"█": (False, False), "▀": (False, True), "▄": (True, False), " ": (True, True)}
    rows = []
    for line in text.splitlines():
        rows += [[cells[c][0] for c in line], [cells[c][1] for c in line]]
    return rows


def picture(svg):
    root = ElementTree.fromstring(svg)
    side = int(root.get("viewBox").split()[2])
    rows = [[False] * side for _ in range(side)]
    name = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{name}title").text == "a title <&>"
    for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", root.findall(f"{name}path")[1].get("d")):
        for i in range(int(n)):
            rows[int(y)][int(x) + i] = True
    return rows


@pytest.mark.parametrize("text", TEXTS)
def test_a_scanner_reads_the_terminal(text, tmp_path):
    rows = terminal(draw("qr", text))
    assert len({len(row) for row in rows}) == 1
    assert scan(rows, tmp_path) == text


@pytest.mark.parametrize("text", TEXTS)
def test_a_scanner_reads_the_picture(text, tmp_path):
    assert scan(picture(draw("svg", text)), tmp_path) == text


@pytest.mark.parametrize("kind", ["qr", "svg"])
def test_too_much_is_refused(kind):
    assert subprocess.run([WRITER, kind, "x" * 3000], check=False, capture_output=True).returncode == 1
