/** What the caller trusts. An option that is not known is an error. */
export interface VerifyOptions {
  /** `hash_tree_root` of the sync committee that has to have signed: 32 bytes, or as many in hex. Without it, where the proof begins is not checked. */
  committeeRoot?: string | Uint8Array;
  /** mainnet (the default), sepolia, holesky or hoodi. */
  network?: string;
  /** The chain's digest, for a network without a name. */
  chainDigest?: string | Uint8Array;
  /** Verifying key of development circuits (gnark's `groth16_vk.bin`) whose SNARKs count too. They prove nothing: for tests. */
  allowDevCircuits?: Uint8Array;
}

/** What a file says it is. */
export interface Described {
  kind: "stark" | "compressed" | "groth16" | "plonk" | "bundled";
  circuits: "release" | "development";
  circuitVersion: string;
  vkHash: string;
  /** For a statement that shares the proof of a bundle: where in it, from 0, and how many share it. */
  place?: { index: number; parts: number };
  /** Length of the engine's proof. */
  proofBytes: number;
  /** The public values, as `sextant verify --json` has them. */
  statement: Record<string, unknown>;
}

export interface Verified extends Described {
  /** Name of the network; null if it was given by its digest. */
  network: string | null;
  /** Whether the committee was compared with one that the caller trusts. */
  committeeRootCompared: boolean;
}

export interface Inspected extends Described {
  /** Whether it is by the program that this package accepts. */
  pinnedProgram: boolean;
}

export type Code =
  | "options" | "too-large" | "not-a-proof-file" | "damaged" | "malformed-record" | "unknown-program" | "other-build"
  | "circuit-version" | "development-circuits" | "unsupported-kind" | "public-values" | "other-predecessor" | "other-place"
  | "malformed-proof" | "other-kind" | "rejected" | "gave-up" | "other-network" | "other-committee" | "no-committee";

/** A file that is refused, or options that cannot be meant. */
export class SextantError extends Error {
  constructor(code: Code, message: string);
  readonly code: Code;
}

/** The module, loaded. One call at a time, each to its end; throws {@link SextantError}. */
export class Verifier {
  constructor(module: WebAssembly.Module);
  verify(file: Uint8Array | ArrayBuffer, options?: VerifyOptions): Verified;
  inspect(file: Uint8Array | ArrayBuffer): Inspected;
}

type Source = Uint8Array | ArrayBuffer | Response | WebAssembly.Module;

/** Loads the module: from beside this package, or from what is given. */
export function load(source?: Source | Promise<Source>): Promise<Verifier>;

/** Verifies a proof file with the package's module, which is loaded once. Rejects with {@link SextantError}. */
export function verify(file: Uint8Array | ArrayBuffer, options?: VerifyOptions): Promise<Verified>;

/** Says what a proof file says, without verifying it. */
export function inspect(file: Uint8Array | ArrayBuffer): Promise<Inspected>;
