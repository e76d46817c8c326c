"""A fleet of real servers on this machine for `fleet-kills.py`: one broker, entrypoints, provers that are started again when
they die, and what has come of their work."""

import asyncio
import collections
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from fleet_between import ACK, CHUNK, HEAD, MADE, NEXT, TAKEN, Between

PROGRAMS = Path(os.environ.get("PROGRAMS") or Path(os.environ["CARGO_TARGET_DIR"]) / "release")
BROKER = """listen: 127.0.0.1:{port}
max_payload: 1MB
jetstream {{ store_dir: {folder}/nats, max_file_store: {store}, max_memory_store: 256MB, sync_interval: always }}
"""
TAKES = re.compile(r"[0-9a-f]{64}\.\d+\.([a-z0-9-]+)\.([A-Za-z0-9_-]+).* delivery=")
DONE = re.compile(r"job done .*mode=\"?([a-z0-9]+)\"?")


def say(text: str):
    print(f"{time.strftime('%H:%M:%S', time.gmtime())} {text}", flush=True)


class Failed(Exception):
    """Something else came of it than had to."""


@dataclass
class Kill:
    """Ends `whom` with SIGKILL where a prover has `stage`'s `part` in hand: so many seconds after its worker has begun, 0 as
    soon as it is taken; or before the broker hears of a step, where it is about to say that for the `nth` time."""

    stage: str
    part: str
    at: float | str
    whom: str = "prover"
    nth: int = 1
    done: bool = False

    def __str__(self):
        at = {CHUNK: "before the object", HEAD: "in the middle of the object", MADE: "after the object"}
        at |= {NEXT: "after the part", ACK: "after the next message"}
        when = f"{self.at:.0f} s in" if isinstance(self.at, (int, float)) else at[self.at]
        return f"{self.stage} {self.part}: {self.whom} killed {when}"


@dataclass
class Prover:
    name: str
    arguments: list[str]
    log: Path
    between: Between = None
    process: asyncio.subprocess.Process = None
    hand: list[str] = None
    said: collections.Counter = field(default_factory=collections.Counter)
    lives: int = 0
    # Where this life's log begins.
    since: int = 0


