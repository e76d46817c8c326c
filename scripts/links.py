#!/usr/bin/env python3
"""Checks the links between this repository's Markdown files: each file is there, and each heading that is pointed at.
Links to the web are not followed."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

FENCE = re.compile(r"^\s*(```|~~~)")
CODE = re.compile(r"(`+).*?\1")
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s+<?([^\s>]+)>?")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
WEB = re.compile(r"^[a-z][a-z0-9+.-]*:")


def prose(path: Path):
    """Numbered lines outside of code blocks."""
    fenced = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced and not line.startswith("    "):
            yield number, line


def anchors(path: Path) -> set[str]:
    """What GitHub makes of a file's headings."""
    found: dict[str, int] = {}
    names = set()
    for _, line in prose(path):
        if heading := HEADING.match(line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = found.get(name, 0)
            found[name] = count + 1
            names.add(f"{name}-{count}" if count else name)
    return names


def faults(path: Path):
    for number, line in prose(path):
        # Text in backquotes may look like a link; inside a link's own text it hides nothing.
        for match in LINK.finditer(CODE.sub(lambda code: "x" * len(code[0]), line)):
            target = unquote(match[1] or match[2])
            if WEB.match(target):
                continue
            name, _, anchor = target.partition("#")
            file = path if not name else (path.parent / name).resolve()
            if not file.exists():
                yield f"{path}:{number}: {target}: no such file"
            elif anchor and file.suffix == ".md" and anchor not in anchors(file):
                yield f"{path}:{number}: {target}: no such heading"


def main() -> int:
    os.chdir(Path(__file__).parent.parent)
    listed = subprocess.run(["git", "ls-files", "*.md"], check=True, capture_output=True, text=True).stdout
    files = [Path(name) for name in listed.splitlines()]
    found = [fault for path in files for fault in faults(path)]
    print("\n".join(found) if found else f"links: {len(files)} files, all good")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
