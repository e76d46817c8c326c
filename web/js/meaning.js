// What a proof does not mean, in plain words: docs/security.md says the same at length.

/** @param {object} statement the decoded public values */
export function limits(statement) {
  const { facts, transactions = [], learned = [] } = statement;
  const list = [
    "It does not say that the committee was honest. A committee is 512 validators drawn at random for about a day, of whom two"
      + " thirds have to sign, and they are not punished for signing a header that is not the chain's.",
    "It is worth what the committee is worth at which it begins. Take that committee's root from sources that you trust, no"
      + " more than some two weeks old when you took it.",
    "It does not say that this is so now. The proof stays valid for ever; what it speaks about may have changed a block later.",
    "It does not say that two thirds of all validators finalized this block, only that the committee signed a header that says"
      + " so.",
    "Nothing was executed again: the state is what validators attested.",
    "It rests on SP1's proof system and on its keys, on the hash functions and on BLS12-381.",
  ];
  if (facts && !facts.is_finalized_block) {
    list.unshift("Accounts, slots, transactions and logs are those of an earlier block than the finalized one.");
  }
  if (transactions.some(({ hash }) => hash === null)) {
    list.push("Where no hash of a transaction is proven, only the receipt at its place in the block is.");
  }
  if (learned.length > 0) {
    list.push("The committees that it names next are known by it, not who is in them.");
  }
  if (!facts && /^0x0*$/.test(statement.state_root)) {
    list.push("A block number or state root of zero says that no execution state is proven.");
  }
  return list;
}
