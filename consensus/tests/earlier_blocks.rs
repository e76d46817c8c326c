//! Blocks before the finalized one, and inclusions that begin with handovers.

use sextant_consensus::block_header::BlockJson;
use sextant_consensus::bls::Plain;
use sextant_consensus::build::{Asked, StepNodes, asked_input};
use sextant_consensus::public_values::Inclusion;
use sextant_consensus::{committee_change, inclusion};
use sextant_fixtures::history::{
    Block, asked_under, by_parents, finalized_number, one_slot_20000_back, one_slot_back,
    one_slot_back_by_parents, one_step,
};
use sextant_fixtures::{devnet, gloas, uniswap_factory};

fn check(input: &inclusion::Input) -> Inclusion {
    inclusion::check(input, &mut Plain).unwrap()
}

/// What the plain statement about the recorded slot proves of it.
fn assert_recorded_slot(values: &Inclusion) {
    let plain = check(&gloas::inclusion());
    assert_eq!(values.accounts, plain.accounts);
    assert_eq!(values.facts.state_root, plain.facts.state_root);
}

#[test]
fn by_parent_hashes() {
    for back in [1, 2, 4, 60, 256] {
        let values = check(&one_slot_back_by_parents(back));
        assert_recorded_slot(&values);
        assert_eq!(values.facts.number + back, values.head.block_number);
        assert_eq!(values.facts.hash, Block::over(gloas::state_root(), finalized_number() - back).hash());
    }
}

#[test]
fn by_the_history_contract() {
    for back in [1, 60, 8_000, 8_191] {
        let values = check(&one_slot_back(back));
        assert_recorded_slot(&values);
        assert_eq!(values.facts.number + back, values.head.block_number);
        assert_eq!(values.facts.timestamp, 1_700_000_000 + 12 * values.facts.number);
    }
    let far = check(&one_slot_20000_back());
    assert_recorded_slot(&far);
    assert_eq!(far.facts.number + 20_000, far.head.block_number);
}

#[test]
fn a_hash_with_zeros_in_front_is_found() {
    // Storage drops leading zeros, and the header's hash has them: by now and then a timestamp.
    let earlier = (0..)
        .map(|timestamp| Block { timestamp, ..Block::over(gloas::state_root(), finalized_number() - 60) })
        .find(|block| block.hash()[0] == 0)
        .unwrap();
    let (finalized, step) = one_step(&earlier, 60);
    let accounts = [uniswap_factory()];
    let input =
        asked_under(&finalized, &Asked { ancestry: &[step], accounts: &accounts, ..Asked::default() });
    assert_eq!(check(&input).facts.hash, earlier.hash());
}

#[test]
fn parents_before_and_after_a_history_step() {
    let earlier = Block::over(gloas::state_root(), finalized_number() - 106);
    let (block, mut after) = by_parents(&earlier, 3);
    let (block, step) = one_step(&block, 100);
    let (finalized, before) = by_parents(&block, 3);
    let steps: Vec<StepNodes> = before.into_iter().chain([step]).chain(after.drain(..)).collect();
    let accounts = [uniswap_factory()];
    let input = asked_under(&finalized, &Asked { ancestry: &steps, accounts: &accounts, ..Asked::default() });
    let values = check(&input);
    assert_recorded_slot(&values);
    assert_eq!(values.facts.number + 106, values.head.block_number);
}

#[test]
fn a_plain_inclusion_is_about_the_finalized_block() {
    let values = check(&sextant_fixtures::inclusion());
    let (head, facts) = (values.head, values.facts);
    assert_eq!(
        (facts.number, facts.hash, facts.state_root),
        (head.block_number, head.block_hash, head.state_root)
    );
    // Before Gloas the block's header is not read.
    assert_eq!((facts.receipts_root, facts.timestamp), ([0; 32], 0));
    assert!(values.learned.is_empty());
}

#[test]
fn a_header_beside_the_payload_proves_the_same_and_more() {
    for net in devnet::ALL {
        let (committee, update) = net.finality();
        let block: BlockJson =
            serde_json::from_value(net.json("el_block_finalized.json")["result"].take()).unwrap();
        let header = block.to_rlp().unwrap();
        let accounts = net.accounts();
        let asked = Asked { block_header: Some(&header), accounts: &accounts, ..Asked::default() };
        let values = check(&asked_input(&net.chain(), &committee, &update, &asked).unwrap());
        let plain = check(&net.inclusion());
        assert_eq!((values.head, &values.accounts), (plain.head, &plain.accounts), "{}", net.folder);
        let execution = update.finalized_header.execution.clone().unwrap();
        assert_eq!(values.facts.receipts_root, execution.receipts_root);
        assert_eq!(values.facts.timestamp, execution.timestamp);
        // Of another block, the header is refused.
        let earlier = Block::over([1; 32], 5).rlp();
        let asked = Asked { block_header: Some(&earlier), ..asked };
        assert!(asked_input(&net.chain(), &committee, &update, &asked).is_err());
    }
}

#[test]
fn a_handover_and_one_slot() {
    let values = check(&gloas::catch_up_inclusion());
    assert_recorded_slot(&values);
    let change = committee_change::check(&gloas::committee_change(), &mut Plain).unwrap();
    assert_eq!(values.learned, change.learned);
    assert_eq!(values.head.signer_period, change.head.signer_period);
    assert_eq!(values.head.signer_committee_root, change.head.signer_committee_root);
    // The lowest of both: 5 seats were absent at the handover, 3 after it.
    assert_eq!(values.head.participation, 507);
    assert!(values.head.finalized_slot > change.head.finalized_slot);
}

#[test]
fn recorded_handovers_and_recorded_accounts() {
    let net = devnet::ELECTRA_TO_FULU;
    let (committee, update) = net.finality();
    let (chain, updates) = (net.chain(), net.updates());
    let period = chain.period(update.signature_slot);
    let before: Vec<_> =
        updates.into_iter().filter(|update| chain.period(update.signature_slot) < period).collect();
    assert!(!before.is_empty());
    let asked = Asked { handovers: &before, accounts: &net.accounts(), ..Asked::default() };
    let input = asked_input(&chain, &net.first_committee(), &update, &asked).unwrap();
    let values = check(&input);
    let plain = check(&net.inclusion());
    assert_eq!(values.accounts, plain.accounts);
    assert_eq!(values.head.finalized_root, plain.head.finalized_root);
    assert_eq!(values.learned.len(), before.len());
    assert_eq!(values.learned.last().unwrap().committee_root, committee.root());
    assert_eq!(values.learned.last().unwrap().period, plain.head.signer_period);
}
