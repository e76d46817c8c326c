// Whether a proof is true: for a verifier to say that the caller brings.

import type { Hex } from "./bytes.js";
import { InvalidProofError, SextantError } from "./errors.js";
import type { Expected } from "./expected.js";
import type { ProofRecord } from "./proof.js";
import type { ProofKind } from "./requests.js";

/** What a verifier is told of what is due. */
export interface VerifierOptions {
  /** Where it must begin. Not of bundles: each of their statements has a committee of its own. */
  committeeRoot?: Hex;
  chainDigest: Hex;
  /** Verifying key of development circuits (gnark's `groth16_vk.bin`) whose SNARKs count too. They prove nothing: for tests. */
  allowDevCircuits?: Uint8Array;
}

/** The package `@sextant/verifier`, or what its `load` gives, or something that asks one in a worker. */
export interface Verifier {
  verify(file: Uint8Array, options: VerifierOptions): unknown;
}

/** Throws before anything is asked for where nobody could verify it. */
export function checkVerifiable(kind: ProofKind): void {
  if (kind !== "plonk") return;
  throw new SextantError(`${kind} proofs are not verified here: ask for another kind, or with verify: false`);
}

/** Rejects with {@link InvalidProofError} where the verifier refuses the proof. */
export async function verifyHere(
  verifier: Verifier,
  record: ProofRecord,
  due: Pick<Expected, "chainDigest" | "signerCommitteeRoot">,
  allowDevCircuits: Uint8Array | undefined,
): Promise<void> {
  const { chainDigest, signerCommitteeRoot: committeeRoot } = due;
  const options = committeeRoot === undefined ? { chainDigest } : { committeeRoot, chainDigest };
  const file = await record.toFileBytes();
  try {
    await verifier.verify(file, allowDevCircuits ? { ...options, allowDevCircuits } : options);
  } catch (error) {
    // Whatever else a verifier fails of, such as its module that did not load, is no verdict.
    if (error instanceof Error && "code" in error && error.name === "SextantError") {
      throw new InvalidProofError(String(error.code), error);
    }
    throw error;
  }
}
