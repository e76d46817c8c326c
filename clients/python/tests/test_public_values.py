"""What recorded proofs say, read as the other implementations read it."""

import contextlib
import unittest

from sextant import MalformedError, ProofRecord, public_values
from sextant.pinned import VK_HASHES

from .support import DATA, REPOSITORY


def recorded(name: str) -> ProofRecord:
    """A recorded SNARK."""
    return ProofRecord.from_file_bytes((DATA / "recorded-snarks" / f"{name}.proof").read_bytes())


class PublicValues(unittest.TestCase):
    def test_a_committee_change(self) -> None:
        statement = recorded("committee-change").statement
        assert isinstance(statement, public_values.CommitteeChange)
        self.assertEqual((statement.head.signer_period, statement.head.finalized_slot), (1150, 9430496))
        self.assertEqual([one.period for one in statement.learned], [1151, 1152])

    def test_an_inclusion_with_everything(self) -> None:
        statement = recorded("catch-up-slot-and-log").statement
        assert isinstance(statement, public_values.Inclusion)
        self.assertEqual(statement.facts.number, statement.head.block_number)
        self.assertEqual([one.period for one in statement.learned], [519])
        self.assertEqual(statement.accounts[0].nonce, 346165)
        self.assertFalse(statement.accounts[0].slots[0].exists)
        self.assertEqual((statement.logs[0].transaction, len(statement.logs[0].topics)), (197, 3))
        self.assertEqual(int.from_bytes(statement.logs[0].data, "big"), 34376600000000000000000)

    def test_only_the_one_encoding_is_read(self) -> None:
        """A changed byte is another value or refused: never the same statement."""
        record = recorded("catch-up-slot-and-log")
        whole = record.public_values
        for at in range(len(whole)):
            changed = whole[:at] + bytes([whole[at] ^ 0x80]) + whole[at + 1 :]
            with contextlib.suppress(MalformedError):
                self.assertNotEqual(public_values.decode(record.program, changed), record.statement)
        for wrong in (whole[:-32], whole + bytes(32), whole[:-1], b""):
            with self.assertRaises(MalformedError):
                public_values.decode(record.program, wrong)

    def test_another_version_is_named(self) -> None:
        record = recorded("inclusion")
        older = record.public_values[:32] + (1).to_bytes(32, "big") + record.public_values[64:]
        with self.assertRaisesRegex(MalformedError, "version 1"):
            public_values.decode(record.program, older)
        with self.assertRaisesRegex(MalformedError, "program 7"):
            public_values.decode(7, record.public_values)

    def test_the_pinned_programs_are_those_that_are_sealed(self) -> None:
        manifest = (REPOSITORY / "artifacts" / "manifest.json").read_text()
        for program, vk_hash in VK_HASHES.items():
            self.assertIn(vk_hash.hex(), manifest, program.name)
            self.assertIn(program.name.lower().replace("_", "-"), manifest)
