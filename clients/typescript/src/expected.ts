// What a proof must say, as far as it follows from the input that was asked about. What a state holds is for the proof to say.

import { type Hex, toHex } from "./bytes.js";
import { type Chain, chainDigest, periodAt } from "./chain.js";
import { WrongProofError } from "./errors.js";
import { decodeFlat } from "./flat.js";
import {
  COMMITTEE_CHANGE_INPUT,
  type CommitteeChangeInput,
  type Handover,
  headerRoot,
  INCLUSION_INPUT,
  type InclusionInput,
  participation,
  type SignedFinality,
} from "./inputs.js";
import type { Proof } from "./options.js";
import { vkHashOf } from "./pinned.js";
import type { ProofRecord } from "./proof.js";
import type { InputStatement, Statement } from "./public-values.js";
import type { Program, ProofKind, StatementInput } from "./requests.js";

/** What is due of a statement, under the names of {@link saidBy}. */
type Due = Record<string, unknown>;

/** What is due of a proof. */
export interface Expected<S extends Statement = Statement> {
  program: Program | number;
  kind: ProofKind;
  /** Where it must begin, and on which chain: also what a verifier is told. */
  chainDigest: Hex;
  /** `undefined` of a bundle, whose statements begin where each of them does. */
  signerCommitteeRoot: Hex | undefined;
  check(statement: S, record: ProofRecord): void;
}

/** Of a proof of this input. Rejects with {@link MalformedError} for bytes that are no input. */
export async function expectedOf(input: StatementInput, kind: ProofKind): Promise<Expected<InputStatement>> {
  const asked =
    input.program === "committee-change"
      ? await committeeChange(decodeFlat(COMMITTEE_CHANGE_INPUT, input.bytes))
      : await inclusion(decodeFlat(INCLUSION_INPUT, input.bytes));
  return {
    program: input.program,
    kind,
    chainDigest: asked.chainDigest,
    signerCommitteeRoot: asked.signerCommitteeRoot,
    check: checking(asked),
  };
}

/** Of a proof of this very statement. */
export function expectedStatement<S extends Statement>(statement: S, kind: ProofKind): Expected<S> {
  const { program } = statement;
  return { program, kind, ...beginning(statement), check: checking(saidBy(statement)) };
}

/** Of the same statement in another form. */
export function expectedSame<S extends Statement>({ record: other, statement }: Proof<S>, kind: ProofKind): Expected<S> {
  return {
    program: other.program,
    kind,
    ...beginning(statement),
    check(_, record) {
      if (toHex(record.publicValues) !== toHex(other.publicValues)) throw new WrongProofError("a proof of another statement");
    },
  };
}

/** The statement of a proof that is what is due. Throws {@link WrongProofError} that names what is not. */
export function checkExpected<S extends Statement>(expected: Expected<S>, record: ProofRecord, allowDevelopment: boolean): S {
  const { program, kind } = expected;
  if (record.program !== program) throw new WrongProofError(`a proof by program ${record.program}, asked for ${program}`);
  if (record.kind !== kind) throw new WrongProofError(`a proof of kind ${record.kind}, asked for ${kind}`);
  const { statement } = record;
  if (record.vkHash !== vkHashOf(statement.program, record.kind)) {
    throw new WrongProofError("a proof by another program than the pinned one");
  }
  if (record.developmentCircuits && !allowDevelopment) {
    throw new WrongProofError("a proof by development circuits, which prove nothing");
  }
  // By the program that is due, so that it is its statement.
  expected.check(statement as S, record);
  return statement as S;
}

/** On which chain a statement is, and where it begins. */
function beginning(statement: Statement): Pick<Expected, "chainDigest" | "signerCommitteeRoot"> {
  if (statement.program === "bundle") return { chainDigest: statement.chainDigest, signerCommitteeRoot: undefined };
  const { chainDigest, signerCommitteeRoot } = statement.head;
  return { chainDigest, signerCommitteeRoot };
}

