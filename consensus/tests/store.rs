//! The store on recorded and synthetic data: what it follows, and each rule of `validate_light_client_update` broken.
//! The official vectors, which are all accepted, run in `tests/vectors`.

use sextant_consensus::bls::{BlsError, Plain};
use sextant_consensus::chain::{ChainConfig, Fork};
use sextant_consensus::light_client::{
    HeaderError, LightClientBootstrap, LightClientHeader, LightClientOptimisticUpdate, LightClientUpdate,
    SyncCommittee,
};
use sextant_consensus::merkle::MerkleError;
use sextant_consensus::networks::{HOODI, SEPOLIA};
use sextant_consensus::store::{BootstrapError, LightClientStore, Outcome, UpdateError};
use sextant_fixtures::devnet::{ALL, CAPELLA, Devnet, ELECTRA, ELECTRA_TO_FULU, FULU};
use sextant_fixtures::gloas;
use sextant_fixtures::synthetic::{Committee, Slots, update};

fn bootstrap(net: Devnet) -> LightClientBootstrap {
    let name =
        if [ELECTRA, ELECTRA_TO_FULU].contains(&net) { "bootstrap_slot64.json" } else { "bootstrap.json" };
    net.beacon(name)
}

fn store(net: Devnet) -> LightClientStore {
    let bootstrap = bootstrap(net);
    let root = bootstrap.header.beacon.root();
    LightClientStore::new(&net.chain(), Fork::Capella, &root, bootstrap).expect(net.folder)
}

#[test]
fn recorded_networks_are_followed_in_any_later_shape() {
    for net in ALL {
        for fork in [Fork::Capella, Fork::Electra, Fork::Gloas] {
            let mut store = store(net);
            store.upgrade(fork);
            for update in net.updates() {
                let slot = update.signature_slot;
                // The bootstrap of some recordings is later than their first update.
                let knows = update.attested_header.beacon.slot > store.finalized_header.beacon.slot;
                let outcome = store.update(update.clone(), slot, &mut Plain).expect(net.folder);
                assert_eq!(outcome, Outcome::Applied, "{}: {fork}", net.folder);
                assert_eq!(store.next_sync_committee, Some(update.next_sync_committee), "{}", net.folder);
                assert!(knows || store.period() == net.chain().period(slot));
            }
            let (committee, finality) = net.finality();
            let (slot, finalized) = (finality.signature_slot, finality.finalized_header.beacon);
            let root = finality.finalized_header.execution.as_ref().map(|execution| execution.root());
            store.finality_update(finality, slot, &mut Plain).expect(net.folder);
            assert_eq!(store.current_sync_committee, committee);
            // One network's bootstrap is later than what its finality update finalizes.
            if store.finalized_header.beacon.slot <= finalized.slot {
                assert_eq!(store.finalized_header.beacon, finalized);
                assert_eq!(
                    store.finalized_header.execution_root(&store.chain),
                    root,
                    "{}: {fork}",
                    net.folder
                );
            } else {
                assert_eq!(net, FULU);
            }
            if net.file("optimistic_update.json").exists() {
                let optimistic: LightClientOptimisticUpdate = net.beacon("optimistic_update.json");
                let (slot, attested) = (optimistic.signature_slot, optimistic.attested_header.beacon);
                match store.optimistic_update(optimistic, slot, &mut Plain) {
                    Ok(_) => assert!(store.optimistic_header.beacon.slot >= attested.slot),
                    Err(error) => panic!("{}: {error}", net.folder),
                }
            }
        }
    }
}

