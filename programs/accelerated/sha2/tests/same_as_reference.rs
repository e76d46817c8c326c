//! Every message length around the block boundaries, whole and in pieces, at every alignment.

use sha2::{Digest, Sha256, compress256, hash_pair};

fn message() -> Vec<u8> {
    (0..400u32).map(|i| (i * 37 + (i >> 3)) as u8).collect()
}

#[test]
fn every_length_at_every_alignment() {
    let bytes = message();
    for length in 0..=300 {
        for start in 0..8 {
            let data = &bytes[start..start + length];
            assert_eq!(Sha256::digest(data)[..], reference::Sha256::digest(data)[..], "{length} at {start}");
        }
    }
}

#[test]
fn pieces_are_the_whole() {
    let bytes = message();
    for length in 0..=200 {
        let whole = reference::Sha256::digest(&bytes[..length]);
        for piece in [1, 3, 8, 31, 32, 63, 64, 65] {
            let mut hasher = Sha256::new();
            bytes[..length].chunks(piece).for_each(|part| hasher.update(part));
            assert_eq!(hasher.clone().finalize()[..], whole[..], "{length} by {piece}");
            assert_eq!(hasher.finalize_reset()[..], whole[..]);
            assert_eq!(hasher.finalize()[..], reference::Sha256::digest([])[..]);
        }
    }
}

#[test]
fn raw_compression() {
    let blocks = [[7; 64].into(), [9; 64].into()];
    let (mut ours, mut theirs) = ([1, 2, 3, 4, 5, 6, 7, u32::MAX], [1, 2, 3, 4, 5, 6, 7, u32::MAX]);
    compress256(&mut ours, &blocks);
    reference::compress256(&mut theirs, &blocks);
    assert_eq!(ours, theirs);
}

#[test]
fn pairs_at_every_alignment() {
    let bytes = message();
    for (i, j) in (0..8).flat_map(|i| (0..8).map(move |j| (i, 64 + j))) {
        let (left, right) = (&bytes[i..i + 32], &bytes[j..j + 32]);
        let ours = hash_pair(left.try_into().unwrap(), right.try_into().unwrap());
        assert_eq!(ours[..], reference::Sha256::digest([left, right].concat())[..], "{i} {j}");
    }
}
