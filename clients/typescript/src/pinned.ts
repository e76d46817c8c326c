// The programs whose proofs this version takes, by the hashes of their verifying keys (artifacts/manifest.json).

import type { Hex } from "./bytes.js";
import type { Program, ProofKind } from "./requests.js";

export const VK_HASHES: Record<Program, Hex> = {
  "committee-change": "0x00aad550bd6344dc93eff15cbfd7831b81b0c14e7e3c7d0eb9413119cc7b7707",
  inclusion: "0x0039e655a2b617a0ffbec0beb1b137335b4d7bbb341d4c76ee9f82fdf4156ee7",
  bundle: "0x008b033474612aa864c570adabdbc899f50148ed0d9a32ac91cc7053b1ffead6",
  chain: "0x002d74596086a5eeba47b472d9f5174bbd96a46a7b365bbd02f5cc0052efd0d1",
};

/** That by which a proof of this kind is: the program's own, or of a place in a bundle that of the bundle program. */
export function vkHashOf(program: Program, kind: ProofKind): Hex {
  return VK_HASHES[kind === "bundled" ? "bundle" : program];
}
