//! Transactions, logs and absent logs of recorded mainnet blocks, compared with the JSON that was recorded beside them.

use serde_json::Value;
use sextant_consensus::ancestry::HISTORY_ADDRESS;
use sextant_consensus::bls::Plain;
use sextant_consensus::events::{EventsError, LogFilter, NoLogError};
use sextant_consensus::hash::keccak256;
use sextant_consensus::inclusion::{self, InclusionError};
use sextant_consensus::public_values::{Inclusion, LogData};
use sextant_consensus::receipt::Receipt;
use sextant_fixtures::events::{
    FAILED, LONG_LOG, TRANSFER, everything, no_log_by_filter, no_log_by_receipts, one_log, three_transactions,
};
use sextant_fixtures::mainnet_events::{LARGE, SMALL, block};
use sextant_fixtures::{data, gloas};

fn check(input: &inclusion::Input) -> Inclusion {
    inclusion::check(input, &mut Plain).unwrap()
}

/// The receipts as the node answered them.
fn recorded(number: u64) -> Value {
    let text = std::fs::read(data().join(format!("mainnet-events/receipts-{number}.json"))).unwrap();
    serde_json::from_slice::<Value>(&text).unwrap()["result"].take()
}

/// Compares every proven transaction and log with what was recorded.
fn assert_recorded(values: &Inclusion, number: u64) {
    let receipts = recorded(number);
    let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    for transaction in &values.transactions {
        let receipt = &receipts[transaction.index as usize];
        if transaction.hash != [0; 32] {
            assert_eq!(hex(&transaction.hash), receipt["transactionHash"].as_str().unwrap());
        }
        assert_eq!(transaction.succeeded, receipt["status"] == "0x1");
    }
    for log in &values.logs {
        let recorded = &receipts[log.transaction as usize]["logs"][log.position as usize];
        assert_eq!(hex(&log.address), recorded["address"].as_str().unwrap());
        let topics: Vec<Value> = log.topics.iter().map(|topic| hex(topic).into()).collect();
        assert_eq!(&topics, recorded["topics"].as_array().unwrap());
        let data = recorded["data"].as_str().unwrap();
        match &log.data {
            LogData::Whole(bytes) => assert_eq!(hex(bytes), data),
            LogData::Hash(hash) => {
                let bytes = hex::decode(&data[2..]).unwrap();
                assert!(bytes.len() > 1024);
                assert_eq!(*hash, keccak256(&bytes));
            }
        }
    }
}

#[test]
fn a_log_with_its_transaction() {
    let values = check(&one_log());
    assert_recorded(&values, LARGE);
    assert_eq!((values.transactions.len(), values.logs.len(), values.accounts.len()), (1, 1, 0));
    assert_eq!((values.transactions[0].index, values.logs[0].position), (TRANSFER, 0));
    assert_ne!(values.transactions[0].hash, [0; 32]);
    let block = block(LARGE);
    assert_eq!(values.facts.receipts_root, block.receipts_root);
    assert_eq!(values.facts.timestamp, block.timestamp);
    assert_eq!(values.facts.hash, values.head.block_hash);
}

#[test]
fn failed_ones_long_data_and_receipts_alone() {
    let values = check(&three_transactions());
    assert_recorded(&values, LARGE);
    let indices: Vec<u32> = values.transactions.iter().map(|transaction| transaction.index).collect();
    assert_eq!(indices, [0, LONG_LOG.0, FAILED]);
    assert_eq!(values.transactions[0].hash, [0; 32]);
    assert!(values.transactions[1].succeeded && !values.transactions[2].succeeded);
    let positions: Vec<u32> = values.logs.iter().map(|log| log.position).collect();
    assert_eq!(positions, [0, 4, LONG_LOG.1]);
    assert_eq!(values.logs.iter().filter(|log| matches!(log.data, LogData::Hash(_))).count(), 1);
    assert_eq!(values.accounts, check(&gloas::inclusion()).accounts);
}

