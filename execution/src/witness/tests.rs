use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use std::string::ToString;

use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{B256, Bytes, U256, address, keccak256};
use alloy_trie::TrieAccount;
use proptest::prelude::*;
use revm::DatabaseCommit;
use revm::database::{State, states::bundle_state::BundleRetention};
use revm::state::{Account as Touched, EvmStorageSlot, TransactionId};

use super::*;
use crate::trie::tests::{Map, whole};
use crate::world::{Account, Owned, World, storage, witness};

const A: Address = address!("0x00000000000000000000000000000000000000aa");
const B: Address = address!("0x00000000000000000000000000000000000000bb");
const C: Address = address!("0x00000000000000000000000000000000000000cc");
const NOBODY: Address = address!("0x00000000000000000000000000000000000000dd");

fn word(number: u64) -> U256 {
    U256::from(number)
}

fn world() -> World {
    let storage = (0..20).map(|slot| (word(slot), (word(slot) + word(1)) << (slot * 8) as usize)).collect();
    World::from([
        (A, Account { nonce: 1, balance: word(5), ..Account::default() }),
        (B, Account { nonce: 1, code: vec![0x60, 0x00].into(), storage, ..Account::default() }),
        (C, Account { balance: word(9), storage: [(word(1), word(2))].into(), ..Account::default() }),
    ])
}

fn rules(hardfork: EthereumHardfork) -> Rules {
    Rules::of(1, hardfork).unwrap()
}

fn db_under(owned: &Owned, hardfork: EthereumHardfork) -> Result<WitnessDb<'_>, WitnessError> {
    WitnessDb::new(&owned.as_witness(), owned.parent_hash(), &rules(hardfork))
}

fn db(owned: &Owned) -> Result<WitnessDb<'_>, WitnessError> {
    db_under(owned, EthereumHardfork::Prague)
}

#[test]
fn accounts_storage_and_codes() {
    let world = world();
    let (root, owned) = witness(&world);
    let mut db = db(&owned).unwrap();
    assert_eq!((db.parent().state_root, db.parent().number), (root, 7));
    for (address, account) in &world {
        let info = db.basic(*address).unwrap().unwrap();
        assert_eq!((info.nonce, info.balance, info.code), (account.nonce, account.balance, None));
        assert_eq!(db.codes.hashed(), 0);
        assert_eq!(info.code_hash, keccak256(&account.code));
        for (slot, word) in &account.storage {
            assert_eq!(db.storage(*address, *slot), Ok(*word));
        }
        assert_eq!(db.storage(*address, word(99)), Ok(U256::ZERO));
    }
    assert_eq!((db.basic(NOBODY), db.storage(NOBODY, word(0))), (Ok(None), Ok(U256::ZERO)));

    assert_eq!(db.code_by_hash(KECCAK256_EMPTY), Ok(Bytecode::default()));
    assert_eq!(db.codes.hashed(), 0);
    let code = &world[&B].code;
    assert_eq!(db.code_by_hash(keccak256(code)).unwrap().original_bytes(), *code);
    let hash = keccak256("other");
    assert_eq!(db.code_by_hash(hash), Err(WitnessError::Code(hash)));
}

#[test]
fn what_is_left_out_is_an_error_that_names_it() {
    let (_, owned) = witness(&world());
    let ask = |owned: &Owned| -> Result<(), WitnessError> {
        let mut db = db(owned)?;
        for address in [A, B, C, NOBODY] {
            if let Some(info) = db.basic(address)? {
                db.code_by_hash(info.code_hash)?;
            }
            (0..20).try_for_each(|slot| db.storage(address, word(slot)).map(drop))?;
        }
        Ok(())
    };
    assert_eq!(ask(&owned), Ok(()));
    for at in 0..owned.state.len() {
        let mut less = owned.clone();
        let hash = keccak256(less.state.remove(at));
        let error = ask(&less).unwrap_err();
        let (WitnessError::Accounts(trie) | WitnessError::Storage { error: trie, .. }) = error else {
            panic!("{error}")
        };
        assert!(matches!(trie, TrieError::Missing { hash: named, .. } if named == hash), "{trie}");
        assert!(error.is_missing());
    }
    let mut less = owned.clone();
    let hash = keccak256(less.codes.remove(0));
    assert_eq!(ask(&less), Err(WitnessError::Code(hash)));
    assert!(WitnessError::Code(hash).is_missing());
    // Of whom they are is in the message.
    let error = WitnessError::Storage { address: B, error: TrieError::Missing { hash, nibble: 3 } };
    assert!(
        error.to_string().starts_with("storage of 0x00000000000000000000000000000000000000bb: the node 0x")
    );
}

