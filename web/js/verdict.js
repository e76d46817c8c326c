// The verdict in words. What is decided was decided by the module; here is said what it is worth.

const OTHER_BUILD = new Set(["unknown-program", "other-build", "circuit-version"]);
const OTHER_CLAIM = new Set(["other-network", "other-committee"]);

/**
 * @param {{value?: object, error?: {code: string, message: string}}} verdict what the module answered
 * @param {{network?: string}} options what it was asked
 * @returns {{tone: "good"|"caution"|"bad"|"neutral", title: string, lines: string[]}}
 */
export function inWords(verdict, options) {
  return verdict.value ? valid(verdict.value, options) : refused(verdict.error);
}

function valid(proof, options) {
  const chain = proof.statement.network ?? `the chain with the digest ${proof.statement.chain_digest}`;
  const lines = [];
  if (!options.network) lines.push(`It is about ${chain}, as the file says. Whether that is the chain you mean was not compared.`);
  if (proof.circuits === "development") {
    return {
      tone: "caution",
      title: "Holds under development circuits, so it proves nothing",
      lines: ["Whoever took part in making these circuits can forge such proofs. They are for tests.", ...lines],
    };
  }
  if (!proof.committeeRootCompared) {
    lines.unshift("Anybody can make up a committee and prove things about it. Compare the root of the committee below with one that"
      + " you trust, or enter that one above.");
    return { tone: "caution", title: "Valid, but where it begins was not compared", lines };
  }
  lines.unshift(`It is about ${chain} and begins at the committee that you trust.`);
  return { tone: options.network ? "good" : "caution", title: "Valid", lines };
}

function refused({ code, message }) {
  const said = `${message[0].toUpperCase()}${message.slice(1)}.`;
  if (code === "options") return { tone: "neutral", title: "Not checked: what is to be compared is not clear", lines: [said] };
  if (code === "unsupported-kind") {
    return {
      tone: "neutral",
      title: "Not checked: nobody checks this kind of proof yet",
      lines: [
        "That is no verdict, neither good nor bad. STARKs, compressed and Groth16 proofs are checked. What the file says stands"
          + " below, taken at its word.",
      ],
    };
  }
  if (OTHER_CLAIM.has(code)) return { tone: "bad", title: "Valid, but not about what you asked for", lines: [said] };
  if (OTHER_BUILD.has(code)) return { tone: "bad", title: "Refused: by a program that this page does not know", lines: [said] };
  if (code === "development-circuits") return { tone: "bad", title: "Refused: by development circuits", lines: [said] };
  if (code === "not-a-proof-file") return { tone: "bad", title: "Not a proof file", lines: [said] };
  return { tone: "bad", title: "Not a valid proof", lines: [said] };
}
