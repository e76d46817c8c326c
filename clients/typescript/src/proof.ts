// Proof records and proof files: section 8 of docs/protocol.md.

import { concat, equal, type Hex, sha256 } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { decodePublicValues, type Statement } from "./public-values.js";
import { KIND, MAX_RECORD, PROGRAM, type Program, type ProofKind } from "./requests.js";
import { BYTES, HASH, Reader, TEXT, U32 } from "./wire.js";

const MAGIC = concat(new TextEncoder().encode("SXTPROOF"), Uint8Array.of(0, 1));

/** What a proof record has in it. */
export interface ProofFields {
  /** The number of a program that this version does not know. */
  program: Program | number;
  kind: ProofKind;
  developmentCircuits: boolean;
  circuitVersion: string;
  vkHash: Hex;
  publicValues: Uint8Array;
  proof: Uint8Array;
}

/** A proof with all that says what it is of. None of it is to be believed before it is verified. */
export class ProofRecord implements ProofFields {
  readonly program: Program | number;
  readonly kind: ProofKind;
  readonly developmentCircuits: boolean;
  readonly circuitVersion: string;
  readonly vkHash: Hex;
  readonly publicValues: Uint8Array;
  readonly proof: Uint8Array;

  constructor(fields: ProofFields) {
    this.program = fields.program;
    this.kind = fields.kind;
    this.developmentCircuits = fields.developmentCircuits;
    this.circuitVersion = fields.circuitVersion;
    this.vkHash = fields.vkHash;
    this.publicValues = fields.publicValues;
    this.proof = fields.proof;
  }

  /** What the proof says. Throws {@link MalformedError} where the public values are none. */
  get statement(): Statement {
    return decodePublicValues(this.program, this.publicValues);
  }

  /** The record's bytes. */
  encode(): Uint8Array<ArrayBuffer> {
    return concat(
      PROGRAM.write(this.program),
      KIND.write(this.kind),
      U32.write(this.developmentCircuits ? 1 : 0),
      TEXT.write(this.circuitVersion),
      HASH.write(this.vkHash),
      BYTES.write(this.publicValues),
      BYTES.write(this.proof),
    );
  }

  /** The record of these bytes, all of them. Throws {@link MalformedError}. */
  static decode(data: Uint8Array): ProofRecord {
    const reader = new Reader(data);
    const program = PROGRAM.read(reader);
    const kind = KIND.read(reader);
    if (kind === undefined) throw new MalformedError("proof record: of a kind that this version does not know");
    const circuits = U32.read(reader);
    if (circuits > 1) throw new MalformedError(`proof record: circuits ${circuits}`);
    const record = new ProofRecord({
      program,
      kind,
      developmentCircuits: circuits === 1,
      circuitVersion: TEXT.read(reader),
      vkHash: HASH.read(reader),
      publicValues: BYTES.read(reader),
      proof: BYTES.read(reader),
    });
    if (reader.left > 0) throw new MalformedError(`proof record: ${reader.left} bytes left over`);
    return record;
  }

  /** A proof file's bytes, which `sextant verify` takes too, and `@sextant/verifier`. */
  async toFileBytes(): Promise<Uint8Array<ArrayBuffer>> {
    const content = concat(MAGIC, this.encode());
    return concat(content, await sha256(content));
  }

  /** The record in a proof file. Rejects with {@link MalformedError} where it is damaged, or no proof file. */
  static async fromFileBytes(data: Uint8Array): Promise<ProofRecord> {
    if (!equal(data.subarray(0, 8), MAGIC.subarray(0, 8))) throw new MalformedError("this is no proof file");
    if (!equal(data.subarray(8, 10), MAGIC.subarray(8))) throw new MalformedError("a proof file of another format version");
    if (data.length > MAGIC.length + MAX_RECORD + 32) throw new MalformedError("the proof file is larger than any record");
    const content = data.subarray(0, -32);
    if (!equal(await sha256(content), data.subarray(-32))) {
      throw new MalformedError("the proof file is damaged: its checksum does not match");
    }
    return ProofRecord.decode(content.subarray(MAGIC.length));
  }
}
