// Lodestar's own light-client server, with maps for a database.

import {ssz} from "@lodestar/types";
import {toHex} from "@lodestar/utils";

// By path, since the package does not export it.
import {LightClientServer} from "./node_modules/@lodestar/beacon-node/lib/chain/lightClient/index.js";

// What the server wants of a database table.
class Table {
  #rows = new Map();
  #type;

  // `type`: SSZ type of the rows that come as bytes.
  constructor(type) {
    this.#type = type;
  }

  #key = (key) => (typeof key === "number" ? key : toHex(key));
  get = async (key) => this.#rows.get(this.#key(key)) ?? null;
  has = async (key) => this.#rows.has(this.#key(key));
  put = async (key, row) => void this.#rows.set(this.#key(key), row);
  putBinary = async (key, bytes) => this.put(key, this.#type.deserialize(bytes));
  batchDelete = async (keys) => keys.forEach((key) => this.#rows.delete(this.#key(key)));
}

// The server, and its best update of a period. `onError` is told of what it could not do.
export function lightClientServer(config, currentSlot, onError) {
  const db = {
    syncCommitteeWitness: new Table(),
    syncCommittee: new Table(ssz.altair.SyncCommittee),
    checkpointHeader: new Table(),
    bestLightClientUpdate: new Table(),
  };
  const modules = {
    config,
    db,
    clock: {
      get currentSlot() {
        return currentSlot();
      },
    },
    metrics: null,
    emitter: {emit() {}},
    logger: {debug() {}, error: (message, _context, error) => onError(new Error(message, {cause: error}))},
    signal: new AbortController().signal,
  };
  const server = new LightClientServer({}, modules);
  return {
    importBlock: (block, postState, parentSlot) => server.onImportBlockHead(block, postState, parentSlot),
    bootstrap: (root) => server.getBootstrap(root),
    bestUpdate: (period) => db.bestLightClientUpdate.get(period),
    finalityUpdate: () => server.getFinalityUpdate(),
    optimisticUpdate: () => server.getOptimisticUpdate(),
  };
}
