use super::*;
use alloy_eips::eip1559::BaseFeeParams;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{B64, B256, Bytes};
use proptest::prelude::*;

const FORKS: [EthereumHardfork; 5] = [
    EthereumHardfork::Cancun,
    EthereumHardfork::Prague,
    EthereumHardfork::Osaka,
    EthereumHardfork::Bpo1,
    EthereumHardfork::Bpo2,
];

fn rules(hardfork: EthereumHardfork) -> Rules {
    Rules::of(1, hardfork).unwrap()
}

fn parent() -> Header {
    Header {
        number: 100,
        timestamp: 1000,
        gas_limit: 30_000_000,
        gas_used: 20_000_000,
        base_fee_per_gas: Some(1_000_000_000),
        withdrawals_root: Some(B256::ZERO),
        blob_gas_used: Some(6 * DATA_GAS_PER_BLOB),
        excess_blob_gas: Some(50 * DATA_GAS_PER_BLOB),
        ..Header::default()
    }
}

/// A header that keeps all rules on [`parent`].
fn child(rules: &Rules) -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        number: 101,
        timestamp: 1001,
        gas_limit: 30_000_000,
        gas_used: 21_000,
        base_fee_per_gas: next_base_fee(&parent()),
        excess_blob_gas: next_excess_blob_gas(&parent(), rules),
        blob_gas_used: Some(0),
        withdrawals_root: Some(B256::ZERO),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: rules.is_prague().then_some(B256::ZERO),
        ..Header::default()
    }
}

/// The verdict on a child that is changed, under the rules of Prague.
fn changed(change: impl FnOnce(&mut Header)) -> Result<(), HeaderError> {
    let rules = rules(EthereumHardfork::Prague);
    let mut header = child(&rules);
    change(&mut header);
    check(&header, &parent(), &rules)
}

#[test]
fn a_header_that_keeps_the_rules_is_accepted_in_every_fork() {
    for fork in FORKS {
        let rules = rules(fork);
        assert_eq!(check(&child(&rules), &parent(), &rules), Ok(()), "{fork:?}");
    }
}

#[test]
fn number_and_time_move_on() {
    use HeaderError::{Number, Timestamp};
    for got in [0, 100, 102, u64::MAX] {
        assert_eq!(changed(|header| header.number = got), Err(Number { got, parent: 100 }));
    }
    for got in [0, 999, 1000] {
        assert_eq!(changed(|header| header.timestamp = got), Err(Timestamp { got, parent: 1000 }));
    }
    assert_eq!(changed(|header| header.timestamp = u64::MAX), Ok(()));
    let rules = rules(EthereumHardfork::Prague);
    let last = Header { number: u64::MAX, ..parent() };
    let error = Number { got: 0, parent: u64::MAX };
    assert_eq!(check(&Header { number: 0, ..child(&rules) }, &last, &rules), Err(error));
}

#[test]
fn fields_of_work_are_those_of_a_block_without() {
    use HeaderError::Work;
    assert_eq!(changed(|header| header.difficulty = U256::from(1)), Err(Work("difficulty")));
    assert_eq!(changed(|header| header.nonce = B64::with_last_byte(1)), Err(Work("nonce")));
    assert_eq!(changed(|header| header.ommers_hash = B256::ZERO), Err(Work("ommers_hash")));
}

#[test]
fn extra_data_is_short() {
    assert_eq!(changed(|header| header.extra_data = Bytes::from_static(&[0; 32])), Ok(()));
    let error = Err(HeaderError::ExtraData(33));
    assert_eq!(changed(|header| header.extra_data = Bytes::from_static(&[0; 33])), error);
}

#[test]
fn exactly_the_forks_fields_are_there() {
    let missing = |name| Err(HeaderError::Field { name, present: false });
    assert_eq!(changed(|header| header.base_fee_per_gas = None), missing("base_fee_per_gas"));
    assert_eq!(changed(|header| header.withdrawals_root = None), missing("withdrawals_root"));
    assert_eq!(changed(|header| header.blob_gas_used = None), missing("blob_gas_used"));
    assert_eq!(changed(|header| header.excess_blob_gas = None), missing("excess_blob_gas"));
    assert_eq!(changed(|header| header.parent_beacon_block_root = None), missing("parent_beacon_block_root"));
    assert_eq!(changed(|header| header.requests_hash = None), missing("requests_hash"));

    let surplus = |name| Err(HeaderError::Field { name, present: true });
    let list = changed(|header| header.block_access_list_hash = Some(B256::ZERO));
    assert_eq!(list, surplus("block_access_list_hash"));
    assert_eq!(changed(|header| header.slot_number = Some(1)), surplus("slot_number"));
    let cancun = rules(EthereumHardfork::Cancun);
    let header = Header { requests_hash: Some(B256::ZERO), ..child(&cancun) };
    assert_eq!(check(&header, &parent(), &cancun), surplus("requests_hash"));
}

