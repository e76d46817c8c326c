// The command line.

import {parseArgs} from "node:util";

const OPTIONS = {
  "block-ms": {default: 400, about: "milliseconds between two blocks, once the network is ready"},
  "awake-epochs": {default: 6, about: "epochs of each period with a block in every slot, at least 4; the others stay empty"},
  "periods-behind": {default: 8, about: "sync committee periods to live through before the chain has caught up with the clock"},
  "earlier-blocks": {default: 0, about: "execution blocks from before the beacon chain, of which it makes some 15 a second"},
  "fulu-epoch": {default: 256, about: "epoch of the fork from Electra to Fulu, at least 1"},
  validators: {default: 64, about: "how many share the 512 seats of a sync committee, at least 32"},
  "transaction-slots": {default: 8, about: "slots between two transactions"},
};

// What `node devnet.js --help` prints.
function help() {
  const lines = Object.entries(OPTIONS).map(([name, o]) => `  --${name} N`.padEnd(26) + `${o.about} [${o.default}]`);
  return [
    "Starts a beacon chain and an execution client on free loopback ports, prints one line of JSON when they are ready,",
    "and ends them on SIGTERM, SIGINT, or when its parent process is gone.",
    "",
    ...lines,
    "  --hints                 also print, to standard error, how to follow this network with sextant",
    "  --verbose               log every epoch to standard error",
  ].join("\n");
}

// The settings that the arguments give, with the defaults for the rest.
export function readSettings(args) {
  const texts = Object.fromEntries(Object.keys(OPTIONS).map((name) => [name, {type: "string"}]));
  const flags = Object.fromEntries(["hints", "verbose", "help"].map((name) => [name, {type: "boolean", default: false}]));
  const {values} = parseArgs({args, options: {...texts, ...flags}});
  if (values.help) {
    console.log(help());
    process.exit(0);
  }
  const number = (name, least, most) => {
    const value = Number(values[name] ?? OPTIONS[name].default);
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new Error(`--${name} must be a whole number from ${least} to ${most}`);
    }
    return value;
  };
  return {
    blockMillis: number("block-ms", 0, 60_000),
    awakeEpochs: number("awake-epochs", 4, 250),
    // More would make the first checkpoint older than the 14 days that Sextant accepts.
    periodsBehind: number("periods-behind", 1, 11),
    earlierBlocks: number("earlier-blocks", 0, 100_000),
    fuluEpoch: number("fulu-epoch", 1, 1_000_000),
    validators: number("validators", 32, 4096),
    transactionSlots: number("transaction-slots", 1, 8192),
    hints: values.hints,
    verbose: values.verbose,
  };
}
