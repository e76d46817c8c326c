//! A kept proof as a file: [`MAGIC`] and that of proof files, each with a version; the input it was made from, what making
//! it took, the encoded record; and a checksum over all of it and over the job that it is kept for. A file that was damaged,
//! renamed, or written in another format is none.

use bytes::Bytes;
use sextant_protocol::{
    JobKey, ProofAnswer,
    proof::{FILE_MAGIC, ProofView},
    request::ProvingCost,
};
use sha2::{Digest, Sha256};

use crate::made::ProofKey;

/// The last byte is the format's version.
const MAGIC: &[u8; 8] = b"SXTKEPT\x02";
/// Bytes of the input's digest, and of the four numbers of the cost.
const FACTS: usize = 64;

/// The name of the file with the proof of `job`.
pub(super) fn name(job: &JobKey) -> String {
    format!("{job}.{EXTENSION}")
}

/// How the names of all kept proofs end.
pub(super) const EXTENSION: &str = "kept";

/// The file's bytes.
pub(super) fn encode(job: &JobKey, answer: &ProofAnswer) -> Vec<u8> {
    let ProvingCost { cycles, queued_ms, proving_ms, peak_memory } = answer.cost;
    let cost = [cycles, queued_ms, proving_ms, peak_memory].map(u64::to_be_bytes);
    let mut bytes =
        [&MAGIC[..], &FILE_MAGIC, &answer.input_digest, cost.as_flattened(), &answer.record].concat();
    let checksum = checksum(job, &bytes);
    bytes.extend(checksum);
    bytes
}

/// What is in a file that is named for `job`, or why it is not what its name says.
pub(super) fn decode(job: &JobKey, bytes: Vec<u8>) -> Result<ProofAnswer, String> {
    let bytes = Bytes::from(bytes);
    let formats = [&MAGIC[..], &FILE_MAGIC].concat();
    let Some(end) = bytes.len().checked_sub(32).filter(|end| *end >= formats.len() + FACTS) else {
        return Err("it is too short".into());
    };
    if !bytes.starts_with(&formats) {
        return Err("it is of another format".into());
    }
    if checksum(job, &bytes[..end])[..] != bytes[end..] {
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
    if ProofKey::of(&proof).job() != *job {
        return Err("it is the proof of something else".into());
    }
    let sha256 = Sha256::digest(&record).into();
    Ok(ProofAnswer { input_digest, cost, job: *job, sha256, offset: 0, record, more: 0 })
}

fn checksum(job: &JobKey, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(job.0).chain_update(bytes).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::made, *};

    #[test]
    fn a_file_is_read_as_it_was_written_or_not_at_all() {
        let ((job, answer), (other, _)) = (made(1, 200), made(2, 200));
        let bytes = encode(&job, &answer);
        assert_eq!(decode(&job, bytes.clone()).unwrap(), answer);
        assert!(decode(&other, bytes.clone()).is_err(), "under another name");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert!(decode(&job, damaged).is_err(), "byte {at}");
            assert!(decode(&job, bytes[..at].to_vec()).is_err(), "{at} bytes");
        }
        // Written for a job that it is not the proof of: by mistake, and not by damage.
        assert!(decode(&other, encode(&other, &answer)).is_err());
    }

    /// A server of another version keeps its proofs in the same folder: whole, and not to be read here.
    #[test]
    fn a_file_of_another_version_is_refused_though_it_is_whole() {
        let (job, answer) = made(1, 200);
        let whole = encode(&job, &answer);
        for version in [MAGIC.len() - 1, MAGIC.len() + FILE_MAGIC.len() - 1] {
            let mut other = whole[..whole.len() - 32].to_vec();
            other[version] += 1;
            let checksum = checksum(&job, &other);
            other.extend(checksum);
            assert_eq!(decode(&job, other), Err("it is of another format".into()));
        }
    }
}
