//! Deposits in the logs of the deposit contract (EIP-6110; execution-specs, prague/requests.py `extract_deposit_data`).
//!
//! The executor reads them as ABI allows, offsets and lengths as they come; the specification wants the one layout that
//! the contract writes and refuses the block otherwise. On the public chains there is no difference, on a devnet with
//! another contract there may be: here they are read strictly, and must be what the executor has found.

use alloc::vec::Vec;

use alloy_consensus::{ReceiptEnvelope, TxReceipt};
use alloy_eips::{eip6110::DEPOSIT_REQUEST_TYPE, eip7685::Requests};
use alloy_primitives::{Address, B256, b256};

/// Keccak-256 of `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const DEPOSIT_EVENT: B256 = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Bytes of such a log.
const LOG_BYTES: usize = 576;
/// Where each of the five values stands in a log, its length in 32 bytes first, and that length.
const VALUES: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];

/// What is wrong with a block's deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DepositError {
    /// A log is longer or shorter than a deposit's.
    #[error("a deposit's log of {0} bytes, where {LOG_BYTES} are due")]
    Length(usize),
    /// A value does not stand where it should, or is of another length.
    #[error("a deposit's log has value {0} elsewhere, or of another length")]
    Layout(usize),
    /// The executor has found other deposits than there are.
    #[error("the deposits requested are not those of the deposit contract's logs")]
    Others,
}

/// Checks that the deposits in `requests` are those of the contract's logs, in their order.
///
/// # Errors
/// [`DepositError`].
pub fn check(
    receipts: &[ReceiptEnvelope],
    requests: &Requests,
    contract: Address,
) -> Result<(), DepositError> {
    let mut deposits = Vec::new();
    let logs = receipts.iter().flat_map(TxReceipt::logs).filter(|log| log.address == contract);
    for log in logs.filter(|log| log.topics().first() == Some(&DEPOSIT_EVENT)) {
        append(&log.data.data, &mut deposits)?;
    }
    let requested = requests.iter().find(|list| list.first() == Some(&DEPOSIT_REQUEST_TYPE));
    let requested = requested.map_or(&[][..], |list| &list[1..]);
    if requested == deposits { Ok(()) } else { Err(DepositError::Others) }
}

/// Appends the five values of a deposit's log.
fn append(log: &[u8], deposits: &mut Vec<u8>) -> Result<(), DepositError> {
    let log: &[u8; LOG_BYTES] = log.try_into().map_err(|_| DepositError::Length(log.len()))?;
    for (index, (at, length)) in VALUES.into_iter().enumerate() {
        if !is_word(&log[32 * index..][..32], at) || !is_word(&log[at..][..32], length) {
            return Err(DepositError::Layout(index));
        }
        deposits.extend_from_slice(&log[at + 32..][..length]);
    }
    Ok(())
}

/// Whether 32 big-endian bytes are this number.
fn is_word(word: &[u8], number: usize) -> bool {
    let (zeros, end) = word.split_at(24);
    zeros.iter().all(|byte| *byte == 0) && end == (number as u64).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloy_consensus::Receipt;
    use alloy_eips::eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS as CONTRACT;
    use alloy_primitives::{Bytes, Log};

    /// A log as the contract writes it, and the deposit in it.
    fn deposit(byte: u8) -> (Vec<u8>, Vec<u8>) {
        let (mut log, mut values) = (vec![0; LOG_BYTES], Vec::new());
        for (index, (at, length)) in VALUES.into_iter().enumerate() {
            log[32 * index + 24..][..8].copy_from_slice(&(at as u64).to_be_bytes());
            log[at + 24..][..8].copy_from_slice(&(length as u64).to_be_bytes());
            log[at + 32..][..length].fill(byte + index as u8);
            values.extend(vec![byte + index as u8; length]);
        }
        (log, values)
    }

    fn receipt(address: Address, topic: B256, data: Vec<u8>) -> ReceiptEnvelope {
        let log = Log::new_unchecked(address, vec![topic], data.into());
        ReceiptEnvelope::Legacy(
            Receipt { status: true.into(), cumulative_gas_used: 0, logs: vec![log] }.with_bloom(),
        )
    }

    fn requests(deposits: &[u8]) -> Requests {
        let list: Bytes = [&[DEPOSIT_REQUEST_TYPE], deposits].concat().into();
        Requests::new(if deposits.is_empty() { vec![] } else { vec![list] })
    }

    #[test]
    fn deposits_are_those_of_the_logs_in_order() {
        let (first, second) = (deposit(1), deposit(7));
        let receipts = [
            receipt(CONTRACT, DEPOSIT_EVENT, first.0.clone()),
            // Of another contract, and of another event: none.
            receipt(Address::ZERO, DEPOSIT_EVENT, vec![1]),
            receipt(CONTRACT, B256::ZERO, vec![2]),
            receipt(CONTRACT, DEPOSIT_EVENT, second.0),
        ];
        let both = [first.1.clone(), second.1.clone()].concat();
        assert_eq!(check(&receipts, &requests(&both), CONTRACT), Ok(()));
        for other in [first.1.clone(), [second.1, first.1].concat(), vec![]] {
            assert_eq!(check(&receipts, &requests(&other), CONTRACT), Err(DepositError::Others));
        }
        assert_eq!(check(&[], &requests(&[]), CONTRACT), Ok(()));
    }

    #[test]
    fn another_layout_is_refused() {
        let (log, values) = deposit(1);
        let verdict = |log: &[u8]| {
            check(&[receipt(CONTRACT, DEPOSIT_EVENT, log.to_vec())], &requests(&values), CONTRACT)
        };
        assert_eq!(verdict(&log), Ok(()));
        assert_eq!(verdict(&log[1..]), Err(DepositError::Length(575)));
        assert_eq!(verdict(&[&log[..], &[0]].concat()), Err(DepositError::Length(577)));
        for (index, (at, _)) in VALUES.into_iter().enumerate() {
            for place in [32 * index, 32 * index + 31, at, at + 31] {
                let mut other = log.clone();
                other[place] ^= 1;
                assert_eq!(verdict(&other), Err(DepositError::Layout(index)), "byte {place}");
            }
        }
    }

    #[test]
    fn the_event_has_its_hash() {
        let name = "DepositEvent(bytes,bytes,bytes,bytes,bytes)";
        assert_eq!(alloy_primitives::keccak256(name), DEPOSIT_EVENT);
    }
}
