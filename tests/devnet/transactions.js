// Real transactions: signed here, sent to the execution client's pool, executed in the next block.

import {Hardfork, Mainnet, createCustomCommon} from "@ethereumjs/common";
import {createAccessList2930Tx, createFeeMarket1559Tx, createLegacyTx} from "@ethereumjs/tx";

import {CHAIN_ID, CONTRACT, EMITTER, SENDER_KEY, WATCHED_SLOT, word} from "./execution-genesis.js";
import {quantity} from "./json-rpc.js";

const GWEI = 1_000_000_000n;
const GAS_LIMIT = quantity(200_000);
const PRICE = {gasPrice: quantity(20n * GWEI)};
const FEES = {maxPriorityFeePerGas: quantity(GWEI), maxFeePerGas: quantity(20n * GWEI)};
// The first topic of all logs.
const EVENT = word(0xe7e27);
// More than public values show of a log's data.
const LONG = 1_100;

// Transactions of the rich account, one after the other.
export class Writer {
  #execution;
  #nonce = 0;
  #common = createCustomCommon({chainId: CHAIN_ID}, Mainnet, {hardfork: Hardfork.Prague});

  constructor(execution) {
    this.#execution = execution;
  }

  // Has the next block set the watched slot to `value`, and log it: by transactions of each type that the client's pool
  // takes (it knows no EIP-7702, and those with blobs need a trusted setup). One of them fails.
  async write(value) {
    const chainId = quantity(CHAIN_ID);
    const accessList = [{address: EMITTER, storageKeys: []}];
    const told = (data) => EVENT + word(value).slice(2) + data;
    await this.#send(createFeeMarket1559Tx, {...FEES, chainId, to: CONTRACT, data: WATCHED_SLOT + word(value).slice(2)});
    await this.#send(createFeeMarket1559Tx, {...FEES, chainId, accessList, to: EMITTER, data: told("")});
    await this.#send(createLegacyTx, {...PRICE, to: EMITTER, data: told("5e97a7")});
    await this.#send(createLegacyTx, {...PRICE, to: EMITTER, data: EVENT});
    await this.#send(createAccessList2930Tx, {...PRICE, chainId, accessList, to: EMITTER, data: told("5e".repeat(LONG))});
  }

  async #send(create, fields) {
    const signed = create({gasLimit: GAS_LIMIT, nonce: quantity(this.#nonce), ...fields}, {common: this.#common}).sign(SENDER_KEY);
    await this.#execution.call("eth_sendRawTransaction", `0x${Buffer.from(signed.serialize()).toString("hex")}`);
    this.#nonce += 1;
  }
}