#[test]
fn bootstraps_are_refused() {
    let net = ELECTRA;
    let root = bootstrap(net).header.beacon.root();
    let open = |edit: fn(&mut LightClientBootstrap), root: &[u8; 32]| {
        let mut bootstrap = bootstrap(net);
        edit(&mut bootstrap);
        LightClientStore::new(&net.chain(), Fork::Electra, root, bootstrap).map(|_| ())
    };
    assert_eq!(open(|_| {}, &root), Ok(()));
    assert_eq!(open(|_| {}, &[1; 32]), Err(BootstrapError::Untrusted));
    assert_eq!(open(|b| b.header.beacon.proposer_index += 1, &root), Err(BootstrapError::Untrusted));
    let committee = Err(BootstrapError::Committee(MerkleError::Root));
    assert_eq!(open(|b| b.current_sync_committee.pubkeys[7][3] ^= 1, &root), committee);
    assert_eq!(open(|b| b.current_sync_committee.aggregate_pubkey[3] ^= 1, &root), committee);
    let surplus = Err(BootstrapError::Committee(MerkleError::Depth { got: 7, expected: 6 }));
    assert_eq!(open(|b| b.current_sync_committee_branch.insert(0, [1; 32]), &root), surplus);
    let size = Err(BootstrapError::CommitteeSize { got: 511, expected: 512 });
    assert_eq!(open(|b| b.current_sync_committee.pubkeys.truncate(511), &root), size);
    let header = open(|b| b.header.execution.as_mut().unwrap().gas_used += 1, &root);
    assert_eq!(header, Err(BootstrapError::Header(HeaderError::Branch(MerkleError::Root))));
    let shape = open(|b| b.header.execution = None, &root);
    assert!(matches!(shape, Err(BootstrapError::Header(_))), "{shape:?}");
}

#[test]
fn updates_are_refused_each_for_its_rule() {
    let net = ELECTRA;
    let fresh = store(net);
    let original = net.updates().remove(0);
    let slot = original.signature_slot;
    let refuse = |store: &LightClientStore, current_slot, edit: &dyn Fn(&mut LightClientUpdate)| {
        let mut update = original.clone();
        edit(&mut update);
        let (mut after, before) = (store.clone(), store);
        let error = after.update(update, current_slot, &mut Plain).expect_err("a broken update");
        assert_eq!(&after, before, "a refused update changes nothing: {error}");
        error
    };
    let refused = |edit: &dyn Fn(&mut LightClientUpdate)| refuse(&fresh, slot, edit);

    assert_eq!(refused(&|u| u.sync_aggregate.sync_committee_bits.fill(0)), UpdateError::NoParticipants);
    assert!(matches!(
        refused(&|u| u.sync_aggregate.sync_committee_bits.truncate(63)),
        UpdateError::Size { .. }
    ));
    assert!(matches!(refused(&|u| u.next_sync_committee.pubkeys.truncate(511)), UpdateError::Size { .. }));
    assert!(matches!(refuse(&fresh, slot - 1, &|_| {}), UpdateError::SlotOrder { .. }));
    for edit in [
        |u: &mut LightClientUpdate| u.signature_slot = u.attested_header.beacon.slot,
        |u: &mut LightClientUpdate| u.finalized_header.beacon.slot = u.attested_header.beacon.slot + 1,
    ] {
        assert!(matches!(refused(&edit), UpdateError::SlotOrder { .. }));
    }
    let far = refuse(&fresh, 9000, &|u| u.signature_slot = 9000);
    assert_eq!(far, UpdateError::Period { got: 1, known: 0, to: 0 });
    let header = |what| UpdateError::Header { what, error: HeaderError::Branch(MerkleError::Root) };
    let edited = refused(&|u| u.attested_header.execution.as_mut().unwrap().state_root[0] ^= 1);
    assert_eq!(edited, header("attested_header"));
    let edited = refused(&|u| u.finalized_header.execution.as_mut().unwrap().block_hash[0] ^= 1);
    assert_eq!(edited, header("finalized_header"));
    let finality = UpdateError::Finality(MerkleError::Root);
    assert_eq!(refused(&|u| u.finalized_header.beacon.parent_root[0] ^= 1), finality);
    assert_eq!(refused(&|u| u.finality_branch[6][0] ^= 1), finality);
    assert_eq!(refused(&|u| u.finality_branch.fill([0; 32])), UpdateError::FinalizedSurplus);
    let genesis = refused(&|u| u.finalized_header.beacon.slot = 0);
    assert_eq!(genesis, UpdateError::FinalizedSurplus);
    let committee = UpdateError::Committee(MerkleError::Root);
    assert_eq!(refused(&|u| u.next_sync_committee.pubkeys[0][5] ^= 1), committee);
    assert_eq!(refused(&|u| u.next_sync_committee_branch[0][0] ^= 1), committee);
    assert_eq!(refused(&|u| u.next_sync_committee_branch.fill([0; 32])), UpdateError::CommitteeSurplus);
    let short = refused(&|u| u.next_sync_committee_branch.truncate(4));
    assert_eq!(short, UpdateError::Committee(MerkleError::Depth { got: 5, expected: 6 }));
    let mismatch = UpdateError::Signature(BlsError::Mismatch);
    assert_eq!(refused(&|u| u.sync_aggregate.sync_committee_bits[0] ^= 1), mismatch);
    assert_eq!(refused(&|u| u.sync_aggregate.sync_committee_signature[0] ^= 0x20), mismatch);

    // Once it is in, it teaches nothing more; and another committee for the same period is a conflict.
    let mut known = fresh.clone();
    known.update(original.clone(), slot, &mut Plain).expect("the recorded update");
    known.finalized_header = net.finality().1.attested_header;
    let irrelevant = refuse(&known, slot, &|_| {});
    assert!(matches!(irrelevant, UpdateError::Irrelevant { .. }), "{irrelevant}");
    known.finalized_header = original.attested_header.clone();
    let irrelevant = refuse(&known, slot, &|_| {});
    assert!(matches!(irrelevant, UpdateError::Irrelevant { .. }), "its own slot: {irrelevant}");
    let mut conflict = fresh;
    conflict.next_sync_committee = Some(Committee::new(1, 512, 3).public);
    assert_eq!(refuse(&conflict, slot, &|_| {}), UpdateError::CommitteeConflict);
}

