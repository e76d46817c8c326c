//! Valid blocks with one thing wrong, under a hash of their own: each is refused by the rule that it breaks.

mod support;

use sextant_execution::block::{Block, FormatError};
use sextant_execution::execute::ExecuteError;
use sextant_execution::input::StatelessInput;
use sextant_execution::payload::ExecutionRequests;
use sextant_execution::rules::{body::BodyError, header::HeaderError, post::PostError};
use sextant_execution::statement::{BlockError, ExecutionError, validate};
use sextant_execution::witness::WitnessError;
use support::{encode, input, resealed};

/// A block of Hoodi in Prague: 11 transactions, 16 withdrawals, logs.
const HOODI: &str = "prague_hoodi_1265656_11_4";
/// A block of a devnet in BPO1, without transactions.
const DEVNET: &str = "bpo1_zkboost_1200_0_0";

/// What refuses a block that is changed and sealed again.
fn refusal(name: &str, change: impl FnOnce(&mut StatelessInput<'_>)) -> BlockError {
    match resealed(&input(name), change) {
        Err(ExecutionError::Block(error)) => error,
        other => panic!("{name}: {other:?}"),
    }
}

macro_rules! refused {
    ($name:expr, $change:expr, $($expected:tt)+) => {
        let error = refusal($name, $change);
        assert!(matches!(error, $($expected)+), "{}: {error}", stringify!($change));
    };
}

#[test]
fn sealing_again_changes_nothing_by_itself() {
    for name in [HOODI, DEVNET] {
        assert!(resealed(&input(name), |_| ()).is_ok(), "{name}");
    }
}

#[test]
fn rules_of_the_header() {
    use BlockError::Header;
    for name in [HOODI, DEVNET] {
        refused!(name, |input| input.request.payload.block_number += 1, Header(HeaderError::Number { .. }));
        refused!(
            name,
            |input| input.request.payload.gas_limit = 1 << 63,
            Header(HeaderError::GasLimitRange(_))
        );
        refused!(
            name,
            |input| input.request.payload.gas_limit = 4999,
            Header(HeaderError::GasLimitRange(4999))
        );
        refused!(
            name,
            |input| input.request.payload.gas_limit -= 120_000,
            Header(HeaderError::GasLimit { .. })
        );
        refused!(
            name,
            |input| input.request.payload.gas_limit += 120_000,
            Header(HeaderError::GasLimit { .. })
        );
        refused!(
            name,
            |input| input.request.payload.gas_used = 70_000_000,
            Header(HeaderError::GasUsed { .. })
        );
        refused!(
            name,
            |input| input.request.payload.base_fee_per_gas[0] ^= 1,
            Header(HeaderError::BaseFee { .. })
        );
        refused!(
            name,
            |input| input.request.payload.excess_blob_gas += 131_072,
            Header(HeaderError::ExcessBlobGas { .. })
        );
    }
    // On a chain without a schedule: elsewhere the time is of another fork first.
    refused!(DEVNET, |input| input.request.payload.timestamp = 0, Header(HeaderError::Timestamp { .. }));
}

#[test]
fn rules_of_the_body() {
    let used = |input: &mut StatelessInput<'_>| input.request.payload.blob_gas_used += 131_072;
    for name in [HOODI, DEVNET] {
        refused!(name, used, BlockError::Body(BodyError::BlobGasUsed { .. }));
    }
}

#[test]
fn what_has_come_out_of_execution() {
    use BlockError::Post;
    for name in [HOODI, DEVNET] {
        refused!(name, |input| input.request.payload.gas_used += 1, Post(PostError::GasUsed { .. }));
        refused!(name, |input| input.request.payload.logs_bloom.0[9] ^= 1, Post(PostError::LogsBloom));
        refused!(
            name,
            |input| input.request.payload.receipts_root.0[0] ^= 1,
            Post(PostError::Receipts { .. })
        );
        refused!(name, |input| input.request.payload.state_root.0[0] ^= 1, Post(PostError::State { .. }));
        let more = ExecutionRequests { deposits: &[], withdrawals: &[[1; 76]], consolidations: &[] };
        refused!(name, |input| input.request.requests = Some(more), Post(PostError::Requests { .. }));
        // The fee's recipient and the beacon root are nowhere but in the state.
        refused!(
            name,
            |input| input.request.parent_beacon_block_root.0[0] ^= 1,
            Post(PostError::State { .. })
        );
    }
}

#[test]
fn transactions_in_the_wrong_place() {
    // The last one left out: gas, before anything else.
    refused!(
        HOODI,
        |input| input.request.payload.transactions.truncate(10),
        BlockError::Post(PostError::GasUsed { .. })
    );
    // One of them twice: its nonce is used. (One with blobs would have more of them than the request names.)
    const BLOBS: u8 = 3;
    refused!(
        HOODI,
        |input| {
            let transactions = &mut input.request.payload.transactions;
            let plain = *transactions.iter().find(|bytes| bytes[0] != BLOBS).unwrap();
            transactions.push(plain);
        },
        BlockError::Execute(ExecuteError::Transaction { index: 11, .. })
    );
    // On another chain.
    refused!(
        HOODI,
        |input| input.chain_id = 3_151_908,
        BlockError::Execute(ExecuteError::Transaction { index: 0, .. })
    );
}

#[test]
fn withdrawals_are_paid_out() {
    let bytes = input(HOODI);
    let mut less = StatelessInput::parse(&bytes).unwrap().request.payload.withdrawals.to_vec();
    assert_eq!(less.len(), 16);
    less[0][36] ^= 1;
    let less: &[_] = less.leak();
    refused!(
        HOODI,
        |input| input.request.payload.withdrawals = less,
        BlockError::Post(PostError::State { .. })
    );
}

#[test]
fn another_parent_is_not_in_the_witness() {
    refused!(
        HOODI,
        |input| input.request.payload.parent_hash.0[0] ^= 1,
        BlockError::Witness(WitnessError::Ancestor { .. })
    );
    refused!(HOODI, |input| input.witness.headers.clear(), BlockError::Witness(WitnessError::Headers(0)));
}

#[test]
fn without_sealing_the_hash_refuses() {
    let bytes = input(DEVNET);
    let mut input = StatelessInput::parse(&bytes).unwrap();
    input.request.payload.gas_used += 1;
    let error = Block::of_request(&input.request).unwrap_err();
    assert!(matches!(error, FormatError::Hash { .. }));
    assert!(matches!(validate(&encode(&input)), Err(ExecutionError::Format(FormatError::Hash { .. }))));
}

/// One bit of every byte of an input flipped: it is refused, or says the same, or says openly what else it says.
#[test]
fn no_byte_makes_another_statement() {
    let bytes = input(DEVNET);
    let expected = validate(&bytes).unwrap().output();
    let (mut refused, mut same) = (0, 0);
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1 << (at % 8);
        match validate(&other) {
            Err(_) => refused += 1,
            Ok(validated) if validated.output() == expected => same += 1,
            // Chain id and schema id are public: the empty block is valid on other chains and in other forks too.
            Ok(validated) => {
                assert!(at < 2 || (10..18).contains(&at), "byte {at}");
                assert_eq!(validated.output()[..33], expected[..33], "byte {at}");
            }
        }
    }
    assert!(refused > bytes.len() - 100, "{refused} refused, {same} the same, of {}", bytes.len());
}

/// Whatever is left out of a witness is needed, or makes no difference.
#[test]
fn a_witness_with_less_in_it_is_refused_or_says_the_same() {
    let bytes = input(DEVNET);
    let full = StatelessInput::parse(&bytes).unwrap();
    let expected = validate(&bytes).unwrap().output();
    let mut needed = 0;
    let mut without = |input: StatelessInput<'_>| match validate(&encode(&input)) {
        Err(ExecutionError::Block(_)) => needed += 1,
        Err(error) => panic!("{error}"),
        Ok(validated) => assert_eq!(validated.output(), expected),
    };
    for index in 0..full.witness.state.len() {
        let mut input = full.clone();
        input.witness.state.remove(index);
        without(input);
    }
    for index in 0..full.witness.codes.len() {
        let mut input = full.clone();
        input.witness.codes.remove(index);
        without(input);
    }
    // One node is not read.
    assert_eq!((needed, full.witness.state.len() + full.witness.codes.len()), (23, 24));
}
