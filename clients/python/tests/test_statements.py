"""Statements from nodes' answers, and nodes' wrong answers."""

import copy
import unittest
from typing import Any

from sextant import HOODI, MAINNET, NETWORKS, StatementError, flat, nodes, statements
from sextant.inputs import CommitteeChangeInput, InclusionInput

from .support import CHECKPOINT_1150, committee_change, inclusion, node, recorded

LIGHT = "/eth/v1/beacon/light_client"


def mainnet_node() -> dict[str, Any]:
    """What a mainnet node answered in July 2024, in period 1150."""
    updates = [recorded("update-9420873.json"), recorded("update-9430576.json")]
    return {
        f"{LIGHT}/bootstrap/{CHECKPOINT_1150}": recorded("bootstrap-9425184.json"),
        f"{LIGHT}/finality_update": recorded("update-9430576.json"),
        # As Lighthouse does it: one more than was asked for.
        f"{LIGHT}/updates?start_period=1150&count=2": [*updates, updates[1]],
        f"{LIGHT}/updates?start_period=1150&count=1": updates[:1],
    }


class Statements(unittest.TestCase):
    def test_digests_are_those_of_the_published_chains(self) -> None:
        self.assertEqual(MAINNET.digest.hex()[:8], "3d00b83d")
        self.assertEqual(len({chain.digest for chain in NETWORKS.values()}), len(NETWORKS))

    def test_an_input_is_read_back(self) -> None:
        for statement, cls in ((committee_change(2), CommitteeChangeInput), (inclusion(), InclusionInput)):
            self.assertEqual(flat.encode(flat.decode(cls, statement.data)), statement.data)

    def test_a_bootstrap_is_of_the_checkpoint_and_its_committee_in_its_state(self) -> None:
        bootstrap = recorded("bootstrap-9425184.json")["data"]
        updates = [recorded("update-9420873.json")["data"]]
        with self.assertRaisesRegex(StatementError, "not of the checkpoint"):
            statements.committee_change(MAINNET, bootstrap, updates, "0x" + "00" * 32)
        forged = copy.deepcopy(bootstrap)
        keys = forged["current_sync_committee"]["pubkeys"]
        keys[0], keys[1] = keys[1], keys[0]
        with self.assertRaisesRegex(StatementError, "not in its header's state"):
            statements.committee_change(MAINNET, forged, updates)

    def test_what_is_missing_or_misshapen_is_named(self) -> None:
        bootstrap = recorded("bootstrap-9425184.json")["data"]
        update = recorded("update-9420873.json")["data"]
        for change, words in (
            (lambda u: u.pop("signature_slot"), "signature_slot"),
            (lambda u: u["sync_aggregate"].update(sync_committee_bits="0xff"), "64 bytes are due"),
            (lambda u: u["attested_header"]["beacon"].update(slot="many"), "many"),
            (lambda u: u["finalized_header"].update(execution_branch=[]), "execution_branch has 0"),
        ):
            wrong = copy.deepcopy(update)
            change(wrong)
            with self.assertRaisesRegex(StatementError, words):
                statements.committee_change(MAINNET, bootstrap, [wrong])
        with self.assertRaisesRegex(StatementError, "no update"):
            statements.committee_change(MAINNET, bootstrap, [])

    def test_nothing_is_asked_twice(self) -> None:
        proof = recorded("inclusion-eth-get-proof.json")["result"]
        names = ("inclusion-bootstrap.json", "inclusion-finality-update-9567542.json")
        bootstrap, finality = (recorded(name)["data"] for name in names)
        with self.assertRaisesRegex(StatementError, "account 0x5c69.* twice"):
            statements.inclusion(MAINNET, bootstrap, finality, [proof, proof])
        twice = copy.deepcopy(proof)
        twice["storageProof"] *= 2
        with self.assertRaisesRegex(StatementError, "slot 0x290d.* twice"):
            statements.inclusion(MAINNET, bootstrap, finality, [twice])


class Nodes(unittest.IsolatedAsyncioTestCase):
    async def test_a_committee_change_from_a_checkpoint(self) -> None:
        with node(mainnet_node()) as url:
            self.assertEqual(await nodes.committee_change(MAINNET, url, CHECKPOINT_1150), committee_change(2))
            self.assertEqual(await nodes.committee_change(MAINNET, url, CHECKPOINT_1150, to=1151), committee_change(1))

    async def test_an_inclusion_from_a_checkpoint(self) -> None:
        bootstrap = recorded("inclusion-bootstrap.json")
        root = "0x" + statements.header(bootstrap["data"]["header"]["beacon"]).root.hex()
        answers = {
            f"{LIGHT}/bootstrap/{root}": bootstrap,
            f"{LIGHT}/finality_update": recorded("inclusion-finality-update-9567542.json"),
            "eth_getProof": recorded("inclusion-eth-get-proof.json")["result"],
        }
        with node(answers) as url:
            asked = {"0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f": [0x290DECD9]}
            self.assertEqual(await nodes.inclusion(MAINNET, url, url, root, asked), inclusion())

    async def test_a_node_that_fails_is_named(self) -> None:
        with node({f"{LIGHT}/finality_update": b"<html>"}) as url:
            with self.assertRaisesRegex(StatementError, "status 404"):
                await nodes.committee_change(HOODI, url, "0x" + "11" * 32)
            with self.assertRaisesRegex(StatementError, "32 bytes are due"):
                await nodes.committee_change(HOODI, url, "0x11")
        with self.assertRaisesRegex(StatementError, "127.0.0.1:1"):
            await nodes.committee_change(HOODI, "http://127.0.0.1:1", "0x" + "11" * 32)
        with self.assertRaisesRegex(StatementError, "not an http"):
            await nodes.committee_change(HOODI, "file:///etc/passwd", "0x" + "11" * 32)
