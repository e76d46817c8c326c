// When blocks are made. The chain begins several sync committee periods before now and catches up with the clock: each
// period has some epochs with a block in every slot, then the validators sleep until the next. So a light client sees many
// finalized heads and a handover every minute or two, and no slot lies in the future.

import {SLOTS_PER_EPOCH} from "@lodestar/params";

import {SECONDS_PER_SLOT, SLOTS_PER_PERIOD} from "./chain-config.js";
import {pause} from "./execution-node.js";

// Genesis for a chain that has this many periods to catch up, Unix seconds.
export function genesisTimeFor(periodsBehind) {
  return Math.floor(Date.now() / 1000) - periodsBehind * SLOTS_PER_PERIOD * SECONDS_PER_SLOT;
}

// The slot by the clock.
export function slotNow(genesisTime) {
  return Math.floor((Date.now() / 1000 - genesisTime) / SECONDS_PER_SLOT);
}

export class Schedule {
  #chain;
  #writer;
  #settings;
  #genesisTime;

  constructor(chain, writer, settings, genesisTime) {
    this.#chain = chain;
    this.#writer = writer;
    this.#settings = settings;
    this.#genesisTime = genesisTime;
  }

  // Makes blocks as fast as it goes until one is final beside genesis.
  async untilFinality() {
    while (this.#chain.state.finalizedCheckpoint.epoch === 0) await this.#block(this.#chain.head.slot + 1);
  }

  // Goes on until `signal` is aborted; `onEpoch` is told of each first block of an epoch.
  async run(signal, onEpoch) {
    while (!signal.aborted) {
      const started = Date.now();
      const slot = await this.#nextSlot();
      if (slot === null) {
        await pause(200);
        continue;
      }
      if (slot > this.#chain.state.slot + 1) await this.#chain.leaveEmpty(slot - 1);
      await this.#block(slot);
      if (slot % SLOTS_PER_EPOCH === 0) onEpoch();
      await pause(Math.max(0, this.#settings.blockMillis - (Date.now() - started)));
    }
  }

  // The slot after the head while the validators are awake, and by the clock once that is reached; else the next period's
  // first slot. None: that slot is still to come.
  async #nextSlot() {
    const next = this.#chain.head.slot + 1;
    const now = slotNow(this.#genesisTime);
    const awake = next % SLOTS_PER_PERIOD < this.#settings.awakeEpochs * SLOTS_PER_EPOCH;
    const nextPeriod = Math.ceil(next / SLOTS_PER_PERIOD) * SLOTS_PER_PERIOD;
    if (awake || nextPeriod > now) return next <= now ? next : null;
    return nextPeriod;
  }

  async #block(slot) {
    const {transactionSlots} = this.#settings;
    // The slot is the value, so that whoever sees the value knows when it was written.
    if (slot % transactionSlots === 0) await this.#writer.write(slot);
    await this.#chain.produce(slot);
  }
}
