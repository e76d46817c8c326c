// A proof from a server, whatever happens on the way: a job goes on while nobody is connected, and a server that has
// forgotten it is asked anew.

import { Problem, Unreachable } from "./gateway.js";

/** Pauses between tries to reach a server that was lost, milliseconds. */
const PAUSES = [500, 1000, 2000, 4000, 8000];

/** Refusals that are about the moment, not about the job. */
const LATER = new Set(["Busy", "ShuttingDown"]);

/**
 * Has a proof made, and gives it with what the server says of it. Throws `Problem` where the server refuses for good.
 * @param {import("./gateway.js").Gateway} gateway
 * @param {{program?: string, kind?: string, input?: Uint8Array, id?: string}} wanted an input, or the id of a job that was
 *   handed in before
 * @param {{job(id: string): void, step(step: object): void, lost(reason: string, again: number): void}} tell
 * @param {AbortSignal} signal
 */
export async function prove(gateway, wanted, tell, signal) {
  let { id } = wanted;
  let tries = 0;
  for (;;) {
    try {
      if (!id) {
        id = await gateway.submit(wanted.program, wanted.kind, wanted.input, signal);
        tell.job(id);
      }
      const job = await watch(gateway, id, (step) => {
        tries = 0;
        tell.step(step);
      }, signal);
      return { job, file: await gateway.proof(id, signal) };
    } catch (error) {
      signal.throwIfAborted();
      const forgotten = error.code === "UnknownJob" && wanted.input;
      if (forgotten) id = undefined;
      else if (!(error instanceof Unreachable) && !LATER.has(error.code)) throw error;
      const pause = Math.max(PAUSES[Math.min(tries, PAUSES.length - 1)], error.retryAfter ?? 0);
      tries += 1;
      tell.lost(forgotten ? "The server has forgotten the job. It is asked anew." : error.message, pause);
      await rest(pause, signal);
    }
  }
}

/** Follows a job to its end. */
async function watch(gateway, id, step, signal) {
  for await (const { event, data } of gateway.events(id, signal)) {
    if (event === "step") step(data);
    else if (event === "done") return data;
    else if (event === "failed") throw new Problem(data.error ?? data);
  }
  throw new Unreachable(gateway.address);
}

function rest(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
