"""What schemathesis does in `scripts/http-fuzz.sh` beside what it makes up: real documents and files, changed in a place or two,
so that what is behind the first check is reached too; and it counts what came of each kind of request."""

import atexit
import collections
import copy
import hashlib
import json
import random
import re
from pathlib import Path

import schemathesis
from schemathesis import GenerationMode

DATA = Path(__file__).parent.parent / "tests" / "data"
JSON, BYTES = "application/json", "application/octet-stream"
chance = random.Random(0x5EED)
counts = collections.Counter()


def recorded(name):
    return json.loads((DATA / "mainnet-deneb" / name).read_text())


STATEMENTS = {
    "committee-change": {
        "network": "mainnet",
        "bootstrap": recorded("bootstrap-9425184.json"),
        "updates": [recorded("update-9420873.json"), recorded("update-9430576.json")],
    },
    "inclusion": {
        "bootstrap": recorded("inclusion-bootstrap.json"),
        "finality_update": recorded("inclusion-finality-update-9567542.json"),
        "accounts": recorded("inclusion-eth-get-proof.json"),
    },
}
FILES = [
    DATA.joinpath(name).read_bytes()
    for name in (
        "recorded-starks/committee-change-compressed.proof",
        "recorded-starks/inclusion.proof",
        "recorded-snarks/inclusion.proof",
    )
]
ODD = [None, True, 0, -1, 2**64, 1e300, "", "0x", "0x0", "0x" + "ff" * 32, "\0", [], {}, [[]], "9" * 400, "é" * 99]


def change(value):
    """One place of a document: another value, nothing, or twice the same."""
    inner = list(value) if isinstance(value, dict) else range(len(value))
    if not inner:
        return
    key = chance.choice(inner)
    deeper = isinstance(value[key], (dict, list)) and value[key] and chance.random() < 0.9
    if deeper:
        change(value[key])
    elif isinstance(value[key], str) and len(value[key]) > 4 and chance.random() < 0.6:
        at = chance.randrange(len(value[key]))
        value[key] = value[key][:at] + chance.choice(["", "0", "f", "g", "00"]) + value[key][at + 1 :]
    elif chance.random() < 0.6:
        value[key] = chance.choice(ODD)
    elif isinstance(value, list) and chance.random() < 0.5:
        value.insert(key, copy.deepcopy(value[key]))
    else:
        del value[key]


def document(program):
    told = copy.deepcopy(STATEMENTS[program])
    for _ in range(chance.choice([0, 1, 1, 1, 2, 5])):
        change(told)
    return told


def file():
    """A proof file, which may have another byte than it should, and then perhaps a checksum that fits."""
    data = bytearray(chance.choice(FILES))
    for _ in range(chance.choice([0, 1, 1, 2])):
        # What says what it is comes first.
        data[chance.randrange(8, chance.choice([64, 600, len(data) - 32]))] ^= 1 << chance.randrange(8)
    if chance.random() < 0.8:
        data[-32:] = hashlib.sha256(data[:-32]).digest()
    return bytes(data)


@schemathesis.hook
def before_call(context, case, kwargs):
    # What has to be refused stays as it is.
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE or chance.random() < 0.5:
        return
    if case.path == "/v1/proofs" and case.media_type == JSON:
        program = chance.choice(list(STATEMENTS))
        case.query = {"program": program, "kind": chance.choice(["stark", "stark", "compressed"])}
        case.body = document(program)
        counts["documents of nodes' answers, changed"] += 1
    elif case.path in ("/v1/wraps", "/v1/verifications") and case.media_type == BYTES:
        case.body = file()
        counts["proof files, changed"] += 1


@schemathesis.hook
def after_call(context, case, response):
    kind = ""
    if case.method == "POST":
        sent = response.request.headers.get("content-type", "no kind") if response.request else ""
        kind = str(sent).split(";")[0]
        kind = kind if kind in (JSON, BYTES) else "another kind"
    name = ""
    if response.status_code >= 400:
        found = re.search(rb'"name":"(\w+)"', response.content)
        name = found.group(1).decode() if found else ""
    counts[f"{case.method} {case.path} {kind}: {response.status_code} {name}".rstrip()] += 1


@atexit.register
def say():
    print("http-fuzz: requests, and what was answered")
    for what, count in sorted(counts.items()):
        print(f"  {count:7} {what}")
