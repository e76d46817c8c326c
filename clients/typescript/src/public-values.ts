// What a proof says: public values, version 2 (docs/statements.md, "What comes out"). Numbers of 64 bits and more are bigints.

import {
  ADDRESS,
  BOOL,
  BYTES,
  type Decoded,
  decodeAbi,
  HASH,
  type Kind,
  list,
  only,
  struct,
  UINT32,
  UINT64,
  UINT256,
} from "./abi.js";
import { bigEndianNumber } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { type Program, programOf } from "./requests.js";

const VERSION = 2n;

/** A program by its tag, one of those that there are. */
const PROGRAM: Kind<Program> = {
  ...UINT32,
  decode(data, at) {
    const [tag, end] = UINT32.decode(data, at);
    const program = programOf(tag);
    if (program === undefined) throw new MalformedError(`public values, byte ${at}: program ${tag} is not known to this version`);
    return [program, end];
  },
};

const HEAD = struct({
  version: UINT64,
  program: UINT64,
  chainDigest: HASH,
  signerPeriod: UINT64,
  signerCommitteeRoot: HASH,
  participation: UINT64,
  finalizedSlot: UINT64,
  finalizedRoot: HASH,
  blockNumber: UINT64,
  blockHash: HASH,
  stateRoot: HASH,
});
/** Whose trust, and the finalized header and block. A zero state root means "not proven", never "empty". */
export type Head = Decoded<typeof HEAD>;

const LEARNED = struct({ period: UINT64, committeeRoot: HASH });
/** A committee that became known, by its `hash_tree_root`, and the period in which it signs. */
export type Learned = Decoded<typeof LEARNED>;

const BLOCK = struct({ number: UINT64, hash: HASH, stateRoot: HASH, receiptsRoot: HASH, timestamp: UINT64 });
/** The block that an inclusion is about. Zero receipts root and timestamp mean "not proven". */
export type Block = Decoded<typeof BLOCK>;

const SLOT = struct({ key: HASH, exists: BOOL, value: UINT256 });
/** A storage slot: its key, whether the trie holds it, and its value (zero if not). */
export type Slot = Decoded<typeof SLOT>;

const ACCOUNT = struct({
  address: ADDRESS,
  exists: BOOL,
  nonce: UINT64,
  balance: UINT256,
  storageRoot: HASH,
  codeHash: HASH,
  slots: list(SLOT),
});
/** An account; all but its address is zero if it does not exist. `balance` is in wei. */
export type Account = Decoded<typeof ACCOUNT>;

const TRANSACTION = struct({ hash: HASH, index: UINT32, succeeded: BOOL });
/** A transaction. A zero hash means that only the receipt at its index is proven. */
export type Transaction = Decoded<typeof TRANSACTION>;

const LOG = struct({
  transaction: UINT32,
  position: UINT32,
  address: ADDRESS,
  dataHash: HASH,
  topics: list(HASH),
  data: BYTES,
});
/**
 * A log, by its transaction's index and its place in that receipt. Data of more than 1,024 bytes are named by `dataHash`,
 * their Keccak-256, and `data` is empty.
 */
export type Log = Decoded<typeof LOG>;

const NO_LOG = struct({ address: ADDRESS, topics: list(HASH) });
/** No log of this address in the block begins with these topics; without topics, none of the address at all. */
export type NoLog = Decoded<typeof NO_LOG>;

const COMMITTEE_CHANGE = struct({ head: HEAD, learned: list(LEARNED) });
/** The sync committee handed over, once or several times. */
export type CommitteeChange = { program: "committee-change" } & Decoded<typeof COMMITTEE_CHANGE>;

const INCLUSION = struct({
  head: HEAD,
  facts: BLOCK,
  accounts: list(ACCOUNT),
  learned: list(LEARNED),
  transactions: list(TRANSACTION),
  logs: list(LOG),
  noLogs: list(NO_LOG),
});
/** What holds in a finalized block, or in an ancestor of it. */
export type Inclusion = { program: "inclusion" } & Decoded<typeof INCLUSION>;

const BUNDLED = struct({ program: PROGRAM, digest: HASH });
/** A statement in a bundle: whose it is, and the SHA-256 of its public values. */
export type Bundled = Decoded<typeof BUNDLED>;

const BUNDLE = struct({ version: UINT64, tag: UINT64, chainDigest: HASH, parts: list(BUNDLED) });
/** Statements about one chain hold: 1 to 64 of them, in order. What they say is not in it. */
export type Bundle = { program: "bundle" } & Omit<Decoded<typeof BUNDLE>, "tag">;

const COMMITTEE_CHAIN = struct({ head: HEAD, programKey: HASH, newest: only(LEARNED) });
/**
 * One committee leads to another, over any number of handovers. The head's signer is the anchor, where the chain begins and which
 * has to be trusted; its finalized header and block are the last change's, its participation is the lowest of all. `programKey` is
 * the hash of the verifying key by which every step was proven: not to be believed, but to be compared with the pinned one.
 */
export type CommitteeChain = { program: "chain" } & Decoded<typeof COMMITTEE_CHAIN>;

/** What is proven from an input of its own; the others from proofs. */
export type InputStatement = CommitteeChange | Inclusion;
export type Statement = InputStatement | Bundle | CommitteeChain;

/** The statement of a proof by `program`. Throws {@link MalformedError} unless `data` is the one encoding of such a statement. */
export function decodePublicValues(program: Program | number, data: Uint8Array): Statement {
  if (typeof program === "number") throw new MalformedError(`program ${program} is not known to this version`);
  const version = bigEndianNumber(data.subarray(32, 64));
  if (data.length >= 64 && version !== VERSION) {
    throw new MalformedError(`public values of version ${version}; this program reads version ${VERSION}`);
  }
  const [statement, tag] = decodeStatement(program, data);
  if (programOf(Number(tag)) !== program) {
    throw new MalformedError(`public values of program ${tag} in a proof by program ${program}`);
  }
  return statement;
}

/** A statement, and the tag that it has in itself. */
function decodeStatement(program: Program, data: Uint8Array): [statement: Statement, tag: bigint] {
  if (program === "bundle") {
    const { tag, ...bundle } = decodeAbi(BUNDLE, data);
    return [{ program, ...bundle }, tag];
  }
  const statement: Exclude<Statement, Bundle> =
    program === "inclusion"
      ? { program, ...decodeAbi(INCLUSION, data) }
      : program === "chain"
        ? { program, ...decodeAbi(COMMITTEE_CHAIN, data) }
        : { program, ...decodeAbi(COMMITTEE_CHANGE, data) };
  return [statement, statement.head.program];
}
