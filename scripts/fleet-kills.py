#!/usr/bin/env python3
"""Real proofs by a fleet on this machine whose members are killed with SIGKILL in the middle of everything: in each stage at
the four points between which something is lost or not (before the object is written, after it, after the part is noted,
after the next message), and at moments spread over the stage; the broker for a minute; a store that is full; two entrypoints
that are asked for the same. Each proof has to come and to verify, nothing that was finished may be made again, and the queue
has to be empty in the end, with no dead letter.

`make fleet-kills` does all of it; ONLY="stark-parts broker-away" some. With ALTERNATE=1 one prover works at
a time, and another one when it is killed, as those that compress do. Logs are in fleet-kills/ under the target folder.
"""

import asyncio
import os
import shutil
import signal
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fleet_between import ACK, CHUNK, HEAD, MADE, NEXT, ask
from fleet_members import PROGRAMS, Failed, Fleet, Kill, say

ROOT = Path(__file__).parent.parent
OUT = Path(os.environ["CARGO_TARGET_DIR"]) / "fleet-kills"
DENEB, CATCH_UP = ROOT / "tests/data/mainnet-deneb", ROOT / "tests/data/mainnet-catch-up"
# What two STARK provers, or one that compresses, may take of 24 GB; so little that five handovers are four shards.
STARK_MIB, COMPRESSED_MIB = 7000, 14400


def handovers(count: int) -> list[str]:
    """Files of the first recorded handovers."""
    updates = (CATCH_UP / "updates-1347-count-46.ssz").read_bytes()
    end = 0
    for _ in range(count):
        end += 8 + struct.unpack_from("<Q", updates, end)[0]
    file = OUT / f"updates-{count}.ssz"
    file.write_bytes(updates[:end])
    return ["committee-change", "--bootstrap", str(CATCH_UP / "bootstrap-period-1347.ssz"), "--update", str(file)]


def other_handover() -> list[str]:
    files = ["--bootstrap", str(DENEB / "bootstrap-9425184.json"), "--update", str(DENEB / "update-9420873.json")]
    return ["committee-change", *files]


def inclusion() -> list[str]:
    update, proof = DENEB / "inclusion-finality-update-9567542.json", DENEB / "inclusion-eth-get-proof.json"
    files = ["--bootstrap", str(DENEB / "inclusion-bootstrap.json"), "--finality-update", str(update), "--proof", str(proof)]
    return ["inclusion", *files]


async def prove(entrypoint: str, kind: str, statement: list[str], out: Path) -> float:
    """Seconds from request to a proof that verifies."""
    command = [PROGRAMS / "sextant", "prove", *statement, "--server", entrypoint, "--kind", kind]
    command += ["--quiet", "--deadline", "7200", "--out", out]
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        if await process.wait():
            raise Failed("the client has no proof")
    finally:
        # It would look for its servers until its deadline.
        if process.returncode is None:
            process.kill()
    seconds = time.monotonic() - begun
    verifying = await asyncio.create_subprocess_exec(PROGRAMS / "sextant", "verify", out, stdout=asyncio.subprocess.DEVNULL)
    if await verifying.wait():
        raise Failed("the proof does not verify")
    return seconds


async def job(fleet: Fleet, kind: str, statement: list[str], kills: list[Kill], parts: set[tuple[str, str]] | None = None):
    """One proof with `kills` in between. Made are `parts`, which are known where one prover makes the whole."""
    before, fleet.kills, fleet.killed = fleet.made(), kills, []
    fleet.heads.clear()
    number = len(list(fleet.folder.glob("*.proof")))
    seconds = await prove(fleet.entrypoints[0], kind, statement, fleet.folder / f"{number}.proof")
    await fleet.is_empty()
    if missed := [str(kill) for kill in kills if not kill.done]:
        raise Failed(f"did not come about: {missed}")
    made = fleet.made() - before
    # Finished, but not put where others find it: that is lost.
    lost = [tuple(part) for part, kill in fleet.killed if kill.at in (CHUNK, HEAD)]
    twice = {part: times for part, times in made.items() if times > 1 + lost.count(part)}
    if twice or any(times > 1 for times in fleet.heads.values()):
        raise Failed(f"made again, although it was finished: {twice} {fleet.heads}")
    if parts and set(made) != parts:
        raise Failed(f"{sorted(parts)} had to be made, and {sorted(made)} were")
    say(
        f"  verified after {seconds:.0f} s; {len(kills)} kills; {made.total()} pieces of work finished for {len(made)}, "
        f"{len(lost)} of them before their object was written; each object written once; nothing left, none dead"
    )


async def stark_whole(fleet: Fleet):
    await fleet.begin("stark", 2, STARK_MIB)
    at = lambda point, whom="prover": Kill("stark", "whole", point, whom)
    await job(fleet, "stark", other_handover(), [at(0), at(8), at(CHUNK)])
    await job(fleet, "stark", handovers(1), [at(HEAD), at(MADE), at(NEXT)])
    await job(fleet, "stark", inclusion(), [at(3, "worker"), at(11), at(ACK)])