#[test]
fn gas_used_is_under_the_limit() {
    let limit = 30_000_000;
    assert_eq!(changed(|header| header.gas_used = limit), Ok(()));
    let error = HeaderError::GasUsed { used: limit + 1, limit };
    assert_eq!(changed(|header| header.gas_used = limit + 1), Err(error));
}

#[test]
fn the_gas_limit_moves_by_less_than_a_1024th() {
    let (parent, step) = (30_000_000, 30_000_000 / 1024);
    for got in [parent - step + 1, parent + step - 1] {
        assert_eq!(changed(|header| header.gas_limit = got), Ok(()));
    }
    for got in [parent - step, parent + step] {
        assert_eq!(changed(|header| header.gas_limit = got), Err(HeaderError::GasLimit { got, parent }));
    }
}

#[test]
fn the_gas_limit_has_bounds() {
    for got in [0, 4999, 1 << 63, u64::MAX] {
        assert_eq!(changed(|header| header.gas_limit = got), Err(HeaderError::GasLimitRange(got)));
    }
    let rules = rules(EthereumHardfork::Prague);
    for (limit, bound) in [(5000, 5001), (MAX_GAS_LIMIT, MAX_GAS_LIMIT - 1)] {
        let parent = Header { gas_limit: bound, gas_used: bound / 2, ..parent() };
        let base_fee_per_gas = next_base_fee(&parent);
        let header = Header { gas_limit: limit, gas_used: 0, base_fee_per_gas, ..child(&rules) };
        assert_eq!(check(&header, &parent, &rules), Ok(()), "{limit}");
    }
}

#[test]
fn the_base_fee_follows_from_the_parent() {
    let expected = next_base_fee(&parent());
    for got in [0, expected.unwrap() - 1, expected.unwrap() + 1, u64::MAX] {
        let error = HeaderError::BaseFee { got, expected };
        assert_eq!(changed(|header| header.base_fee_per_gas = Some(got)), Err(error));
    }
}

#[test]
fn excess_blob_gas_follows_from_the_parent() {
    for fork in FORKS {
        let rules = rules(fork);
        let expected = next_excess_blob_gas(&parent(), &rules);
        for got in [0, expected.unwrap() - 1, expected.unwrap() + 1, u64::MAX] {
            let header = Header { excess_blob_gas: Some(got), ..child(&rules) };
            let error = HeaderError::ExcessBlobGas { got, expected };
            assert_eq!(check(&header, &parent(), &rules), Err(error), "{fork:?}");
        }
    }
}

/// EIP-7918 by hand: 8192 gas at the base fee against 131072 blob gas at the blob fee.
#[test]
fn from_osaka_on_blobs_cost_no_less_than_the_execution_they_need() {
    let blobs = |count: u64| count * DATA_GAS_PER_BLOB;
    let osaka = rules(EthereumHardfork::Osaka);
    let at = |base_fee| Header {
        base_fee_per_gas: Some(base_fee),
        excess_blob_gas: Some(0),
        blob_gas_used: Some(blobs(9)),
        ..parent()
    };
    // A blob fee of 1 wei: at 16 wei of base fee both cost the same.
    assert_eq!(next_excess_blob_gas(&at(16), &osaka), Some(blobs(3)));
    assert_eq!(next_excess_blob_gas(&at(17), &osaka), Some(blobs(9) * 3 / 9));
    let bpo2 = rules(EthereumHardfork::Bpo2);
    let dear = Header { blob_gas_used: Some(blobs(21)), ..at(17) };
    assert_eq!(next_excess_blob_gas(&dear, &bpo2), Some(blobs(21) * 7 / 21));
    let cheap = Header { blob_gas_used: Some(blobs(21)), ..at(16) };
    assert_eq!(next_excess_blob_gas(&cheap, &bpo2), Some(blobs(7)));
    // Before Osaka the base fee does not matter.
    assert_eq!(next_excess_blob_gas(&at(17), &rules(EthereumHardfork::Prague)), Some(blobs(3)));
    // Under the target there is no excess, in any fork.
    let few = Header { blob_gas_used: Some(blobs(5)), ..at(u64::MAX) };
    assert_eq!(next_excess_blob_gas(&few, &osaka), Some(0));
}

#[test]
fn a_parent_from_before_cancun_is_one_without_blobs() {
    let cancun = rules(EthereumHardfork::Cancun);
    let before = Header { excess_blob_gas: None, blob_gas_used: None, ..parent() };
    assert_eq!(next_excess_blob_gas(&before, &cancun), Some(0));
    let header = Header { excess_blob_gas: Some(0), ..child(&cancun) };
    assert_eq!(check(&header, &before, &cancun), Ok(()));
}

