// Where proofs are verified: apart from the page, which the module would block for seconds.

import { SextantError, load } from "../verifier/index.js";

const started = performance.now();
const loading = load();
loading.catch(() => {});
let loadMs;

self.onmessage = async ({ data: { file, options } }) => {
  const answer = {};
  try {
    const verifier = await loading;
    loadMs ??= performance.now() - started;
    answer.said = attempt(() => verifier.inspect(file));
    if (answer.said.value) {
      // A chain without a name is known by its digest, which the file says where the reader leaves it to the file.
      const chain = options.network ? { network: options.network } : { chainDigest: answer.said.value.statement.chain_digest };
      const begun = performance.now();
      answer.verdict = attempt(() => verifier.verify(file, { ...options, network: undefined, ...chain }));
      answer.ms = performance.now() - begun;
    } else {
      answer.verdict = answer.said;
    }
    answer.loadMs = loadMs;
  } catch (error) {
    answer.broken = String(error);
  }
  self.postMessage(answer);
};

function attempt(run) {
  try {
    return { value: run() };
  } catch (error) {
    if (!(error instanceof SextantError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}