async def stark_parts(fleet: Fleet):
    await fleet.begin("stark", 2, STARK_MIB)
    plan = [Kill("stark", "whole", CHUNK), Kill("stark", "whole", NEXT, nth=2), Kill("stark", "whole", ACK)]
    shards = [("c-1", 2), ("c-1", 9), ("c-1", CHUNK), ("c-2", HEAD), ("c-2", MADE), ("m-1", ACK), ("*", NEXT)]
    shards = [Kill("stark-shard", *kill) for kill in shards] + [Kill("stark-shard", "c-3", 5, "worker")]
    folds = [Kill("stark-fold", "*", at) for at in (1, MADE, NEXT)]
    await job(fleet, "stark", handovers(5), plan + shards + folds)


async def compressed_whole(fleet: Fleet):
    await fleet.begin("compressed", 2, COMPRESSED_MIB)
    at = lambda point, whom="prover": Kill("compressed", "whole", point, whom)
    await job(fleet, "compressed", other_handover(), [at(15), at(MADE), at(NEXT)])
    await job(fleet, "compressed", handovers(1), [at(30, "worker"), at(CHUNK), at(ACK)])


async def compressed_parts(fleet: Fleet):
    await fleet.begin("compressed", 2, COMPRESSED_MIB)
    shards = [("c-1", 20), ("c-2", CHUNK), ("c-3", MADE), ("*", NEXT), ("m-1", ACK)]
    folds = [("1-2", 5), ("3-4", HEAD), ("1-4", 8, "worker"), ("1-4", MADE), ("1-4", NEXT)]
    kills = [Kill("compressed-shard", *kill) for kill in shards] + [Kill("compressed-fold", *kill) for kill in folds]
    await job(fleet, "compressed", handovers(6), kills)


async def broker_away(fleet: Fleet):
    await fleet.begin("stark", 1, STARK_MIB)
    await job(fleet, "stark", handovers(1), [Kill("stark", "whole", 4, "broker")], {("stark", "whole")})


async def two_entrypoints(fleet: Fleet):
    await fleet.begin("stark", 2, STARK_MIB, entrypoints=2)
    asked = [
        prove(entrypoint, "stark", handovers(1), fleet.folder / f"of-{entrypoint[-5:]}.proof") for entrypoint in fleet.entrypoints
    ]
    seconds = await asyncio.gather(*asked)
    await fleet.is_empty()
    one, other = (file.read_bytes() for file in fleet.folder.glob("of-*.proof"))
    if fleet.made().total() != 1 or one != other:
        raise Failed(f"not the same, or made more than once: {fleet.made()}")
    say(f"  both have the same verified proof after {seconds[0]:.0f} and {seconds[1]:.0f} s, made once")


async def full_store(fleet: Fleet):
    await fleet.begin("stark", 1, STARK_MIB)

    async def room(bytes_: int) -> int:
        config = (await ask(fleet.port, "$JS.API.STREAM.INFO.SXT_PROOFS", {}))["config"]
        before, config["max_bytes"] = config["max_bytes"], bytes_
        await ask(fleet.port, "$JS.API.STREAM.UPDATE.SXT_PROOFS", config)
        return before

    enough = await room(1_000_000)

    async def later():
        while "kept in hand" not in fleet.provers[0].log.read_text():
            await asyncio.sleep(1)
        say("  there is no room for the proof; the prover keeps it in hand")
        await asyncio.sleep(20)
        await room(enough)

    widening = asyncio.create_task(later())
    await job(fleet, "stark", handovers(1), [], {("stark", "whole")})
    await widening


SCENARIOS = [stark_whole, two_entrypoints, broker_away, full_store, stark_parts, compressed_whole, compressed_parts]


async def main() -> int:
    names = {scenario.__name__.replace("_", "-"): scenario for scenario in SCENARIOS}
    chosen = os.environ.get("ONLY", "").split() or list(names)
    if unknown := set(chosen) - set(names):
        sys.exit(f"fleet-kills: there is no {sorted(unknown)}: {' '.join(names)}")
    # Told to end, it ends those that it has started.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    failed = []
    for name in chosen:
        say(name)
        # What compresses takes half of the machine.
        fleet = Fleet(OUT / name, alternate=name.startswith("compressed") or "ALTERNATE" in os.environ)
        try:
            await names[name](fleet)
        except Failed as error:
            failed.append(name)
            say(f"  FAILED: {error}")
        finally:
            await fleet.stop()
            clear_shared_memory()
    say(f"fleet-kills: {len(chosen) - len(failed)} of {len(chosen)} good" + (f"; failed: {' '.join(failed)}" if failed else ""))
    return len(failed)


def clear_shared_memory():
    """What killed workers leave: files of SP1's executor that no process has mapped any more."""
    time.sleep(2)
    mapped = ""
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            mapped += maps.read_text(errors="replace")
        except OSError:
            continue
    for file in [*Path("/dev/shm").glob("sp1_*"), *Path("/dev/shm").glob("sem.sp1_*")]:
        if str(file) not in mapped:
            file.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