#[test]
fn absent_logs() {
    let by_filter = check(&no_log_by_filter());
    assert_eq!((by_filter.no_logs.len(), by_filter.no_logs[0].address), (1, HISTORY_ADDRESS));
    assert_eq!((by_filter.facts.number, by_filter.logs.len()), (SMALL, 0));

    let by_receipts = check(&no_log_by_receipts());
    assert_recorded(&by_receipts, SMALL);
    assert_eq!((by_receipts.no_logs.len(), by_receipts.logs.len()), (1, 2));
    // Without the receipts, the filter alone does not say so.
    let mut input = no_log_by_receipts();
    (input.receipts, input.transactions) = (vec![], vec![]);
    assert!(inclusion::check(&input, &mut Plain).is_err());
}

#[test]
fn a_log_that_is_there_is_found_among_many_filters() {
    let block = block(SMALL);
    let mut seen = [0; 5];
    for bytes in block.receipts.iter().take(20) {
        for log in Receipt::read(bytes).unwrap().logs().take(3).map(Result::unwrap) {
            let topics: Vec<[u8; 32]> = log.topics().map(|topic| *topic.unwrap()).collect();
            for count in 0..=topics.len() {
                let there = LogFilter { address: *log.address, topics: topics[..count].to_vec() };
                let mut filters = vec![there.clone()];
                // None of these is in the block.
                for other in [[1; 32], [0xfe; 32]] {
                    let wrong = [&topics[..count], &[other]].concat();
                    filters
                        .extend((count < 4).then_some(LogFilter { topics: wrong.clone(), ..there.clone() }));
                    filters.push(LogFilter { topics: vec![], address: other[..20].try_into().unwrap() });
                }
                filters.sort();
                let position = filters.binary_search(&there).unwrap();
                let mut input = no_log_by_receipts();
                input.no_logs = filters;
                match inclusion::check(&input, &mut Plain).unwrap_err() {
                    InclusionError::Events(EventsError::NoLog {
                        no_log,
                        error: NoLogError::Found { .. },
                    }) => assert_eq!(no_log, position),
                    other => panic!("{other}"),
                }
                input.no_logs.remove(position);
                assert_eq!(inclusion::check(&input, &mut Plain).unwrap().no_logs.len(), input.no_logs.len());
                seen[count] += 1;
            }
        }
    }
    assert!(seen[..4].iter().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn all_of_it_in_one_statement() {
    let values = check(&everything());
    assert_recorded(&values, LARGE);
    assert_eq!(values.head.signer_period, gloas::PERIOD);
    assert_eq!((values.learned.len(), values.learned[0].period), (1, gloas::PERIOD + 1));
    assert_eq!(values.facts.number + 60, values.head.block_number);
    assert_eq!(values.facts.state_root, gloas::state_root());
    assert_ne!(values.facts.state_root, values.head.state_root);
    assert_eq!(
        (values.accounts.len(), values.transactions.len(), values.logs.len(), values.no_logs.len()),
        (1, 1, 1, 1)
    );
}

/// A filter is an address and the first topics.
#[test]
fn a_log_matches_what_it_begins_with_and_nothing_else() {
    let mut logs = 0;
    for envelope in block(SMALL).receipts {
        for log in Receipt::read(&envelope).unwrap().logs() {
            let log = log.unwrap();
            let topics: Vec<[u8; 32]> = log.topics().map(|topic| *topic.unwrap()).collect();
            for known in 0..=topics.len() {
                assert_eq!(log.matches(log.address, &topics[..known]), Ok(true));
            }
            let mut other = *log.address;
            other[19] ^= 1;
            assert_eq!(log.matches(&other, &topics), Ok(false));
            assert_eq!(log.matches(log.address, &[&topics[..], &[[0; 32]]].concat()), Ok(false));
            for wrong in 0..topics.len() {
                let mut edited = topics.clone();
                edited[wrong][0] ^= 1;
                assert_eq!(log.matches(log.address, &edited), Ok(false), "topic {wrong}");
            }
            logs += 1;
        }
    }
    assert!(logs > 50, "{logs}");
}
