// Sextant's client: succinct proofs about Ethereum from a proof server, over WebSocket.

export type { ProgramInfo, Progress, ProvingCost, ServerInfo, ServerLimits, Submitted } from "./answers.js";
export type { Hex } from "./bytes.js";
export { type Chain, chainDigest, HOODI, MAINNET, SEPOLIA } from "./chain.js";
export { Client } from "./client.js";
export {
  BundlingError,
  ConnectionLostError,
  DeadlineError,
  ErrorCode,
  InputTooLargeError,
  InvalidProofError,
  MalformedError,
  NotOfferedError,
  ServerError,
  SextantError,
  StatementError,
  WrongProofError,
} from "./errors.js";
export * as nodes from "./nodes.js";
export type { ConnectOptions, Proof, ProveOptions, RequestOptions, SubmitOptions } from "./options.js";
export { VK_HASHES } from "./pinned.js";
export { type ProofFields, ProofRecord } from "./proof.js";
export type {
  Account,
  Block,
  Bundle,
  Bundled,
  CommitteeChain,
  CommitteeChange,
  Head,
  Inclusion,
  InputStatement,
  Learned,
  Log,
  NoLog,
  Slot,
  Statement,
  Transaction,
} from "./public-values.js";
export { decodePublicValues } from "./public-values.js";
export { type InputProgram, inputDigest, type Program, type ProofKind, type StatementInput } from "./requests.js";
export type { MakeSocket, Socket } from "./socket.js";
export * as statements from "./statements.js";
export type { Verifier, VerifierOptions } from "./verification.js";