#[test]
fn leaves_that_are_no_accounts_or_words() {
    let slot = |value: Vec<u8>| {
        let (storage_root, nodes) = whole(&Map::from([(keccak256(word(1).to_be_bytes::<32>()), value)]));
        let account = TrieAccount { nonce: 1, storage_root, ..TrieAccount::default() };
        let (state_root, accounts) = whole(&Map::from([(keccak256(A), alloy_rlp::encode(account))]));
        let state: Vec<Vec<u8>> = nodes.into_iter().chain(accounts).collect();
        let header = Header { state_root, ..Header::default() };
        let owned = Owned { state, headers: vec![alloy_rlp::encode(header)], ..Owned::default() };
        db(&owned).unwrap().storage(A, word(1))
    };
    assert_eq!(slot(vec![5]), Ok(word(5)));
    assert_eq!(slot(alloy_rlp::encode(U256::MAX)), Ok(U256::MAX));
    let refused = Err(WitnessError::Slot { address: A, slot: word(1) });
    // Zero, a leading zero, no RLP, 33 bytes, a list, bytes left over.
    for value in
        [&[0x80][..], &[0], &[0x82, 0, 5], &[0x82], &[&[0xa1][..], &[1; 33]].concat(), &[0xc0], &[5, 5]]
    {
        assert_eq!(slot(value.to_vec()), refused, "{value:x?}");
    }

    let account = |value: Vec<u8>| {
        let (state_root, state) = whole(&Map::from([(keccak256(A), value)]));
        let header = Header { state_root, ..Header::default() };
        let owned = Owned { state, headers: vec![alloy_rlp::encode(header)], ..Owned::default() };
        db(&owned).unwrap().basic(A).map(drop)
    };
    let whole_account = alloy_rlp::encode(TrieAccount { nonce: 1, ..TrieAccount::default() });
    assert_eq!(account(whole_account.clone()), Ok(()));
    let broken = [
        [&whole_account[..], &[0]].concat(),
        whole_account[..whole_account.len() - 1].to_vec(),
        vec![5],
        vec![0xc0],
        // Another number of fields.
        sextant_consensus::rlp::encode_list(&[&whole_account[2..], &[5]].concat()),
        sextant_consensus::rlp::encode_list(&whole_account[3..]),
    ];
    for value in broken {
        let error = account(value.clone());
        assert!(matches!(error, Err(WitnessError::Account { address: A, .. })), "{value:x?}: {error:?}");
    }
}

/// Headers of blocks from `first` on, each on the one before.
fn chain(first: u64, length: usize, state_root: B256) -> Vec<Vec<u8>> {
    let mut headers: Vec<Vec<u8>> = Vec::new();
    for number in (first..).take(length) {
        let parent_hash = headers.last().map_or(B256::repeat_byte(9), keccak256);
        headers.push(alloy_rlp::encode(Header { number, parent_hash, state_root, ..Header::default() }));
    }
    headers
}

#[test]
fn hashes_of_earlier_blocks() {
    let (root, owned) = witness(&world());
    let owned = Owned { headers: chain(40, 3, root), ..owned };
    let mut db = db(&owned).unwrap();
    assert_eq!(db.parent().number, 42);
    for (number, header) in (40..).zip(&owned.headers) {
        assert_eq!(db.block_hash(number), Ok(keccak256(header)));
    }
    // The oldest header names one more.
    assert_eq!(db.block_hash(39), Ok(B256::repeat_byte(9)));
    for number in [0, 38, 43, u64::MAX] {
        assert_eq!(db.block_hash(number), Err(WitnessError::BlockHash(number)));
    }
    assert!(WitnessError::BlockHash(38).is_missing());
}

