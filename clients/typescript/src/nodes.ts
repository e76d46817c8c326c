// Fetches what statements are made of from nodes: the beacon API and the execution client's JSON-RPC. Nodes are not trusted:
// what they answer is proven, or refused.

import { type Hex, hexBytes, joined } from "./bytes.js";
import { type Chain, periodAt } from "./chain.js";
import { StatementError } from "./errors.js";
import { at, has, type Json, listAt, numberAt } from "./json.js";
import type { StatementInput } from "./requests.js";
import * as statements from "./statements.js";

const MAX_ANSWER = 64 << 20;
const MAX_UPDATES = 128n;
const LIGHT = "/eth/v1/beacon/light_client";

/** Where a statement begins. */
interface From {
  /** URL of a beacon node. */
  beacon: string;
  /** Root of a beacon block that you trust: `0x` and 64 digits. */
  checkpoint: string;
  /** Milliseconds for each answer; 20 s by default. */
  timeout?: number;
  signal?: AbortSignal;
}

/** What committees are asked for. */
export interface CommitteeChangeSource extends From {
  /** Period of the last committee to learn; by default as far as is final. */
  to?: bigint | number;
}

/** Which accounts are asked for. */
export interface InclusionSource extends From {
  /** URL of an execution node's JSON-RPC. */
  rpc: string;
  /** Accounts by address, each with its slots. */
  accounts: Record<Hex, (bigint | number | Hex)[]>;
}

/** The handovers since the checkpoint's committee. Rejects with {@link StatementError}. */
export async function committeeChange(chain: Chain, source: CommitteeChangeSource): Promise<StatementInput> {
  const { checkpoint } = source;
  const beacon = new Node(source.beacon, source);
  const bootstrap = await beacon.bootstrap(checkpoint);
  const first = slotPeriod(chain, at(bootstrap, "header"));
  const to = source.to ?? slotPeriod(chain, at(await beacon.finality(), "finalized_header")) + 1n;
  const updates = await beacon.updates(first, BigInt(to) - first);
  return statements.committeeChange(chain, { bootstrap, updates, checkpoint });
}

/**
 * Accounts and slots in the latest finalized state. Where the checkpoint's period is over, the proof begins with the handovers
 * since then. Rejects with {@link StatementError}.
 */
export async function inclusion(chain: Chain, source: InclusionSource): Promise<StatementInput> {
  const { checkpoint } = source;
  const beacon = new Node(source.beacon, source);
  const rpc = new Node(source.rpc, source);
  const bootstrap = await beacon.bootstrap(checkpoint);
  const finalityUpdate = await beacon.finality();
  const first = slotPeriod(chain, at(bootstrap, "header"));
  const signer = periodAt(chain, numberAt(finalityUpdate, ["signature_slot"]));
  const updates = await beacon.updates(first, signer - first);
  const finalized = at(finalityUpdate, "finalized_header");
  if (!has(finalized, "execution")) {
    throw new StatementError("the finalized header names no execution block number: before Capella, or since Gloas");
  }
  const block = `0x${numberAt(finalized, ["execution", "block_number"]).toString(16)}`;
  const accounts = [];
  for (const [address, slots] of Object.entries(source.accounts)) {
    const keys = slots.map((slot) => `0x${BigInt(slot).toString(16)}`);
    accounts.push(await rpc.call("eth_getProof", [address, keys, block]));
  }
  return statements.inclusion(chain, { bootstrap, finalityUpdate, accounts, updates, checkpoint });
}

function slotPeriod(chain: Chain, header: Json): bigint {
  return periodAt(chain, numberAt(header, ["beacon", "slot"]));
}

class Node {
  readonly #url: string;
  readonly #timeout: number;
  readonly #signal: AbortSignal | undefined;

  constructor(url: string, { timeout = 20_000, signal }: From) {
    if (!/^https?:/.test(url)) throw new StatementError(`${url}: not an http(s) URL`);
    this.#url = url.replace(/\/+$/, "");
    this.#timeout = timeout;
    this.#signal = signal;
  }

  /** The bootstrap of a trusted block. */
  async bootstrap(checkpoint: string): Promise<Json> {
    hexBytes(checkpoint, 32);
    return at(await this.#get(`${LIGHT}/bootstrap/${checkpoint}`), "data");
  }

  async finality(): Promise<Json> {
    return at(await this.#get(`${LIGHT}/finality_update`), "data");
  }

  /** The best updates of so many periods; what a node sends beyond is left out. */
  async updates(first: bigint, count: bigint): Promise<Json[]> {
    const found: Json[] = [];
    for (let start = first; start < first + count; start = first + BigInt(found.length)) {
      const left = first + count - start;
      const due = left < MAX_UPDATES ? left : MAX_UPDATES;
      const answer = await this.#get(`${LIGHT}/updates?start_period=${start}&count=${due}`);
      const updates = listAt({ updates: answer }, "updates").slice(0, Number(due));
      if (updates.length === 0) throw new StatementError(`${this.#url}: no update of period ${start}`);
      found.push(...updates.map((update) => at(update, "data")));
    }
    return found;
  }

  /** The result of a JSON-RPC call. */
  async call(method: string, params: Json[]): Promise<Json> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = { "content-type": "application/json" };
    const answer = await this.#answer(this.#url, { method: "POST", headers, body });
    const result = has(answer, "result") ? at(answer, "result") : null;
    if (result !== null) return result;
    const error = has(answer, "error") ? JSON.stringify(at(answer, "error")) : "no result";
    throw new StatementError(`${this.#url}: ${method}: ${error}`);
  }

  #get(path: string): Promise<Json> {
    return this.#answer(this.#url + path, { headers: { accept: "application/json" } });
  }

  async #answer(url: string, request: RequestInit): Promise<Json> {
    this.#signal?.throwIfAborted();
    const late = AbortSignal.timeout(this.#timeout);
    const signal = this.#signal ? AbortSignal.any([late, this.#signal]) : late;
    try {
      const response = await fetch(url, { ...request, signal });
      const text = new TextDecoder().decode(await body(response));
      if (!response.ok) throw new StatementError(`status ${response.status}: ${text.slice(0, 200)}`);
      return JSON.parse(text);
    } catch (error) {
      this.#signal?.throwIfAborted();
      // What node's fetch says by itself is "fetch failed".
      const reason = error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
      throw new StatementError(`${url}: ${(reason as Error).message}`, { cause: error });
    }
  }
}

/** The bytes of an answer, of which only so many are taken. */
async function body(response: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || value === undefined) return joined(pieces);
    length += value.length;
    if (length > MAX_ANSWER) {
      await reader?.cancel();
      throw new StatementError(`an answer of over ${MAX_ANSWER} bytes`);
    }
    pieces.push(value);
  }
}