#[test]
fn a_blob_fee_that_has_no_place_is_refused() {
    let rules = rules(EthereumHardfork::Prague);
    let excess = u64::MAX - 6 * DATA_GAS_PER_BLOB;
    let parent = Header { excess_blob_gas: Some(excess), ..parent() };
    let header = Header { excess_blob_gas: Some(excess), ..child(&rules) };
    assert_eq!(check(&header, &parent, &rules), Err(HeaderError::BlobFee(excess)));
    // What all blobs of a block cost has to have one, too: from about these excesses on it has none.
    let limits = [250_900_000, 374_300_000, 374_300_000, 619_500_000, 863_400_000]
        .map(|limit| limit - 1_000_000..limit + 1_000_000);
    for (fork, mut limits) in FORKS.into_iter().zip(limits) {
        let rules = self::rules(fork);
        let params = rules.blob_params();
        let is_too_dear = |excess: &u64| {
            let gas = U256::from(params.max_blob_gas_per_block());
            U256::from(params.calc_blob_fee(*excess)) * gas >= U256::from(1) << 128
        };
        assert!(!is_too_dear(&limits.start) && is_too_dear(&limits.end), "{fork:?}");
        while limits.end - limits.start > 1 {
            let middle = limits.start.midpoint(limits.end);
            if is_too_dear(&middle) { limits.end = middle } else { limits.start = middle }
        }
        let verdict = |excess| {
            let used = params.target_blob_gas_per_block();
            let parent =
                Header { excess_blob_gas: Some(excess), blob_gas_used: Some(used), ..self::parent() };
            check(&Header { excess_blob_gas: Some(excess), ..child(&rules) }, &parent, &rules)
        };
        assert_eq!(verdict(limits.start), Ok(()));
        assert_eq!(verdict(limits.end), Err(HeaderError::BlobFee(limits.end)));
    }
    // And an excess that has none.
    let parent = Header { excess_blob_gas: Some(u64::MAX), blob_gas_used: Some(u64::MAX), ..parent };
    let error = HeaderError::ExcessBlobGas { got: excess, expected: None };
    assert_eq!(check(&header, &parent, &rules), Err(error));
}

#[test]
fn a_parent_that_leads_to_no_base_fee_is_refused() {
    let without = Header { base_fee_per_gas: None, ..parent() };
    assert_eq!(next_base_fee(&without), None);
    assert_eq!(next_base_fee(&Header { gas_limit: 1, ..parent() }), None);
    assert_eq!(next_base_fee(&Header { base_fee_per_gas: Some(u64::MAX), ..parent() }), None);
}

proptest! {
    #[test]
    fn base_fees_are_those_of_alloy(
        fee in 0u64..1 << 50, limit in 5000u64..1 << 40, used in 0.0f64..=1.0,
    ) {
        let gas_used = (limit as f64 * used) as u64;
        let parent = Header { base_fee_per_gas: Some(fee), gas_limit: limit, gas_used, ..parent() };
        prop_assert_eq!(next_base_fee(&parent), parent.next_block_base_fee(BaseFeeParams::ethereum()));
    }

    #[test]
    fn excesses_are_those_of_alloy(
        excess in 0u64..400, used in 0u64..=21, fee in prop_oneof![0u64..1000, 0u64..1 << 50], fork in 0usize..5,
    ) {
        use alloy_consensus::BlockHeader;
        let rules = rules(FORKS[fork]);
        let parent = Header {
            base_fee_per_gas: Some(fee),
            excess_blob_gas: Some(excess * DATA_GAS_PER_BLOB),
            blob_gas_used: Some(used * DATA_GAS_PER_BLOB),
            ..parent()
        };
        let expected = parent.maybe_next_block_excess_blob_gas(Some(*rules.blob_params()));
        prop_assert_eq!(next_excess_blob_gas(&parent, &rules), expected);
    }

    /// Anybody may choose the parent's numbers.
    #[test]
    fn no_parent_panics(numbers: [u64; 7], fork in 0usize..5) {
        let rules = rules(FORKS[fork]);
        let [number, timestamp, gas_limit, gas_used, fee, blobs, excess] = numbers;
        let parent = Header {
            number, timestamp, gas_limit, gas_used,
            base_fee_per_gas: Some(fee), blob_gas_used: Some(blobs), excess_blob_gas: Some(excess),
            ..parent()
        };
        let _ = check(&child(&rules), &parent, &rules);
        let header = Header {
            number: number.wrapping_add(1), timestamp: u64::MAX, gas_limit, gas_used: 0,
            base_fee_per_gas: next_base_fee(&parent), excess_blob_gas: next_excess_blob_gas(&parent, &rules),
            ..child(&rules)
        };
        let _ = check(&header, &parent, &rules);
    }
}