/// A store that trusts a synthetic committee, without a bootstrap.
fn synthetic(chain: &ChainConfig, committee: &Committee, period: u64) -> LightClientStore {
    let next = Committee::new(2, 512, 8).public;
    let slots = slots(period, 0);
    let header = update(chain, committee, &next, slots, |_| true).finalized_header;
    LightClientStore {
        chain: chain.clone(),
        fork: chain.fork_at(slots.finalized).expect("a fork"),
        finalized_header: header.clone(),
        current_sync_committee: committee.public.clone(),
        next_sync_committee: None,
        best_valid_update: None,
        optimistic_header: header,
        previous_max_active_participants: 0,
        current_max_active_participants: 0,
    }
}

fn slots(period: u64, epochs: u64) -> Slots {
    let start = period * 8192 + epochs * 32;
    Slots { finalized: start + 32, attested: start + 96, signature: start + 97 }
}

#[test]
fn one_signer_is_valid_but_two_thirds_decide() {
    // The statements refuse what the specification's store merely keeps for later.
    let (committee, next) = (Committee::new(1, 512, 512), Committee::new(2, 512, 8).public);
    for (chain, period) in [(&SEPOLIA, 900), (&HOODI, gloas::PERIOD)] {
        let mut store = synthetic(chain, &committee, period);
        let slots = slots(period, 8);
        let signed_by = |signers: usize| update(chain, &committee, &next, slots, |seat| seat < signers);
        assert_eq!(store.update(signed_by(1), slots.signature, &mut Plain), Ok(Outcome::Noted));
        assert_eq!(store.best_valid_update.as_ref().map(|best| best.sync_aggregate.participants()), Some(1));
        assert_eq!(store.optimistic_header.beacon.slot, slots.attested);
        assert_eq!(store.update(signed_by(341), slots.signature, &mut Plain), Ok(Outcome::Noted));
        assert_eq!(store.update(signed_by(300), slots.signature, &mut Plain), Ok(Outcome::Noted));
        assert_eq!(
            store.best_valid_update.as_ref().map(|best| best.sync_aggregate.participants()),
            Some(341)
        );
        assert_eq!(store.next_sync_committee, None);
        assert_eq!(store.update(signed_by(342), slots.signature, &mut Plain), Ok(Outcome::Applied));
        assert_eq!(store.next_sync_committee.as_ref(), Some(&next));
        assert_eq!(store.best_valid_update, None);
        assert_eq!(store.finalized_header.beacon.slot, slots.finalized);
        // The same once more teaches nothing.
        assert_eq!(store.update(signed_by(342), slots.signature, &mut Plain), Ok(Outcome::Noted));
    }
}

