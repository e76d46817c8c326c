// Statement inputs from what nodes answer: beacon API and `eth_getProof` (EIP-1186) objects, as JSON has them.
//
// Shapes are checked as far as building needs them. Whether a statement is true is checked by the server before it proves it.

import { accountProofs } from "./accounts.js";
import { type Chain, periodAt } from "./chain.js";
import { handovers, signed, trusted } from "./committees.js";
import { StatementError } from "./errors.js";
import { executionFacts } from "./execution.js";
import { COMMITTEE_CHANGE_INPUT, INCLUSION_INPUT } from "./inputs.js";
import { at, has, type Json, numberAt } from "./json.js";
import type { StatementInput } from "./requests.js";

/** What a committee change is made of. */
export interface CommitteeChangeData {
  /** `data` of `/eth/v1/beacon/light_client/bootstrap`. */
  bootstrap: Json;
  /** Each one's `data` of `/eth/v1/beacon/light_client/updates`; the first is of the bootstrap's period. */
  updates: Json[];
  /** Root of the beacon block that the bootstrap must be of. */
  checkpoint?: string | undefined;
}

/** Consecutive handovers, one an update, from the bootstrap's committee. Rejects with {@link StatementError}. */
export async function committeeChange(chain: Chain, data: CommitteeChangeData): Promise<StatementInput> {
  const { bootstrap, updates, checkpoint } = data;
  const last = updates.at(-1);
  if (last === undefined) throw new StatementError("no update given: at least one is needed");
  const first = await trusted(chain, bootstrap, checkpoint);
  const [handed] = await handovers(chain, first, updates);
  const bytes = COMMITTEE_CHANGE_INPUT.write({
    chain,
    signerPeriod: periodAt(chain, numberAt(updates[0], ["signature_slot"])),
    signerCommitteeRoot: first.root,
    handovers: handed,
    execution: await executionFacts(chain, at(last, "finalized_header")),
  });
  return { program: "committee-change", bytes };
}

/** What an inclusion is made of. */
export interface InclusionData {
  /** `data` of `/eth/v1/beacon/light_client/bootstrap`. */
  bootstrap: Json;
  /** `data` of `/eth/v1/beacon/light_client/finality_update`. */
  finalityUpdate: Json;
  /** Results of `eth_getProof` at the finality update's finalized execution block. */
  accounts: Json[];
  /** What leads from the bootstrap's committee to the one that signed, one a period. */
  updates?: Json[];
  /** Root of the beacon block that the bootstrap must be of. */
  checkpoint?: string | undefined;
}

/** Accounts and slots in a finalized state. Rejects with {@link StatementError}. */
export async function inclusion(chain: Chain, data: InclusionData): Promise<StatementInput> {
  const { bootstrap, finalityUpdate, accounts, updates = [], checkpoint } = data;
  const finalized = at(finalityUpdate, "finalized_header");
  if (has(finalized, "execution_block_hash")) {
    throw new StatementError("since Gloas an inclusion needs the execution block's header, which this cannot check yet");
  }
  const first = await trusted(chain, bootstrap, checkpoint);
  const [handed, signer] = await handovers(chain, first, updates);
  const bytes = INCLUSION_INPUT.write({
    chain,
    signerCommitteeRoot: first.root,
    signed: signed(chain, signer, finalityUpdate),
    execution: await executionFacts(chain, finalized),
    ...accountProofs(accounts),
    handovers: handed,
    ancestry: [],
    transactions: [],
    noLogs: [],
    receipts: [],
  });
  return { program: "inclusion", bytes };
}
