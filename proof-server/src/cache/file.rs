//! A kept proof as a file: [`MAGIC`] and that of proof files, each with a version; the input it was made from, what making
//! it took, the encoded record; and a checksum over all of it and over what it is kept as. A file that was damaged,
//! renamed, or written in another format is none.

use bytes::Bytes;
use sextant_protocol::{
    ProofAnswer,
    proof::{FILE_MAGIC, ProofView},
    request::ProvingCost,
};
use sha2::{Digest, Sha256};

use crate::made::ProofKey;

/// The last byte is the format's version.
const MAGIC: &[u8; 8] = b"SXTKEPT\x02";
/// Bytes of the input's digest, and of the four numbers of the cost.
const FACTS: usize = 64;

/// The name of the file with the proof for `key`.
pub(super) fn name(key: &ProofKey) -> String {
    format!("{}-{}-{}.{EXTENSION}", hex::encode(key.statement), hex::encode(key.vk_hash), key.kind)
}

/// How the names of all kept proofs end.
pub(super) const EXTENSION: &str = "kept";

/// The file's bytes.
pub(super) fn encode(key: &ProofKey, answer: &ProofAnswer) -> Vec<u8> {
    let ProvingCost { cycles, queued_ms, proving_ms, peak_memory } = answer.cost;
    let cost = [cycles, queued_ms, proving_ms, peak_memory].map(u64::to_be_bytes);
    let mut bytes =
        [&MAGIC[..], &FILE_MAGIC, &answer.input_digest, cost.as_flattened(), &answer.record].concat();
    let checksum = checksum(key, &bytes);
    bytes.extend(checksum);
    bytes
}

/// What is in a file that is named for `key`, or why it is not what its name says.
pub(super) fn decode(key: &ProofKey, bytes: Vec<u8>) -> Result<ProofAnswer, String> {
    let bytes = Bytes::from(bytes);
    let formats = [&MAGIC[..], &FILE_MAGIC].concat();
    let Some(end) = bytes.len().checked_sub(32).filter(|end| *end >= formats.len() + FACTS) else {
        return Err("it is too short".into());
    };
    if !bytes.starts_with(&formats) {
        return Err("it is of another format".into());
    }
    if checksum(key, &bytes[..end])[..] != bytes[end..] {
        return Err("it is damaged, or was renamed".into());
    }
    let facts = &bytes[formats.len()..];
    let number = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| facts[at + byte]));
    let cost = ProvingCost {
        cycles: number(32),
        queued_ms: number(40),
        proving_ms: number(48),
        peak_memory: number(56),
    };
    let input_digest = std::array::from_fn(|byte| facts[byte]);
    let record = bytes.slice(formats.len() + FACTS..end);
    let proof = ProofView::of(&record).map_err(|error| error.to_string())?;
    if ProofKey::of(&proof) != *key {
        return Err("it is the proof of something else".into());
    }
    let sha256 = Sha256::digest(&record).into();
    Ok(ProofAnswer { input_digest, cost, job: key.job(), sha256, offset: 0, record, more: 0 })
}

fn checksum(key: &ProofKey, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(key.job().0).chain_update(bytes).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::made, *};

    #[test]
    fn a_file_is_read_as_it_was_written_or_not_at_all() {
        let ((key, answer), (other, _)) = (made(1, 200), made(2, 200));
        let bytes = encode(&key, &answer);
        assert_eq!(decode(&key, bytes.clone()).unwrap(), answer);
        assert!(decode(&other, bytes.clone()).is_err(), "under another name");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(decode(&key, damaged).is_err(), "byte {at}");
            assert!(decode(&key, bytes[..at].to_vec()).is_err(), "{at} bytes");
        }
        // Written for a key that it is not the proof of: by mistake, and not by damage.
        assert!(decode(&other, encode(&other, &answer)).is_err());
    }
}
