// Real transactions: signed here, sent to the execution client's pool, executed in the next block.

import {Hardfork, Mainnet, createCustomCommon} from "@ethereumjs/common";
import {createFeeMarket1559Tx} from "@ethereumjs/tx";

import {CHAIN_ID, CONTRACT, SENDER_KEY, WATCHED_SLOT, word} from "./execution-genesis.js";
import {quantity} from "./json-rpc.js";

const GWEI = 1_000_000_000n;

// Writes to the watched slot of the contract, one transaction after the other.
export class Writer {
  #execution;
  #nonce = 0;
  #common = createCustomCommon({chainId: CHAIN_ID}, Mainnet, {hardfork: Hardfork.Prague});

  constructor(execution) {
    this.#execution = execution;
  }

  // Has the next block set the watched slot to `value`.
  async write(value) {
    const fields = {
      chainId: quantity(CHAIN_ID),
      nonce: quantity(this.#nonce),
      maxPriorityFeePerGas: quantity(GWEI),
      maxFeePerGas: quantity(20n * GWEI),
      gasLimit: quantity(100_000),
      to: CONTRACT,
      data: WATCHED_SLOT + word(value).slice(2),
    };
    const signed = createFeeMarket1559Tx(fields, {common: this.#common}).sign(SENDER_KEY);
    await this.#execution.call("eth_sendRawTransaction", `0x${Buffer.from(signed.serialize()).toString("hex")}`);
    this.#nonce += 1;
  }
}
