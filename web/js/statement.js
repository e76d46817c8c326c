// A statement as a reader sees it: what matters first, then all of it.

import { SEATS, isKnown, timeOf } from "./chains.js";
import { el, facts, hex, table } from "./dom.js";
import { date, ether, grouped, span } from "./format.js";
import { limits } from "./meaning.js";

/** Everything about a proof; whether it was found valid changes what there is to say about it. */
export function render(proof, valid, now = Date.now() / 1000) {
  const { statement } = proof;
  return [
    glance(statement, now),
    head(statement),
    statement.learned?.length > 0 && learned(statement.learned),
    statement.facts && block(statement),
    ...(statement.accounts ?? []).map(account),
    statement.transactions?.length > 0 && transactions(statement.transactions),
    statement.logs?.length > 0 && logs(statement.logs),
    statement.no_logs?.length > 0 && absentLogs(statement.no_logs),
    el("h2", {}, valid ? "What it does not mean" : "What even a valid one does not mean"),
    el("ul", { class: "means" }, limits(statement).map((limit) => el("li", {}, limit))),
    el("h2", {}, "The file"),
    facts([
      ["Kind", proof.kind],
      ["Circuits", `${proof.circuits}, ${proof.circuitVersion}`],
      ["Program's key", hex(proof.vkHash)],
      ["Proof", `${grouped(proof.proofBytes)} bytes`],
    ]),
  ].filter(Boolean);
}

function card(label, wide, ...values) {
  return el("div", { class: wide && "long" }, el("dt", {}, label), values.map((value) => el("dd", {}, value)));
}

function glance(statement, now) {
  const { network, participation } = statement;
  const cards = [
    card("Statement", false, statement.program === "inclusion" ? "Inclusion" : "Committee change", count(statement)),
    card("Chain", false, network ?? "one without a name"),
    age(statement, now),
    isKnown(network)
      ? card("Signed by", false, `${participation} of ${SEATS} seats (${((participation / SEATS) * 100).toFixed(1)} %)`,
        el("meter", { min: 0, max: SEATS, low: SEATS * 0.75, optimum: SEATS, value: participation, "aria-label": "Seats that signed" }))
      : card("Signed by", false, `${participation} seats`),
    card("Committee at which it begins", true, `of period ${grouped(statement.signer_period)}`, hex(statement.signer_committee_root)),
  ];
  return el("dl", { class: "glance" }, cards);
}

function count(statement) {
  const { accounts = [], transactions = [], logs = [], no_logs: none = [], learned = [] } = statement;
  const slots = accounts.reduce((sum, { slots }) => sum + slots.length, 0);
  const parts = [
    [learned.length, "committee"], [accounts.length, "account"], [slots, "slot"], [transactions.length, "transaction"],
    [logs.length, "log"], [none.length, "absent log"],
  ];
  return parts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}${number === 1 ? "" : "s"}`).join(", ");
}

function age(statement, now) {
  const time = timeOf(statement.network, statement.finalized_slot);
  const slot = `slot ${grouped(statement.finalized_slot)}`;
  if (time === undefined) return card("Finalized header", false, slot, "how old it is cannot be said of this chain");
  const seconds = now - time;
  const old = seconds < 0 ? "later than this device's clock says" : `${span(seconds)} old`;
  return card("Finalized header", false, old, `${slot}, ${date(time)}`);
}

function head(statement) {
  return el("section", {}, el("h2", {}, "Header and committee"), facts([
    ["Chain digest", hex(statement.chain_digest)],
    ["Finalized block root", hex(statement.finalized_root)],
    ["Execution block", grouped(statement.block_number)],
    ["Block hash", hex(statement.block_hash)],
    ["State root", hex(statement.state_root)],
  ]));
}

function learned(list) {
  return table("Committees that it teaches", ["Period", "Committee's root"],
    list.map(({ period, committee_root: root }) => [grouped(period), hex(root)]));
}

function block({ facts: block, block_number: finalized }) {
  const place = block.is_finalized_block
    ? el("p", {}, "All that follows is about the finalized block above.")
    : el("p", {}, el("strong", {}, "All that follows is about an earlier block than the finalized one"),
      `, ${grouped(finalized - block.block_number)} before it.`);
  return el("section", {}, el("h2", {}, "Block"), place, facts([
    ["Block", block.is_finalized_block ? undefined : grouped(block.block_number)],
    ["Block hash", block.is_finalized_block ? undefined : hex(block.block_hash)],
    ["State root", block.is_finalized_block ? undefined : hex(block.state_root)],
    ["Receipts root", block.receipts_root && hex(block.receipts_root)],
    ["Time", block.timestamp === null ? undefined : date(block.timestamp)],
  ]));
}

function account(account) {
  const known = account.exists
    ? facts([
      ["Nonce", grouped(account.nonce)],
      ["Balance", [ether(account.balance), " ", el("span", { class: "quiet" }, `(${account.balance} wei)`)]],
      ["Storage root", hex(account.storage_root)],
      ["Code hash", hex(account.code_hash)],
    ])
    : el("p", {}, "Does not exist: proven absent.");
  const slots = account.slots.map(({ key, exists, value }) => [hex(key), exists ? hex(value) : "0: proven absent"]);
  return el("section", {}, el("h2", {}, "Account ", hex(account.address)), known,
    slots.length > 0 && table("Storage slots", ["Slot", "Value"], slots));
}

function transactions(list) {
  return table("Transactions", ["Place in the block", "Hash", "Status"], list.map(({ index, hash, succeeded }) => [
    grouped(index), hash === null ? "not proven, only the receipt is" : hex(hash), succeeded ? "succeeded" : "failed",
  ]));
}

const topics = (list) => (list.length === 0 ? "none" : list.map((topic) => el("div", { class: "hex" }, topic)));

function logs(list) {
  const data = (log) => (log.data === null ? ["hash of the data: ", hex(log.data_hash)] : hex(log.data === "0x" ? "none" : log.data));
  return table("Logs", ["Transaction", "Place in its receipt", "By", "Topics", "Data"], list.map((log) => [
    grouped(log.transaction), grouped(log.position), hex(log.address), topics(log.topics), data(log),
  ]));
}

function absentLogs(list) {
  return table("Logs of which the block has none: proven absent", ["By", "Topics that it would begin with"],
    list.map(({ address, topics: with_ }) => [hex(address), with_.length === 0 ? "whichever" : topics(with_)]));
}
