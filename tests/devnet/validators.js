// The validators, all of them ours, and their signatures.

import {SecretKey} from "@chainsafe/blst";
import {interopSecretKeys} from "@lodestar/state-transition";

// Order of the groups of BLS12-381.
const ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

export class Validators {
  #scalars;

  constructor(count) {
    // The keys that every client's local networks use (eth2.0-pm, interop/mocked_start).
    this.keys = interopSecretKeys(count);
    this.#scalars = this.keys.map((key) => BigInt(`0x${Buffer.from(key.toBytes()).toString("hex")}`));
  }

  // One validator's signature of a root.
  sign(index, root) {
    return this.keys[index].sign(root).toBytes();
  }

  // The aggregate of many validators' signatures of the same root, where a validator may stand several times: it is the
  // signature by the sum of their keys.
  signTogether(indices, root) {
    if (indices.length === 0) return Uint8Array.from([0xc0, ...new Array(95).fill(0)]); // the point at infinity
    let sum = 0n;
    for (const index of indices) sum += this.#scalars[index];
    const key = SecretKey.fromBytes(Buffer.from((sum % ORDER).toString(16).padStart(64, "0"), "hex"));
    return key.sign(root).toBytes();
  }
}
