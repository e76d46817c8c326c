//! Accounts and their slots.

use alloc::vec::Vec;

use super::{Account, Slot};
use crate::abi::{AbiError, Reader, Word, Writer, array_word, bool_word, u64_word};

/// Words of an [`Account`] before its slots' offset.
const ACCOUNT_WORDS: u64 = 6;
/// Offset of an account's slots.
const SLOTS_OFFSET: u64 = (ACCOUNT_WORDS + 1) * 32;
/// Words of a [`Slot`].
const SLOT_WORDS: u64 = 3;

/// Bytes of the whole list, with its length.
pub(super) fn size(accounts: &[Account]) -> u64 {
    32 + accounts.iter().map(|account| 32 + account_size(account)).sum::<u64>()
}

pub(super) fn write(accounts: &[Account], out: &mut Writer) {
    out.list(accounts, account_size);
    accounts.iter().for_each(|account| account.write(out));
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Vec<Account>, AbiError> {
    reader.list("accounts", "account offset", 1 + ACCOUNT_WORDS, Account::read, account_size)
}

fn account_size(account: &Account) -> u64 {
    SLOTS_OFFSET + 32 + account.slots.len() as u64 * SLOT_WORDS * 32
}

impl Account {
    fn write(&self, out: &mut Writer) {
        out.word(array_word(&self.address));
        out.word(bool_word(self.exists));
        out.word(u64_word(self.nonce));
        out.word(self.balance);
        out.word(self.storage_root);
        out.word(self.code_hash);
        out.word(u64_word(SLOTS_OFFSET));
        out.word(u64_word(self.slots.len() as u64));
        for slot in &self.slots {
            out.word(slot.key);
            out.word(bool_word(slot.exists));
            out.word(slot.value);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, AbiError> {
        let address = reader.array("address")?;
        let exists = reader.bool("exists")?;
        let nonce = reader.u64("nonce")?;
        let [balance, storage_root, code_hash]: [Word; 3] = [reader.word()?, reader.word()?, reader.word()?];
        reader.expect("slots offset", SLOTS_OFFSET)?;
        let count = reader.count("slots", SLOT_WORDS)?;
        let slots = (0..count)
            .map(|_| {
                Ok(Slot { key: reader.word()?, exists: reader.bool("slot exists")?, value: reader.word()? })
            })
            .collect::<Result<_, AbiError>>()?;
        Ok(Self { address, exists, nonce, balance, storage_root, code_hash, slots })
    }
}