class Fleet:
    """`alternate`: one prover works at a time, and another one when that is killed."""

    def __init__(self, folder: Path, alternate: bool = False):
        folder.mkdir(parents=True)
        self.folder, self.alternate, self.store = folder, alternate, "12GB"
        self.port, self.broker, self.provers, self.others = 0, None, [], []
        self.kills: list[Kill] = []
        self.heads, self.killed, self.tasks, self.over = collections.Counter(), [], set(), False

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    async def begin(self, kinds: str, provers: int, mib: int, entrypoints: int = 1):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        await self.start_broker()
        self.entrypoints = []
        for number in range(entrypoints):
            log = self.folder / f"entrypoint-{number + 1}.log"
            self.others.append(await self.serve(self.url, log, "--role", "entrypoint", "--kinds", kinds))
            self.entrypoints.append(await listening(log))
        for number in range(1, provers + 1):
            arguments = ["--role", "prover", "--stages", kinds, "--machine", f"machine-{number}"]
            arguments += ["--worker-memory-mib", str(mib)]
            prover = Prover(f"machine-{number}", arguments, self.folder / f"prover-{number}.log")
            prover.between = await Between(self.port, lambda *said, one=prover: self.hears(one, *said)).start()
            self.provers.append(prover)
            if self.alternate and number > 1:
                self.tool("pause", "--worker", prover.name)
            await self.start(prover)
        for _ in range(300):
            if len(self.tool("workers")) == provers:
                return
            await asyncio.sleep(0.2)
        raise Failed("the provers do not come")

    async def start_broker(self):
        (self.folder / "nats.conf").write_text(BROKER.format(port=self.port, folder=self.folder, store=self.store))
        with (self.folder / "nats.log").open("ab") as log:
            program = [os.environ["NATS_SERVER"], "-c", str(self.folder / "nats.conf")]
            self.broker = await asyncio.create_subprocess_exec(*program, stdout=log, stderr=log)
        await asyncio.sleep(1)

    async def serve(self, url: str, log: Path, *arguments: str):
        command = [str(PROGRAMS / "proof-server"), "serve", "--fleet", url, "--listen", "127.0.0.1:0", *arguments]
        with log.open("ab") as output:
            return await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)

    async def start(self, prover: Prover):
        prover.hand, prover.lives = None, prover.lives + 1
        prover.since = len(prover.log.read_text()) if prover.log.exists() else 0
        prover.process = await self.serve(f"nats://127.0.0.1:{prover.between.port}", prover.log, *prover.arguments)

    def hears(self, prover: Prover, step: str, words: list[str]) -> bool:
        if prover.process.returncode is not None:
            return False
        if step == TAKEN:
            prover.hand = words
            prover.said.clear()
            for kill in self.kills:
                if not kill.done and not isinstance(kill.at, str) and self.is_of(kill, prover):
                    self.later(self.after(kill, prover, prover.lives))
                    break
            return True
        prover.said[step] += 1
        for kill in self.kills:
            if kill.done or kill.at != step or not self.is_of(kill, prover) or prover.said[step] < kill.nth:
                continue
            self.end(kill, prover)
            return False
        if step == HEAD:
            self.heads[".".join(words)] += 1
        return True

    def is_of(self, kill: Kill, prover: Prover) -> bool:
        return prover.hand is not None and kill.stage == prover.hand[0] and kill.part in ("*", prover.hand[1])

    async def after(self, kill: Kill, prover: Prover, life: int):
        hand = prover.hand
        while kill.at and "worker ready" not in prover.log.read_text()[prover.since :] and prover.lives == life:
            await asyncio.sleep(0.2)
        await asyncio.sleep(kill.at)
        if prover.hand is hand and prover.lives == life and not kill.done and not prover.said[CHUNK]:
            self.end(kill, prover)

    def end(self, kill: Kill, prover: Prover):
        kill.done = True
        part = list(prover.hand)
        self.killed.append((part, kill))
        say(f"  {prover.name} at {'.'.join(part)}: {kill}")
        if kill.whom == "worker":
            for child in children(prover.process.pid):
                os.kill(child, signal.SIGKILL)
        elif kill.whom == "broker":
            self.later(self.broker_away(60))
        else:
            workers = children(prover.process.pid)
            prover.process.kill()
            self.later(self.again(prover, workers))

    async def again(self, prover: Prover, workers: list[int]):
        await prover.process.wait()
        if self.alternate:
            [other] = [other for other in self.provers if other is not prover]
            self.tool("pause", "--worker", prover.name)
            for worker in workers:
                while Path(f"/proc/{worker}").exists():
                    await asyncio.sleep(0.2)
            self.tool("resume", "--worker", other.name)
        else:
            await asyncio.sleep(1)
        if not self.over:
            await self.start(prover)

    async def broker_away(self, seconds: float):
        self.broker.kill()
        await self.broker.wait()
        await asyncio.sleep(seconds)
        await self.start_broker()
        say(f"  the broker is there again after {seconds:.0f} s")

    def later(self, work):
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def tool(self, *arguments: str) -> list[dict]:
        command = [str(PROGRAMS / "proof-server"), "fleet", *arguments, "--fleet", self.url, "--json"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise Failed(f"fleet {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def made(self) -> collections.Counter:
        """What workers have finished, by stage and part."""
        made = collections.Counter()
        for prover in self.provers:
            hand = None
            for line in prover.log.read_text(errors="replace").splitlines():
                line = re.sub(r"\x1b\[[0-9;]*m", "", line)
                if found := TAKES.search(line):
                    hand = (found[1], found[2])
                elif (found := DONE.search(line)) and found[1] != "verify":
                    made[hand] += 1
        return made

    async def is_empty(self):
        """Waits until nothing is left in the queue; a message whose prover died last comes again after its lease."""
        for _ in range(120):
            [status] = self.tool("status")
            left = sum(row["waiting"] + row["running"] for row in status["demand"])
            if not left:
                break
            await asyncio.sleep(1)
        if left or status["dead"]:
            raise Failed(f"{left} messages are left, {status['dead']} are dead: {self.tool('jobs')}{self.tool('dead')}")

    async def stop(self):
        self.over = True
        for task in list(self.tasks):
            task.cancel()
        for process in [*(prover.process for prover in self.provers), *self.others, self.broker]:
            if process and process.returncode is None:
                process.kill()
                await process.wait()


def children(process: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            found += [int(child) for child in file.read_text().split()]
        except OSError:
            # A thread that has just ended.
            continue
    return found


async def listening(log: Path) -> str:
    for _ in range(300):
        if found := re.search(r"^listening on (\S+)", log.read_text(), re.MULTILINE):
            return found[1]
        await asyncio.sleep(0.1)
    sys.exit(f"fleet-kills: a server does not start: {log}")
