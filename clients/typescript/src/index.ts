// Sextant's client: succinct proofs about Ethereum from a proof server, over WebSocket.

export type { ProgramInfo, Progress, ProvingCost, ServerInfo, ServerLimits, Submitted } from "./answers.js";
export type { Hex } from "./bytes.js";
export { type Chain, chainDigest, HOODI, MAINNET, SEPOLIA } from "./chain.js";
export {
  Client,
  type ConnectOptions,
  type Proof,
  type ProveOptions,
  type RequestOptions,
  type SubmitOptions,
} from "./client.js";
export {
  ConnectionLostError,
  DeadlineError,
  ErrorCode,
  InputTooLargeError,
  InvalidProofError,
  MalformedError,
  ServerError,
  SextantError,
  StatementError,
  WrongProofError,
} from "./errors.js";
export * as nodes from "./nodes.js";
export { VK_HASHES } from "./pinned.js";
export { type ProofFields, ProofRecord } from "./proof.js";
export type {
  Account,
  Block,
  CommitteeChange,
  Head,
  Inclusion,
  Learned,
  Log,
  NoLog,
  Slot,
  Statement,
  Transaction,
} from "./public-values.js";
export { decodePublicValues } from "./public-values.js";
export { inputDigest, type Program, type ProofKind, type StatementInput } from "./requests.js";
export type { MakeSocket, Socket } from "./socket.js";
export * as statements from "./statements.js";
export type { Verifier, VerifierOptions } from "./verification.js";