#[test]
fn force_goes_on_with_the_best_update_after_a_period() {
    let (committee, next) = (Committee::new(1, 512, 512), Committee::new(2, 512, 8).public);
    let mut store = synthetic(&SEPOLIA, &committee, 900);
    let finalized = store.finalized_header.beacon.slot;
    let slots = slots(900, 8);
    let mut update = update(&SEPOLIA, &committee, &next, slots, |seat| seat < 200);
    // Without finality: only the next committee.
    update.finality_branch.fill([0; 32]);
    update.finalized_header = LightClientHeader::default();
    assert_eq!(store.update(update, slots.signature, &mut Plain), Ok(Outcome::Noted));
    assert_eq!(store.force_update(finalized + 8192), Ok(Outcome::Noted));
    assert_eq!(store.next_sync_committee, None);
    assert_eq!(store.force_update(finalized + 8193), Ok(Outcome::Applied));
    assert_eq!(store.next_sync_committee, Some(next));
    assert_eq!(store.finalized_header.beacon.slot, slots.attested);
    assert_eq!(store.force_update(u64::MAX), Ok(Outcome::Noted), "nothing is left to force");
}

/// Of two headers of one slot the first stays.
#[test]
fn another_header_of_the_same_slot_is_no_progress() {
    let committee = Committee::new(1, 512, 512);
    let mut store = synthetic(&SEPOLIA, &committee, 900);
    let slots = slots(900, 8);
    let [first, second] = [2, 3].map(|seed| {
        update(&SEPOLIA, &committee, &Committee::new(seed, 512, 8).public, slots, |seat| seat < 341)
    });
    assert_ne!(first.attested_header, second.attested_header);
    for update in [first.clone(), second] {
        assert_eq!(store.update(update, slots.signature, &mut Plain), Ok(Outcome::Noted));
        assert_eq!(store.optimistic_header, first.attested_header);
    }
}

/// Half of the most that have signed lately is not enough.
#[test]
fn a_head_needs_more_than_half_of_the_most_signers() {
    let (committee, next) = (Committee::new(1, 512, 512), Committee::new(2, 512, 8).public);
    let mut store = synthetic(&SEPOLIA, &committee, 900);
    for (epochs, signers, head) in [(8, 200, 8), (9, 100, 8), (10, 101, 10)] {
        let slots = slots(900, epochs);
        let update = update(&SEPOLIA, &committee, &next, slots, |seat| seat < signers);
        assert_eq!(store.update(update, slots.signature, &mut Plain), Ok(Outcome::Noted));
        let wanted = self::slots(900, head).attested;
        assert_eq!(store.optimistic_header.beacon.slot, wanted, "{signers} signers");
    }
}

/// Whatever an update leaves out, the rest of it is upgraded as in a whole one.
#[test]
fn smaller_updates_are_upgraded_as_whole_ones() {
    let chain = ELECTRA.chain();
    let whole = ELECTRA.updates().remove(0);
    for fork in [Fork::Fulu, Fork::Gloas] {
        let (mut upgraded, mut finality) = (whole.clone(), whole.finality_update());
        let mut optimistic = LightClientOptimisticUpdate {
            attested_header: whole.attested_header.clone(),
            sync_aggregate: whole.sync_aggregate.clone(),
            signature_slot: whole.signature_slot,
        };
        upgraded.upgrade(&chain, fork);
        finality.upgrade(&chain, fork);
        optimistic.upgrade(&chain, fork);
        assert_eq!(upgraded.attested_header.execution_block_hash.is_some(), fork == Fork::Gloas);
        assert_eq!(finality, upgraded.finality_update());
        assert_eq!(optimistic.attested_header, upgraded.attested_header);
    }
}

