// What is known of chains by name, for words alone: nothing here decides about a proof.

// `MIN_GENESIS_TIME` and `GENESIS_DELAY` of each network's configuration, as its genesis came out.
const GENESIS = { mainnet: 1_606_824_023, sepolia: 1_655_733_600, holesky: 1_695_902_400, hoodi: 1_742_213_400 };
const SECONDS_PER_SLOT = 12;

/** Seats of a committee on those chains. */
export const SEATS = 512;

/** Whether something is known of it. */
export const isKnown = (network) => Object.hasOwn(GENESIS, network ?? "");

/** When a slot began, in seconds since 1970; nothing for a chain that is not known. */
export function timeOf(network, slot) {
  return isKnown(network) ? GENESIS[network] + slot * SECONDS_PER_SLOT : undefined;
}