#[test]
fn headers_are_one_chain_up_to_the_parent() {
    let (root, owned) = witness(&world());
    let headers = chain(40, 5, root);
    let check = |headers: Vec<Vec<u8>>, parent_hash| {
        let owned = Owned { headers, ..owned.clone() };
        WitnessDb::new(&owned.as_witness(), parent_hash, &rules(EthereumHardfork::Prague)).map(drop)
    };
    let hashes: Vec<B256> = headers.iter().map(keccak256).collect();
    assert_eq!(check(headers.clone(), hashes[4]), Ok(()));
    assert_eq!(check(headers[4..].to_vec(), hashes[4]), Ok(()));
    let long = chain(40, 257, root);
    assert_eq!(check(long[1..].to_vec(), keccak256(&long[256])), Ok(()));
    assert_eq!(check(long.clone(), keccak256(&long[256])), Err(WitnessError::Headers(257)));
    assert_eq!(check(vec![], hashes[4]), Err(WitnessError::Headers(0)));

    let ancestor = |index, got, expected| Err(WitnessError::Ancestor { index, got, expected });
    // Of another block; in another order; with a gap.
    assert_eq!(check(headers.clone(), B256::ZERO), ancestor(4, hashes[4], B256::ZERO));
    let swapped = [0, 2, 1, 3, 4].map(|at: usize| headers[at].clone());
    assert_eq!(check(swapped.to_vec(), hashes[4]), ancestor(2, hashes[1], hashes[2]));
    let gap = [0, 1, 3, 4].map(|at: usize| headers[at].clone());
    assert_eq!(check(gap.to_vec(), hashes[4]), ancestor(1, hashes[1], hashes[2]));
    // Any byte of any header.
    for (at, header) in headers.iter().enumerate() {
        for byte in 0..header.len() {
            let mut broken = headers.clone();
            broken[at][byte] ^= 1;
            let got = keccak256(&broken[at]);
            assert_eq!(check(broken, hashes[4]), ancestor(at, got, hashes[at]));
        }
    }

    // Bound by its hash, and no header all the same: what a parent that nobody has validated may name.
    let header = |number, parent_hash| {
        alloy_rlp::encode(Header { number, parent_hash, state_root: root, ..Header::default() })
    };
    for (number, next) in [(40, 42), (41, 41), (42, 41), (u64::MAX, 0)] {
        let first = header(number, B256::ZERO);
        let second = header(next, keccak256(&first));
        let parent = keccak256(&second);
        let error = WitnessError::AncestorNumber { index: 0, got: number, next };
        assert_eq!(check(vec![first, second], parent), Err(error));
    }
    let no_header = vec![0xc1, 0x80];
    let error = check(vec![no_header.clone()], keccak256(&no_header));
    assert!(matches!(error, Err(WitnessError::Header { index: 0, .. })), "{error:?}");
    // Fields that are read of every ancestor, and not those that a parent has.
    let fields = sextant_consensus::rlp::Item::only(&headers[0]).unwrap().list().unwrap();
    let more = sextant_consensus::rlp::encode_list(&[fields, &[0xc0; 9]].concat());
    assert!(matches!(check(vec![more.clone()], keccak256(&more)), Err(WitnessError::Parent(_))));
}

#[test]
fn codes_that_begin_like_a_delegation() {
    let delegation = [&[0xef, 0x01, 0x00][..], &[7; 20]].concat();
    let codes = [delegation.clone(), vec![0xef, 0x01], [&delegation[..], &[0]].concat(), vec![0xef, 1, 1, 5]];
    let (_, owned) = witness(&world());
    let owned = Owned { codes: codes.to_vec(), ..owned };
    let mut db = db(&owned).unwrap();
    for code in &codes {
        let bytecode = db.code_by_hash(keccak256(code)).unwrap();
        assert_eq!(bytecode.original_byte_slice(), code);
        assert_eq!(bytecode.is_eip7702(), *code == delegation, "{code:x?}");
    }
    // There are none before Prague.
    let mut db = db_under(&owned, EthereumHardfork::Cancun).unwrap();
    for code in &codes {
        let bytecode = db.code_by_hash(keccak256(code)).unwrap();
        assert!(bytecode.original_byte_slice() == code && bytecode.is_legacy(), "{code:x?}");
    }
}

/// EIP-7523, whether they have storage or not.
#[test]
fn empty_accounts_are_refused() {
    for storage in [BTreeMap::new(), BTreeMap::from([(word(1), word(2))])] {
        let empty = Account { storage, ..Account::default() };
        let ask = |account: Account| {
            let (_, owned) = witness(&World::from([(A, account)]));
            db(&owned).unwrap().basic(A).map(|info| info.is_some())
        };
        assert_eq!(ask(empty.clone()), Err(WitnessError::Empty(A)));
        assert_eq!(ask(Account { nonce: 1, ..empty.clone() }), Ok(true));
        assert_eq!(ask(Account { balance: word(1), ..empty.clone() }), Ok(true));
        assert_eq!(ask(Account { code: vec![0].into(), ..empty }), Ok(true));
    }
}

