// The execution block in a light client's header, with its proof.

import { concat, littleEndian } from "./bytes.js";
import { type Chain, Fork, forkAt } from "./chain.js";
import { StatementError } from "./errors.js";
import type { ExecutionFacts } from "./inputs.js";
import { at, bytesAt, has, hashesAt, type Json, numberAt } from "./json.js";
import { hashPair, levels, merkleRoot, multiproof, uint64Root } from "./merkle.js";

// Positions of state_root, block_number and block_hash in ExecutionPayloadHeader.
const FACT_FIELDS = [2, 6, 12];
// Depths of generalized indices: execution_payload in BeaconBlockBody, and the block hash since Gloas, Deneb and Capella.
const PAYLOAD_DEPTH = 4;
const HASH_DEPTHS = { gloas: 11, deneb: 9, capella: 8 };

/** Three facts with their multiproof; since Gloas the block hash alone; before Capella nothing. */
export async function executionFacts(chain: Chain, header: Json): Promise<ExecutionFacts> {
  const zero = new Uint8Array(32);
  const none = { blockNumber: 0n, blockHash: zero, stateRoot: zero, proof: [], blockHeader: new Uint8Array() };
  const fork = forkAt(chain, numberAt(header, ["beacon", "slot"]));
  if (fork < Fork.Capella) return none;
  const branch = hashesAt(header, "execution_branch");
  if (has(header, "execution_block_hash")) {
    const depth = fork === Fork.Capella ? HASH_DEPTHS.capella : fork >= Fork.Gloas ? HASH_DEPTHS.gloas : HASH_DEPTHS.deneb;
    if (branch.length < depth) throw wrongDepth(branch, depth);
    // A header of an earlier fork in Gloas' form has zeros in front of its branch.
    return { ...none, blockHash: bytesAt(header, ["execution_block_hash"], 32), proof: branch.slice(branch.length - depth) };
  }
  const [lowest, second, third, highest] = branch;
  if (branch.length !== PAYLOAD_DEPTH || !lowest || !second || !third || !highest) throw wrongDepth(branch, PAYLOAD_DEPTH);
  const execution = at(header, "execution");
  // The payload is position 9 of 16 in the body, 0b1001. From left to right the siblings on its left come first, the
  // outermost before the others, then the payload, then those on its right.
  const inner = multiproof(await levels(await payloadFields(execution, fork)), FACT_FIELDS);
  return {
    ...none,
    blockNumber: numberAt(execution, ["block_number"]),
    blockHash: bytesAt(execution, ["block_hash"], 32),
    stateRoot: bytesAt(execution, ["state_root"], 32),
    proof: [highest, lowest, ...inner, second, third],
  };
}

function wrongDepth(branch: Uint8Array[], due: number): StatementError {
  return new StatementError(`execution_branch has ${branch.length} hashes, ${due} are due`);
}

/** Roots of `ExecutionPayloadHeader`'s fields. */
async function payloadFields(execution: Json, fork: number): Promise<Uint8Array[]> {
  const root = (name: string) => bytesAt(execution, [name], 32);
  const number = (name: string) => uint64Root(numberAt(execution, [name]));
  const bloom = bytesAt(execution, ["logs_bloom"], 256);
  const extra = bytesAt(execution, ["extra_data"]);
  if (extra.length > 32) throw new StatementError("extra_data of more than 32 bytes");
  const fields = [
    root("parent_hash"),
    concat(bytesAt(execution, ["fee_recipient"], 20), new Uint8Array(12)),
    root("state_root"),
    root("receipts_root"),
    await merkleRoot(Array.from({ length: 8 }, (_, at) => bloom.subarray(32 * at, 32 * at + 32))),
    root("prev_randao"),
    number("block_number"),
    number("gas_limit"),
    number("gas_used"),
    number("timestamp"),
    await hashPair(concat(extra, new Uint8Array(32 - extra.length)), uint64Root(BigInt(extra.length))),
    littleEndian(numberAt(execution, ["base_fee_per_gas"], 256), 32),
    root("block_hash"),
    root("transactions_root"),
    root("withdrawals_root"),
  ];
  return fork >= Fork.Deneb ? [...fields, number("blob_gas_used"), number("excess_blob_gas")] : fields;
}