/// A head may be behind what is forced: those who signed that were too few for a head.
#[test]
fn what_is_forced_is_the_head_too() {
    let (committee, next) = (Committee::new(1, 512, 512), Committee::new(2, 512, 8).public);
    let mut store = synthetic(&SEPOLIA, &committee, 900);
    let [early, late] = [8, 9].map(|epochs| slots(900, epochs));
    let update = |slots, signers| update(&SEPOLIA, &committee, &next, slots, |seat| seat < signers);
    assert_eq!(store.update(update(early, 400), early.signature, &mut Plain), Ok(Outcome::Applied));
    let mut best = update(late, 190);
    best.finality_branch.fill([0; 32]);
    best.finalized_header = LightClientHeader::default();
    assert_eq!(store.update(best, late.signature, &mut Plain), Ok(Outcome::Noted));
    assert_eq!(store.optimistic_header.beacon.slot, early.attested);
    assert_eq!(store.force_update(early.finalized + 8193), Ok(Outcome::Applied));
    assert_eq!(store.finalized_header.beacon.slot, late.attested);
    assert_eq!(store.optimistic_header.beacon.slot, late.attested);
}

/// Nor is what is forced the head where another header of its slot is.
#[test]
fn what_is_forced_replaces_no_head_of_its_slot() {
    let committee = Committee::new(1, 512, 512);
    let mut store = synthetic(&SEPOLIA, &committee, 900);
    let slots = slots(900, 8);
    let [head, mut best] = [(2, 400), (3, 190)].map(|(seed, signers)| {
        update(&SEPOLIA, &committee, &Committee::new(seed, 512, 8).public, slots, |seat| seat < signers)
    });
    assert_eq!(store.update(head.clone(), slots.signature, &mut Plain), Ok(Outcome::Applied));
    best.finality_branch.fill([0; 32]);
    best.finalized_header = LightClientHeader::default();
    best.next_sync_committee = SyncCommittee::empty(512);
    best.next_sync_committee_branch.fill([0; 32]);
    assert_eq!(store.update(best.clone(), slots.signature, &mut Plain), Ok(Outcome::Noted));
    assert_eq!(store.force_update(slots.finalized + 8193), Ok(Outcome::Applied));
    assert_eq!(store.finalized_header, best.attested_header);
    assert_eq!(store.optimistic_header, head.attested_header);
}

/// Who signs in a period is known for that of the finalized header, and for the next one if its committee is.
#[test]
fn signers_of_other_periods_are_not_known() {
    let (committee, next) = (Committee::new(1, 512, 512), Committee::new(2, 512, 512));
    let mut store = synthetic(&SEPOLIA, &committee, 900);
    for (known, to) in [(None, 900), (Some(next.public.clone()), 901)] {
        store.next_sync_committee = known;
        for got in [899, 902] {
            let slots = slots(got, 1);
            let update = update(&SEPOLIA, &next, &committee.public, slots, |_| true);
            let refused = Err(UpdateError::Period { got, known: 900, to });
            assert_eq!(store.update(update, slots.signature, &mut Plain), refused);
        }
    }
}

/// Without the next committee nothing leads into its period.
#[test]
fn nothing_is_forced_past_a_committee_that_is_not_known() {
    let (committee, next) = (Committee::new(1, 512, 512), Committee::new(2, 512, 8).public);
    let mut store = synthetic(&SEPOLIA, &committee, 900);
    store.best_valid_update = Some(update(&SEPOLIA, &committee, &next, slots(901, 1), |_| true));
    let refused = Err(UpdateError::FinalizedPeriod { got: 901, expected: 900 });
    assert_eq!(store.force_update(u64::MAX), refused);
}

