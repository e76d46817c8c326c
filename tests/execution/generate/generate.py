"""Writes vectors of stateless validation, made by the executable specification: `generate.py ARCHIVE [WORD]`.

The archive (.tar.xz) has NAME.stateless-input.ssz and NAME.stateless-output.hex for each of them; where a block is
to be refused, the output is 43 bytes of zero, and NAME.reason has words of the error that must refuse it. With a word,
only the rules whose file has it in its name are taken. The same versions of the packages write the same bytes.
"""

import importlib
import io
import lzma
import pkgutil
import sys
import tarfile
import time
from pathlib import Path

import rules
from spec import NAMES, fork


def main(archive: Path, word: str) -> None:
    files: dict[str, bytes] = {}
    count = refused = 0
    for found in sorted(module.name for module in pkgutil.iter_modules(rules.__path__)):
        if word not in found:
            continue
        module = importlib.import_module(f"rules.{found}")
        start, before = time.time(), count
        for name in getattr(module, "FORKS", NAMES):
            for vector in module.cases(fork(name)):
                input_name = f"{vector.name}.stateless-input.ssz"
                assert input_name not in files, vector.name
                files[input_name] = vector.input
                files[f"{vector.name}.stateless-output.hex"] = (vector.output or bytes(43)).hex().encode() + b"\n"
                if vector.reason:
                    files[f"{vector.name}.reason"] = vector.reason.encode() + b"\n"
                    refused += 1
                count += 1
        print(f"{found}: {count - before} vectors, {time.time() - start:.1f} s", flush=True)
    archive.write_bytes(packed(files))
    print(f"{count} vectors, {refused} of them to be refused; {archive.stat().st_size} bytes")


def packed(files: dict[str, bytes]) -> bytes:
    tar = io.BytesIO()
    # Inputs of a rule stand together, since they are much alike.
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as writer:
        for name in sorted(files, key=lambda name: (name.split(".", 1)[1], name)):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            writer.addfile(entry, io.BytesIO(files[name]))
    return lzma.compress(tar.getvalue(), preset=9 | lzma.PRESET_EXTREME)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
