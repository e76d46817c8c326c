// Execution payloads over the engine API: what a beacon node asks of its execution client for each block.

import {fromHex, toHex} from "@lodestar/utils";

import {quantity} from "./json-rpc.js";

const FEE_RECIPIENT = `0x${"00".repeat(19)}fe`;

// Has the execution client build a payload on top of `hashes.head`, and check it as if another had built it. `hashes`:
// the execution blocks that are head, safe and finalized; `attributes`: what the beacon chain prescribes.
export async function buildPayload(engine, hashes, attributes) {
  const {timestamp, prevRandao, withdrawals, parentBeaconBlockRoot} = attributes;
  const begun = await engine("engine_forkchoiceUpdatedV3", forkchoice(hashes), {
    timestamp: quantity(timestamp),
    prevRandao: toHex(prevRandao),
    suggestedFeeRecipient: FEE_RECIPIENT,
    withdrawals: withdrawals.map((withdrawal) => ({
      index: quantity(withdrawal.index),
      validatorIndex: quantity(withdrawal.validatorIndex),
      address: toHex(withdrawal.address),
      amount: quantity(withdrawal.amount),
    })),
    parentBeaconBlockRoot: toHex(parentBeaconBlockRoot),
  });
  valid("engine_forkchoiceUpdatedV3", begun.payloadStatus);
  const built = await engine("engine_getPayloadV4", begun.payloadId);
  const requests = built.executionRequests ?? [];
  if (requests.length > 0) throw new Error("the execution client has requests, and nothing here asks for any");
  const checked = await engine("engine_newPayloadV4", built.executionPayload, [], toHex(parentBeaconBlockRoot), requests);
  valid("engine_newPayloadV4", checked);
  return fromJson(built.executionPayload);
}

// Tells the execution client which blocks are head, safe and finalized.
export async function setHead(engine, hashes) {
  valid("engine_forkchoiceUpdatedV3", (await engine("engine_forkchoiceUpdatedV3", forkchoice(hashes), null)).payloadStatus);
}

function forkchoice({head, safe, finalized}) {
  return {headBlockHash: toHex(head), safeBlockHash: toHex(safe), finalizedBlockHash: toHex(finalized)};
}

function valid(method, {status, validationError}) {
  if (status !== "VALID") throw new Error(`${method}: ${status} ${validationError ?? ""}`);
}

function fromJson(payload) {
  return {
    parentHash: fromHex(payload.parentHash),
    feeRecipient: fromHex(payload.feeRecipient),
    stateRoot: fromHex(payload.stateRoot),
    receiptsRoot: fromHex(payload.receiptsRoot),
    logsBloom: fromHex(payload.logsBloom),
    prevRandao: fromHex(payload.prevRandao),
    blockNumber: Number(payload.blockNumber),
    gasLimit: Number(payload.gasLimit),
    gasUsed: Number(payload.gasUsed),
    timestamp: Number(payload.timestamp),
    extraData: fromHex(payload.extraData),
    baseFeePerGas: BigInt(payload.baseFeePerGas),
    blockHash: fromHex(payload.blockHash),
    transactions: payload.transactions.map(fromHex),
    withdrawals: payload.withdrawals.map((withdrawal) => ({
      index: Number(withdrawal.index),
      validatorIndex: Number(withdrawal.validatorIndex),
      address: fromHex(withdrawal.address),
      amount: BigInt(withdrawal.amount),
    })),
    blobGasUsed: BigInt(payload.blobGasUsed),
    excessBlobGas: BigInt(payload.excessBlobGas),
  };
}
