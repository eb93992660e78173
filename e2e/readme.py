#!/usr/bin/python3
"""Runs the README's code as it stands: every block after a line "<!-- run -->", in order, against `meridian dev`.

Shell blocks run in one bash each, Python by Debian's interpreter, Go inside this module. A block must not fail, and the
regions must show what the README says they do.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^<!-- run -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE = 180  # seconds for one block


def command(language, code, folder):
    if language == "sh":
        return ["bash", "-euo", "pipefail", "-c", code]
    if language == "python":
        return ["/usr/bin/python3", "-c", code]
    if language == "go":
        file = pathlib.Path(folder) / "main.go"
        file.write_text(code, encoding="utf-8")
        return ["go", "run", str(file)]
    sys.exit(f"README.md: no way to run a block of {language}")


def run(number, language, code):
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        # What the user's own settings hold must not decide whether the README works.
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        done = subprocess.run(command(language, code, folder), cwd=TOP, env=env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
    print(f"README block {number} ({language}, {time.monotonic() - began:.1f} s):")
    print("    " + "\n    ".join(done.stdout.rstrip().splitlines()[-12:]))
    if done.returncode != 0:
        print(done.stdout)
        sys.exit(f"README block {number} ends with exit code {done.returncode}")
    return done.stdout


def main():
    blocks = BLOCK.findall((TOP / "README.md").read_text(encoding="utf-8"))
    outputs = [run(i, *b) for i, b in enumerate(blocks, 1)]
    # The story that the blocks tell: written in us-east-1, changed in eu-west-1, read in ap-northeast-1.
    for what, output in (("equal, item for item", outputs[0]), ("Sinnerman", outputs[2]), ("Sinnerman takes 10 minutes", outputs[3])):
        if what not in output:
            sys.exit(f"no {what!r} in the output of the README's code")


if __name__ == "__main__":
    main()
