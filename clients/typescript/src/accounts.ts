// Accounts and slots, as `eth_getProof` (EIP-1186) answers them.

import { hexBytes, toHex } from "./bytes.js";
import { StatementError } from "./errors.js";
import type { AccountProof } from "./inputs.js";
import { bytesAt, type Json, listAt, text, textAt } from "./json.js";

/** Accounts in the order of their addresses, and the trie nodes that they are proven by, each once. */
export function accountProofs(answers: Json[]): { nodes: Uint8Array[]; accounts: AccountProof[] } {
  const nodes: Uint8Array[] = [];
  const places = new Map<string, number>();

  function path(list: Json[]): number[] {
    // Some nodes prove an empty trie by the empty string's RLP; its root already says so. And trie nodes of less than
    // 32 bytes stand inside their parent, though some servers list them again.
    const whole = list.map((node) => hexBytes(text(node, "proof")));
    const own = whole.filter((node, depth) => node.length >= 32 || (depth === 0 && toHex(node) !== "0x80"));
    return own.map((node) => {
      const name = toHex(node);
      const known = places.get(name);
      if (known !== undefined) return known;
      places.set(name, nodes.length);
      return nodes.push(node) - 1;
    });
  }

  // In the order in which they come, slots before their account: so are the nodes.
  const accounts = answers.map((answer) => {
    const slots = listAt(answer, "storageProof").map((slot) => ({
      key: slotKey(textAt(slot, "key")),
      path: path(listAt(slot, "proof")),
    }));
    return {
      address: bytesAt(answer, ["address"], 20),
      path: path(listAt(answer, "accountProof")),
      slots: ordered(slots, (slot) => slot.key, "slot"),
    };
  });
  return { nodes, accounts: ordered(accounts, (account) => account.address, "account") };
}

/** By their names, each once. */
function ordered<T>(all: T[], name: (one: T) => Uint8Array, what: string): T[] {
  const named = all.map((one) => ({ one, name: toHex(name(one)) })).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const [at, { name }] of named.entries()) {
    if (name === named[at + 1]?.name) throw new StatementError(`${what} ${name} is asked for twice`);
  }
  return named.map(({ one }) => one);
}

/** A slot's key: nodes answer with all 32 bytes, or as a number without leading zeros. */
function slotKey(key: string): Uint8Array {
  const digits = key.startsWith("0x") ? key.slice(2) : key;
  return hexBytes(`0x${digits.padStart(64, "0")}`, 32);
}
