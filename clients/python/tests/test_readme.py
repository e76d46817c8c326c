"""The README's example is run as it stands, but for the addresses."""

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path

from sextant import ProofRecord, statements

from .support import REPOSITORY, node, recorded, server


class Readme(unittest.IsolatedAsyncioTestCase):
    async def test_its_example_gets_a_proof(self) -> None:
        text = (REPOSITORY / "clients" / "python" / "README.md").read_text()
        example = text.split("```python\n")[1].split("```")[0]
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
