"""The README's example is run as it stands, but for the addresses."""

import contextlib
import dataclasses
import io
import os
import tempfile
import unittest
from pathlib import Path
from typing import Any

from sextant import ProofKind, ProofRecord, statements
from sextant import messages as m

from .parts import CHAINS, CHANGES, INCLUSION, bundle_of, client_of, in_parts
from .support import REPOSITORY, node, recorded, server


def examples() -> list[str]:
    """What stands in the README in this language."""
    text = (REPOSITORY / "clients" / "python" / "README.md").read_text()
    return [block.split("```")[0] for block in text.split("```python\n")[1:]]


class Readme(unittest.IsolatedAsyncioTestCase):
    async def test_its_example_gets_a_proof(self) -> None:
        example = examples()[0]
        bootstrap = recorded("inclusion-bootstrap.json")
        root = "0x" + statements.header(bootstrap["data"]["header"]["beacon"]).root.hex()
        light = "/eth/v1/beacon/light_client"
        answers = {
            f"{light}/bootstrap/{root}": bootstrap,
            f"{light}/finality_update": recorded("inclusion-finality-update-9567542.json"),
            "eth_getProof": recorded("inclusion-eth-get-proof.json")["result"],
        }
        with node(answers) as url, tempfile.TemporaryDirectory() as folder:
            async with server() as port:
                checkpoint = example.split('checkpoint="')[1].split('"')[0]
                for placeholder, real in (
                    ("http://127.0.0.1:5052", url),
                    ("http://127.0.0.1:8545", url),
                    ("7100", str(port)),
                    (checkpoint, root),
                    ("asyncio.run(main())", ""),
                    ('"factory.proof"', repr(os.path.join(folder, "factory.proof"))),
                ):
                    self.assertIn(placeholder, example)
                    example = example.replace(placeholder, real)
                names: dict[str, object] = {}
                exec(example, names)
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    await names["main"]()  # type: ignore[operator]
            self.assertIn("9567456 [Account(", printed.getvalue())
            record = ProofRecord.from_file_bytes(Path(folder, "factory.proof").read_bytes())
            self.assertEqual(record.statement.head.finalized_slot, 9567456)

    async def test_its_example_makes_one_proof_of_several(self) -> None:
        bundle = dataclasses.replace(bundle_of(CHANGES[1], INCLUSION), kind=ProofKind.GROTH16)

        def answers(request: m.Request) -> bytes:
            return in_parts(request, CHAINS[1] if request.request.program == 4 else bundle)  # type: ignore[attr-defined]

        names: dict[str, Any] = {}
        exec(examples()[1], names)
        printed = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), contextlib.redirect_stdout(printed):
            for name, record in (("change", CHANGES[1]), ("slot", INCLUSION), ("chain", CHAINS[0])):
                Path(f"{name}.proof").write_bytes(record.to_file_bytes())
            async with client_of(answers) as client:
                await names["join"](client)
        self.assertRegex(printed.getvalue(), r"^\[Bundled\(program=<Program.COMMITTEE_CHANGE: 1>.*\] 1347 1349\n$")