/// Of two finalized headers of one slot the first stays, whoever signed the other one.
#[test]
fn another_finalized_header_of_the_same_slot_is_no_progress() {
    let (committee, next) = (Committee::new(1, 512, 512), Committee::new(2, 512, 8).public);
    let mut store = synthetic(&SEPOLIA, &committee, 900);
    store.finalized_header.beacon.proposer_index += 1;
    let before = store.finalized_header.clone();
    let slots = slots(900, 0);
    let update = update(&SEPOLIA, &committee, &next, slots, |_| true);
    assert_eq!(store.update(update, slots.signature, &mut Plain), Ok(Outcome::Applied));
    assert_eq!(store.next_sync_committee, Some(next));
    assert_eq!(store.finalized_header, before);
}

/// Blob gas is what Deneb adds.
#[test]
fn a_payload_has_the_fields_of_its_fork() {
    let (chain, (_, finality)) = (CAPELLA.chain(), CAPELLA.finality());
    for (fork, blob_gas) in [(Fork::Capella, None), (Fork::Deneb, Some(0)), (Fork::Electra, Some(0))] {
        let mut header = finality.finalized_header.clone();
        header.upgrade(&chain, fork);
        let execution = header.execution.unwrap();
        assert_eq!((execution.blob_gas_used, execution.excess_blob_gas), (blob_gas, blob_gas), "{fork}");
    }
}

#[test]
fn an_empty_committee_is_none() {
    assert!(SyncCommittee::empty(512).is_empty());
    assert!(!Committee::new(1, 32, 32).public.is_empty());
    assert!(LightClientHeader::default().is_empty());
    let mut header = LightClientHeader::default();
    for fork in [Fork::Capella, Fork::Deneb, Fork::Gloas] {
        header.upgrade(&SEPOLIA, fork);
        assert!(header.is_empty(), "{fork}");
        let shape = (header.execution.is_some(), header.execution_branch.len());
        assert_eq!(shape, if fork == Fork::Gloas { (false, 11) } else { (true, 4) }, "{fork}");
    }
    header.execution_branch[10] = [1; 32];
    assert!(!header.is_empty());
    let named = LightClientHeader { execution_block_hash: Some([1; 32]), ..Default::default() };
    assert!(!named.is_empty());
    let mut paid = LightClientHeader { execution: Some(Default::default()), ..Default::default() };
    assert!(paid.is_empty());
    paid.execution.as_mut().unwrap().gas_used = 1;
    assert!(!paid.is_empty());
}

/// A header that names nothing has the root of a payload that is empty, whatever its shape.
#[test]
fn an_empty_header_has_one_execution_root() {
    let (chain, mut header) = (ELECTRA.chain(), LightClientHeader::default());
    header.upgrade(&chain, Fork::Electra);
    let root = header.execution_root(&chain);
    assert!(root.is_some_and(|root| root != [0; 32]));
    header.upgrade(&chain, Fork::Gloas);
    assert_eq!(header.execution_root(&chain), root);
}

/// All that a store holds is in the shape of the newest fork it was upgraded to.
#[test]
fn a_store_is_upgraded_as_a_whole_and_never_back() {
    let net = ELECTRA;
    let mut store = store(net);
    store.best_valid_update = Some(net.updates().remove(0));
    for fork in [Fork::Gloas, Fork::Electra] {
        store.upgrade(fork);
        assert_eq!(store.fork, Fork::Gloas);
        let best = store.best_valid_update.as_ref().unwrap();
        let headers = [&store.finalized_header, &store.optimistic_header, &best.attested_header];
        assert!(headers.iter().all(|header| header.execution_block_hash.is_some()));
    }
    let mut older = CAPELLA.beacon::<LightClientBootstrap>("bootstrap.json");
    older.upgrade(&CAPELLA.chain(), Fork::Gloas);
    assert!(older.header.execution_block_hash.is_some());
    assert_eq!(
        (older.current_sync_committee_branch.len(), older.current_sync_committee_branch[0]),
        (11, [0; 32])
    );
}