function checking(asked: Due): Expected["check"] {
  return (statement) => {
    const said = saidBy(statement);
    for (const [name, due] of Object.entries(asked)) {
      if (shown(said[name]) === shown(due)) continue;
      throw new WrongProofError(`a proof of another statement: ${difference(name, said[name], due)}`);
    }
  };
}

function difference(name: string, said: unknown, due: unknown): string {
  if (name !== "parts") return `its ${name} is ${shown(said)}, ${shown(due)} is due`;
  // Of up to 64 statements the first that differs is enough.
  const [parts, asked] = [said as unknown[], due as unknown[]];
  if (parts.length !== asked.length) return `its bundle has ${parts.length} statements, ${asked.length} are due`;
  const index = parts.findIndex((part, at) => part !== asked[at]);
  return `statement ${index} of its bundle is ${parts[index]}, ${asked[index]} is due`;
}

function saidBy(statement: Statement): Due {
  if (statement.program === "bundle") {
    const { chainDigest, parts } = statement;
    return { chainDigest, parts: parts.map((part) => `${part.program} ${part.digest}`) };
  }
  if (statement.program === "chain") {
    const { head, programKey, newest } = statement;
    return { ...head, programKey, newest: [newest.period, newest.committeeRoot] };
  }
  const said = { ...statement.head, learned: statement.learned.map((one) => [one.period, one.committeeRoot]) };
  if (statement.program === "committee-change") return said;
  return {
    ...said,
    accounts: statement.accounts.map((one) => [one.address, one.slots.map((slot) => slot.key)]),
    transactions: statement.transactions.map((one) => one.index),
    logs: statement.logs.map((one) => [one.transaction, one.position]),
    noLogs: statement.noLogs.map((one) => [one.address, one.topics]),
  };
}

async function signature(chain: Chain, root: Uint8Array, all: SignedFinality[], blockHash: Uint8Array) {
  const last = all.at(-1);
  const seats = all.map(participation);
  return {
    chainDigest: await chainDigest(chain),
    signerCommitteeRoot: toHex(root),
    participation: BigInt(seats.length === 0 ? 0 : Math.min(...seats)),
    blockHash: toHex(blockHash),
    ...(last && { finalizedSlot: last.finalized.slot, finalizedRoot: toHex(await headerRoot(last.finalized)) }),
  };
}

function learned(first: bigint, handovers: Handover[]): unknown[] {
  return handovers.map((handover, at) => [first + BigInt(at) + 1n, toHex(handover.nextCommitteeRoot)]);
}

async function committeeChange(asked: CommitteeChangeInput) {
  const all = asked.handovers.map((one) => one.signed);
  return {
    ...(await signature(asked.chain, asked.signerCommitteeRoot, all, asked.execution.blockHash)),
    signerPeriod: asked.signerPeriod,
    learned: learned(asked.signerPeriod, asked.handovers),
  };
}

async function inclusion(asked: InclusionInput) {
  const all = [...asked.handovers.map((one) => one.signed), asked.signed];
  const signer = periodAt(asked.chain, asked.signed.signatureSlot) - BigInt(asked.handovers.length);
  return {
    ...(await signature(asked.chain, asked.signerCommitteeRoot, all, asked.execution.blockHash)),
    signerPeriod: signer,
    learned: learned(signer, asked.handovers),
    accounts: asked.accounts.map((one) => [toHex(one.address), one.slots.map((slot) => toHex(slot.key))]),
    transactions: asked.transactions.map((one) => one.index),
    logs: asked.transactions.flatMap((one) => one.logs.map((position) => [one.index, position])),
    noLogs: asked.noLogs.map((one) => [toHex(one.address), one.topics.map(toHex)]),
  };
}

/** As text, by which two are compared as well. */
function shown(value: unknown): string {
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}` : one));
}
