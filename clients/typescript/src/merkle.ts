// SHA-256 Merkle trees, as SSZ makes them (ssz/simple-serialize.md and ssz/merkle-proofs.md of the specification).

import { concat, littleEndian, sha256 } from "./bytes.js";

const ZERO = new Uint8Array(32);

/** The node above two. */
export function hashPair(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return sha256(concat(left, right));
}

/** Filled up with zeros to a power of two. */
export function padded(leaves: Uint8Array[]): Uint8Array[] {
  let size = 1;
  while (size < leaves.length) size *= 2;
  return [...leaves, ...Array<Uint8Array>(size - leaves.length).fill(ZERO)];
}

/** Every level of the tree over `leaves` and zeros up to a power of two, the lowest first. */
export async function levels(leaves: Uint8Array[]): Promise<Uint8Array[][]> {
  const found = [padded(leaves)];
  for (;;) {
    const below = found.at(-1) as Uint8Array[];
    if (below.length === 1) return found;
    const pairs = below.filter((_, at) => at % 2 === 0).map((left, at) => hashPair(left, below[2 * at + 1] as Uint8Array));
    found.push(await Promise.all(pairs));
  }
}

/** Root over `leaves`, filled up with zeros: `hash_tree_root` of a container of these fields. */
export async function merkleRoot(leaves: Uint8Array[]): Promise<Uint8Array> {
  return top(await levels(leaves));
}

/** The root of a tree. */
export function top(tree: Uint8Array[][]): Uint8Array {
  return tree.at(-1)?.[0] ?? ZERO;
}

/** Where a branch leads from the leaf at a generalized index. */
export async function branchRoot(leaf: Uint8Array, siblings: Uint8Array[], gindex: number): Promise<Uint8Array> {
  let node = leaf;
  for (const [height, sibling] of siblings.entries()) {
    node = await ((gindex >> height) & 1 ? hashPair(sibling, node) : hashPair(node, sibling));
  }
  return node;
}

/**
 * What is needed besides the leaves at `positions` to compute the root of a tree, from left to right.
 */
export function multiproof(tree: Uint8Array[][], positions: number[]): Uint8Array[] {
  const wanted = tree.map((level, height) => {
    const touched = new Set(positions.map((position) => position >> height));
    return level.map((_, at) => touched.has(at));
  });
  // From the root down: a node without a wanted leaf stands for all below it, a wanted leaf for itself.
  const walk = (height: number, at: number): Uint8Array[] => {
    if (!wanted[height]?.[at]) return [tree[height]?.[at] as Uint8Array];
    return height === 0 ? [] : [...walk(height - 1, 2 * at), ...walk(height - 1, 2 * at + 1)];
  };
  return walk(tree.length - 1, 0);
}

/** `hash_tree_root` of a `uint64`. */
export function uint64Root(value: bigint): Uint8Array {
  return concat(littleEndian(value, 8), new Uint8Array(24));
}
