//! Every message length around the block boundaries, whole and in pieces, at every alignment.

use tiny_keccak::{Hasher, Keccak, keccakf};

fn message() -> Vec<u8> {
    (0..400u32).map(|i| (i * 37 + (i >> 3)) as u8).collect()
}

fn theirs(data: &[u8]) -> [u8; 32] {
    let (mut hasher, mut digest) = (reference::Keccak::v256(), [0; 32]);
    reference::Hasher::update(&mut hasher, data);
    reference::Hasher::finalize(hasher, &mut digest);
    digest
}

fn ours<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let (mut hasher, mut digest) = (Keccak::v256(), [0; 32]);
    pieces.into_iter().for_each(|piece| hasher.update(piece));
    hasher.finalize(&mut digest);
    digest
}

#[test]
fn every_length_at_every_alignment() {
    let bytes = message();
    for length in 0..=300 {
        for start in 0..8 {
            let data = &bytes[start..start + length];
            assert_eq!(ours([data]), theirs(data), "{length} at {start}");
        }
    }
}

#[test]
fn pieces_are_the_whole() {
    let bytes = message();
    for length in 0..=300 {
        for piece in [1, 7, 8, 32, 135, 136, 137] {
            assert_eq!(ours(bytes[..length].chunks(piece)), theirs(&bytes[..length]), "{length} by {piece}");
        }
    }
}

#[test]
fn the_permutation_itself() {
    let mut state = core::array::from_fn(|i| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut reference = state;
    keccakf(&mut state);
    reference::keccakf(&mut reference);
    assert_eq!(state, reference);
}
