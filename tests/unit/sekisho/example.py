"""Takes the program out of docs/libsekisho.md, so that what the page shows is what compiles."""
import pathlib
import re
import sys

page, program = map(pathlib.Path, sys.argv[1:])
program.write_text(re.search(r"```c\n(.*?)```", page.read_text(), re.DOTALL)[1].replace("<sekisho.h>", '"sekisho/sekisho.h"'))
