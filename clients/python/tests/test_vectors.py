"""Messages and proof files are the protocol's vectors, byte for byte."""

import unittest

from sextant import messages as m
from sextant.errors import ErrorCode, MalformedError
from sextant.frames import frame
from sextant.proof import ProofRecord
from sextant.wire import Tagged

from .support import VECTORS, vector

COUNTING = bytes(range(32))
JOB = b"\x77" * 32
INPUT = m.StatementInput(1, bytes.fromhex("c0ffee"))
RECORD = ProofRecord(2, m.ProofKind.COMPRESSED, False, "v6.1.0", COUNTING, b"\xa0\xa1\xa2", b"\xb0\xb1\xb2\xb3")
STARK, COMPRESSED, GROTH16 = m.ProofKind.STARK, m.ProofKind.COMPRESSED, m.ProofKind.GROTH16

CLIENT = {
    "client-hello": m.Hello(agent="sextant/0.1.0"),
    "client-introduction": m.Introduction("correct-horse-battery", 1, "token alice"),
    "client-ping": m.Request(10, m.Ping()),
    "client-info": m.Request(9, m.Info()),
    "client-prove": m.Request(7, m.Prove(INPUT, COMPRESSED, 60_000, COUNTING)),
    "client-verify": m.Request(8, m.Verify(RECORD.encode())),
    "client-submit": m.Request(12, m.Submit(INPUT, STARK)),
    "client-fetch": m.Request(13, m.Fetch(JOB, 60, 5_000)),
    "client-withdraw": m.Request(14, m.Withdraw(JOB)),
    "client-wrap": m.Request(16, m.Wrap(RECORD.encode(), GROTH16, 1_200_000)),
    "client-submit-wrap": m.Request(17, m.SubmitWrap(RECORD.encode(), GROTH16)),
    "client-bundle": m.Request(18, m.Bundle(len(RECORD.encode()).to_bytes(4, "little") + RECORD.encode(), GROTH16)),
    "client-submit-bundle": m.Request(19, m.SubmitBundle(b"\x51\0\0\0\x02", COMPRESSED, 1_200_000, COUNTING, more=80, program=4)),
    "client-large": m.Request(15, m.Prove(INPUT, STARK, more=2)),
    "client-part": m.ClientPart(15, 3, b"\xba\xbe"),
    "client-cancel": m.Cancel(7),
}

WHOLE = RECORD.encode()
COST = m.ProvingCost(1_234_567, 5, 90_000, 8 << 30)


def proof(record: bytes, offset: int = 0, more: int = 0) -> m.ProofAnswer:
    """The vectors' answer, with these bytes of the record."""
    digest = bytes.fromhex("e9076c744d2ae0e158b3ce4c8163163abf405d88148d51cbeb49aed32c6cb1e1")
    return m.ProofAnswer(INPUT.digest(), digest, record, COST, JOB, offset, more)


PROGRAM = m.ProgramInfo(2, COUNTING, bytes(range(32, 64)), 3, 16, 1, [STARK, COMPRESSED])
INFO = m.ServerInfo(
    "proof-server/0.1.0",
    "v6.1.0",
    [PROGRAM],
    [STARK, COMPRESSED],
    False,
    "draining",
    ["mainnet"],
    limits=m.ServerLimits(8 << 20, 64 << 20, 32, 7_200_000),
    uptime_s=86_400,
)
PROGRESS = [
    *(m.Checking(), m.Queued(2), m.Preparing(), m.Executing(1_234_567), m.Proving(3, 5), m.Compressing(4)),
    *(m.Verifying(), m.Done(), m.Shrinking(), m.Wrapping(), m.Snark(), m.Bundling(1, 2)),
    m.Gathering(1, 3, 20_000),
]