#[test]
fn balances_are_added_up_as_far_as_there_is_room() {
    let world = [(A, U256::MAX - word(5)), (B, word(5)), (C, word(1))];
    let account = |(address, balance)| (address, Account { balance, ..Account::default() });
    let (_, owned) = witness(&world.into_iter().map(account).collect());
    let mut db = db(&owned).unwrap();
    assert_eq!(db.wei(), Some(word(0)));
    for _ in 0..2 {
        for address in [A, B, NOBODY] {
            db.basic(address).unwrap();
        }
        assert_eq!(db.wei(), Some(U256::MAX));
    }
    for address in [C, NOBODY] {
        db.basic(address).unwrap();
        assert_eq!(db.wei(), None);
    }
}

#[test]
fn accounts_with_nothing_but_storage() {
    let mut world = world();
    let (_, owned) = witness(&world);
    let mut first = db(&owned).unwrap();
    first.basic(A).unwrap();
    first.basic(B).unwrap();
    assert!(!first.has_met_storage_alone());
    assert_eq!(first.is_storage_alone(B), Ok(false));
    assert_eq!(first.is_storage_alone(NOBODY), Ok(false));
    first.basic(C).unwrap();
    assert!(first.has_met_storage_alone());
    assert_eq!(first.is_storage_alone(C), Ok(true));

    world.get_mut(&C).unwrap().nonce = 1;
    let (_, owned) = witness(&world);
    let mut second = db(&owned).unwrap();
    assert_eq!(second.is_storage_alone(C), Ok(false));
    assert!(!second.has_met_storage_alone());
}

/// What may happen to an account in a transaction.
#[derive(Clone, Debug)]
enum Change {
    /// Balance and nonce; all zero and without code, the account goes (EIP-161).
    Info(u64, u64),
    Slots(Vec<(u64, u64)>),
    /// Created, with code.
    Create(Vec<(u64, u64)>),
    Destroy,
}

fn change() -> impl Strategy<Value = Change> {
    let slots = || prop::collection::vec((0..6u64, prop_oneof![Just(0), 0..4u64, any::<u64>()]), 1..6);
    prop_oneof![
        (0..3u64, 0..2u64).prop_map(|(balance, nonce)| Change::Info(balance, nonce)),
        slots().prop_map(Change::Slots),
        slots().prop_map(Change::Create),
        Just(Change::Destroy),
    ]
}

fn address_of(number: u8) -> Address {
    Address::repeat_byte(number)
}

fn account() -> impl Strategy<Value = Account> {
    let storage = prop::collection::btree_map((0..6u64).prop_map(word), (1..9u64).prop_map(word), 0..6);
    (0..2u64, any::<u64>(), prop::option::of(storage)).prop_map(|(nonce, balance, storage)| Account {
        nonce,
        balance: word(balance) + word(1),
        code: if storage.is_some() { Bytes::from_static(&[0x5b]) } else { Bytes::new() },
        storage: storage.unwrap_or_default(),
    })
}

fn slots(changed: &[(u64, u64)], before: &Account) -> Vec<(U256, EvmStorageSlot)> {
    let slot = |(slot, new): &(u64, u64)| {
        let old = before.storage.get(&word(*slot)).copied().unwrap_or_default();
        (word(*slot), EvmStorageSlot::new_changed(old, word(*new), TransactionId::ZERO))
    };
    changed.iter().map(slot).collect()
}

