// The worker that verifies, and what is asked of it: one file at a time. A newer file ends what is being done with an older
// one, at once, by ending the worker.

let worker;
let waiting;

/** Starts loading the module, so that it is there when the first file comes. */
export function prepare() {
  worker ??= new Worker(new URL("./verifier-worker.js", import.meta.url), { type: "module" });
}

/**
 * What a file says and whether it holds. Rejects with `AbortError` when a newer file comes.
 * @param {Uint8Array} file
 * @param {{network?: string, committeeRoot?: string, allowDevCircuits?: Uint8Array}} options
 * @returns {Promise<{said: object, verdict: object, ms: number, loadMs: number}>}
 */
export function check(file, options) {
  if (waiting) {
    end();
    waiting(new DOMException("a newer file came", "AbortError"));
  }
  prepare();
  const used = worker;
  return new Promise((resolve, reject) => {
    const settle = (error, answer) => {
      waiting = undefined;
      if (error) reject(error);
      else resolve(answer);
    };
    waiting = settle;
    used.onmessage = ({ data }) => {
      if (!data.broken) return settle(undefined, data);
      end();
      settle(new Error(data.broken));
    };
    used.onerror = (event) => {
      end();
      settle(new Error(event.message || "the verifier did not load"));
    };
    used.postMessage({ file, options });
  });
}

function end() {
  worker?.terminate();
  worker = undefined;
}