SERVER = {
    "server-welcome": [m.Welcome(3, "proof-server/0.1.0")],
    "server-refused": [m.Refused(ErrorCode.VERSION, "this server speaks versions 3 to 3")],
    "server-progress": [m.ServerProgress(7, step) for step in PROGRESS],
    "server-pong": [m.Answer(10, m.Pong())],
    "server-info": [m.Answer(9, INFO)],
    "server-verified": [m.Answer(8, m.Verified())],
    "server-proof": [m.Answer(7, proof(WHOLE))],
    "server-rest": [m.Answer(13, proof(WHOLE[60:], 60))],
    "server-parts": [m.Answer(7, proof(WHOLE[:60], 0, 21)), m.ServerPart(7, 60, WHOLE[60:])],
    "server-submitted": [m.Answer(12, m.Submitted(JOB, 3_600))],
    "server-withdrawn": [m.Answer(14, m.Withdrawn())],
    "server-error": [m.Answer(11, m.ServerFailure(ErrorCode.BUSY, "the queue is full", 2_000))],
}


def read_all(side: Tagged, data: bytes) -> list[object]:
    """The messages in these frames."""
    found = []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append(m.decode(side, data[4 : 4 + length]))
        data = data[4 + length :]
    return found


class Vectors(unittest.TestCase):
    def test_a_clients_messages_are_the_vectors(self) -> None:
        for name, message in CLIENT.items():
            with self.subTest(name):
                self.assertEqual(frame(m.CLIENT, message).hex(), vector(name).hex())
                self.assertEqual(read_all(m.CLIENT, vector(name)), [message])

    def test_a_servers_messages_are_the_vectors(self) -> None:
        for name, messages in SERVER.items():
            with self.subTest(name):
                self.assertEqual(read_all(m.SERVER, vector(name)), messages)
                self.assertEqual(b"".join(frame(m.SERVER, one) for one in messages).hex(), vector(name).hex())

    def test_a_proof_file_is_the_vector(self) -> None:
        self.assertEqual(RECORD.to_file_bytes(), vector("proof-file"))
        self.assertEqual(ProofRecord.from_file_bytes(vector("proof-file")), RECORD)

    def test_a_bundled_record_is_the_vector(self) -> None:
        data = vector("bundled-record")
        record = ProofRecord.decode(data)
        self.assertEqual((record.kind, record.public_values), (m.ProofKind.BUNDLED, b"\xa0\xa1\xa2"))
        self.assertEqual(record.proof[:8], bytes([1, 0, 0, 0, 3, 0, 0, 0]))
        self.assertEqual(record.encode(), data)

    def test_an_input_digest_is_the_vector(self) -> None:
        self.assertEqual(vector("input-digest"), bytes([1, 0, 0, 0]) + INPUT.data + INPUT.digest())

    def test_no_vector_is_left_out(self) -> None:
        self.assertEqual(
            {path.stem for path in VECTORS.glob("*.hex")}, {*CLIENT, *SERVER, "proof-file", "input-digest", "bundled-record"}
        )


class LaterAndBroken(unittest.TestCase):
    def test_what_a_later_version_adds_is_skipped(self) -> None:
        unknown_field = (99).to_bytes(2, "little") + (1).to_bytes(4, "little") + b"x"
        body = vector("server-welcome")[4:] + unknown_field
        self.assertEqual(m.decode(m.SERVER, body), SERVER["server-welcome"][0])
        self.assertIsNone(m.decode(m.SERVER, b"\xff\x00anything"))
        code = m.ServerFailure(99, "later")
        self.assertEqual(read_all(m.SERVER, frame(m.SERVER, m.Answer(1, code))), [m.Answer(1, code)])

    def test_a_message_cut_anywhere_is_malformed_or_ends_between_fields(self) -> None:
        for name in (*SERVER, *CLIENT):
            side = m.SERVER if name in SERVER else m.CLIENT
            whole = vector(name)[4 : 4 + int.from_bytes(vector(name)[:4], "big")]
            refused = 0
            for end in range(len(whole)):
                try:
                    m.decode(side, whole[:end])
                except MalformedError:
                    refused += 1
            # A field has six bytes in front of its content.
            self.assertGreaterEqual(refused, len(whole) - 1 - len(whole) // 7, name)

    def test_a_proof_file_damaged_anywhere_is_refused(self) -> None:
        whole = vector("proof-file")
        for at in range(len(whole)):
            damaged = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
            with self.assertRaises(MalformedError):
                ProofRecord.from_file_bytes(damaged)
            with self.assertRaises(MalformedError):
                ProofRecord.from_file_bytes(whole[:at])


if __name__ == "__main__":
    unittest.main()