/// Makes a change in the model, and says it as revm does. None if it cannot happen.
fn make(world: &mut World, address: Address, change: &Change) -> Option<Touched> {
    let before = world.get(&address).cloned();
    let account = before.clone().unwrap_or_default();
    let code_hash = if account.code.is_empty() { KECCAK256_EMPTY } else { keccak256(&account.code) };
    let mut touched = match &before {
        None => Touched::new_not_existing(TransactionId::ZERO),
        Some(_) => Touched::from(AccountInfo {
            nonce: account.nonce,
            balance: account.balance,
            code_hash,
            code: None,
            account_id: None,
        }),
    };
    touched.mark_touch();
    let mut after = account.clone();
    match change {
        Change::Info(balance, nonce) => {
            (after.balance, after.nonce) = (word(*balance), (*nonce).max(account.nonce));
        }
        Change::Slots(changed) if !account.code.is_empty() => {
            touched.storage.extend(slots(changed, &account));
            after.storage.extend(changed.iter().map(|(slot, new)| (word(*slot), word(*new))));
        }
        Change::Create(changed)
            if account.code.is_empty() && account.nonce == 0 && account.storage.is_empty() =>
        {
            touched.mark_created();
            touched.storage.extend(slots(changed, &account));
            (after.nonce, after.code) = (1, Bytes::from_static(&[0x00]));
            after.storage.extend(changed.iter().map(|(slot, new)| (word(*slot), word(*new))));
        }
        Change::Destroy if before.is_some() => touched.mark_selfdestruct(),
        _ => return None,
    }
    touched.info.balance = after.balance;
    touched.info.nonce = after.nonce;
    touched.info.code_hash = if after.code.is_empty() { KECCAK256_EMPTY } else { keccak256(&after.code) };
    let is_empty = after.nonce == 0 && after.balance.is_zero() && after.code.is_empty();
    if touched.is_selfdestructed() || is_empty {
        world.remove(&address);
    } else {
        after.storage.retain(|_, word| !word.is_zero());
        world.insert(address, after);
    }
    Some(touched)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_root_after_a_block_is_that_of_the_state_after_it(
        before in prop::collection::btree_map((0..12u8).prop_map(address_of), account(), 0..10),
        changes in prop::collection::vec(((0..12u8).prop_map(address_of), change()), 0..30),
    ) {
        let (root, owned) = witness(&before);
        let run = |owned: &Owned| -> Result<(B256, World), WitnessError> {
            let mut db = db(owned)?;
            let mut world = before.clone();
            let mut state = State::builder().with_database(&mut db).with_bundle_update().build();
            for (address, change) in &changes {
                // As the EVM does: what is changed has been read.
                let error = |error| match error {
                    revm::database_interface::bal::EvmDatabaseError::Database(error) => error,
                    other => panic!("{other}"),
                };
                state.basic(*address).map_err(error)?;
                for slot in 0..6 {
                    Database::storage(&mut state, *address, word(slot)).map_err(error)?;
                }
                if let Some(touched) = make(&mut world, *address, change) {
                    state.commit([(*address, touched)].into_iter().collect());
                }
            }
            state.merge_transitions(BundleRetention::PlainState);
            let bundle = state.take_bundle();
            drop(state);
            Ok((db.state_root_after(&bundle)?, world))
        };
        let (got, world) = run(&owned).unwrap();
        let (expected, _) = witness(&world);
        prop_assert_eq!(got, expected);
        if changes.is_empty() {
            prop_assert_eq!(got, root);
        }
        // Without any one node: the same, or an error that names it.
        for at in 0..owned.state.len() {
            let mut less = owned.clone();
            let hash = keccak256(less.state.remove(at));
            match run(&less) {
                Ok((other, _)) => prop_assert_eq!(other, expected),
                Err(error) => {
                    prop_assert!(error.is_missing() && error.to_string().contains(&hash.to_string()), "{}", error);
                }
            }
        }
    }
}

#[test]
fn destroyed_and_created_again_storage_begins_anew() {
    let mut world = world();
    let (_, owned) = witness(&world);
    let mut db = db(&owned).unwrap();
    let mut state = State::builder().with_database(&mut db).with_bundle_update().build();
    for change in [Change::Destroy, Change::Create(vec![(30, 4), (31, 0)])] {
        state.basic(B).unwrap();
        let touched = make(&mut world, B, &change).unwrap();
        state.commit([(B, touched)].into_iter().collect());
    }
    state.merge_transitions(BundleRetention::PlainState);
    let bundle = state.take_bundle();
    drop(state);
    assert_eq!(world[&B].storage.len(), 1);
    let (expected, _) = witness(&world);
    // The new storage needs nothing of the old one.
    let old: Vec<Vec<u8>> = storage(&self::world()[&B]).1;
    assert!(old.len() > 3);
    assert_eq!(db.state_root_after(&bundle), Ok(expected));
}
