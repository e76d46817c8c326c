use super::*;
use alloc::vec;
use proptest::prelude::*;

const FIELDS: [Field; 4] = [("a", Some(2)), ("b", None), ("c", Some(1)), ("d", None)];

fn encoded(b: &[u8], d: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1, 2];
    bytes.extend(11u32.to_le_bytes());
    bytes.push(3);
    bytes.extend((11 + b.len() as u32).to_le_bytes());
    bytes.extend(b);
    bytes.extend(d);
    bytes
}

#[test]
fn containers_are_cut_where_their_offsets_say() {
    for (b, d) in [(&[][..], &[][..]), (&[7], &[]), (&[], &[8, 9]), (&[7], &[8, 9])] {
        assert_eq!(container(&encoded(b, d), &FIELDS), Ok([&[1, 2][..], b, &[3], d]));
    }
}

#[test]
fn a_container_refuses_wrong_offsets() {
    let good = encoded(&[7], &[8, 9]);
    let refuse = |at: usize, value: u8, what, expected| {
        let mut bytes = good.clone();
        bytes[at] = value;
        let error = SszError::Offset { what, got: usize::from(value), expected };
        assert_eq!(container(&bytes, &FIELDS), Err(error));
    };
    // The first has one place, the others lie between the one before and the end.
    refuse(2, 10, "b", 11);
    refuse(2, 12, "b", 11);
    refuse(7, 10, "d", 11);
    refuse(7, 15, "d", 11);
    let error = SszError::Short { what: "d", wanted: 4, left: 3 };
    assert_eq!(container(&good[..10], &FIELDS), Err(error));
    assert_eq!(container(&[], &FIELDS), Err(SszError::Short { what: "a", wanted: 2, left: 0 }));
    // One varying field alone, which points beyond the end.
    let error = SszError::Short { what: "x", wanted: 4, left: 0 };
    assert_eq!(container(&[], &[("x", None)]), Err(error));
}

#[test]
fn lists_of_bytes() {
    let list = |bytes: &[u8]| byte_lists("list", bytes, 3, 4).map(|items| items.concat());
    assert_eq!(byte_lists("list", &[], 3, 4), Ok(vec![]));
    let two = [8, 0, 0, 0, 9, 0, 0, 0, 1, 2, 3];
    assert_eq!(byte_lists("list", &two, 3, 4), Ok(vec![&[1][..], &[2, 3]]));
    assert_eq!(list(&[4, 0, 0, 0]), Ok(vec![]));

    let what = "list";
    assert_eq!(list(&[4, 0, 0]), Err(SszError::Short { what, wanted: 4, left: 3 }));
    assert_eq!(list(&[0, 0, 0, 0]), Err(SszError::Elements { what, got: 0, size: 4 }));
    assert_eq!(list(&[5, 0, 0, 0, 1]), Err(SszError::Elements { what, got: 5, size: 4 }));
    assert_eq!(list(&[8, 0, 0, 0, 1]), Err(SszError::Offset { what, got: 8, expected: 5 }));
    // Back, and beyond the end.
    assert_eq!(list(&[8, 0, 0, 0, 7, 0, 0, 0, 1]), Err(SszError::Offset { what, got: 7, expected: 8 }));
    assert_eq!(list(&[8, 0, 0, 0, 10, 0, 0, 0, 1]), Err(SszError::Offset { what, got: 10, expected: 8 }));
    let four = [[16, 0, 0, 0]; 4].concat();
    assert_eq!(list(&four), Err(SszError::Limit { what, got: 4, limit: 3 }));
    assert_eq!(list(&[4, 0, 0, 0, 1, 2, 3, 4, 5]), Err(SszError::Limit { what, got: 5, limit: 4 }));
}

#[test]
fn lists_of_elements() {
    assert_eq!(elements("list", &[], 1), Ok(&[][..] as &[[u8; 2]]));
    assert_eq!(elements("list", &[1, 2, 3, 4], 2), Ok(&[[1, 2], [3, 4]][..]));
    let what = "list";
    assert_eq!(elements::<2>(what, &[1, 2, 3], 2), Err(SszError::Elements { what, got: 3, size: 2 }));
    assert_eq!(elements::<2>(what, &[0; 6], 2), Err(SszError::Limit { what, got: 3, limit: 2 }));
}

#[test]
fn the_table_of_zero_hashes_is_right() {
    assert_eq!(ZERO_HASHES[0], [0; 32]);
    for pair in ZERO_HASHES.windows(2) {
        assert_eq!(pair[1], hash_pair(&pair[0], &pair[0]));
    }
}

/// The definition, without shortcuts: zeros are filled in and hashed.
fn plainly(bytes: &[u8], depth: usize) -> Root {
    let mut level: Vec<Root> = bytes.chunks(32).map(padded).collect();
    level.resize(1 << depth, [0; 32]);
    for _ in 0..depth {
        level = level.chunks(2).map(|pair| hash_pair(&pair[0], &pair[1])).collect();
    }
    level[0]
}

proptest! {
    #[test]
    fn roots_are_as_defined(bytes in prop::collection::vec(any::<u8>(), 0..600), deeper in 0usize..4) {
        let depth = bytes.len().div_ceil(32).next_power_of_two().ilog2() as usize + deeper;
        prop_assert_eq!(bytes_root(&bytes, depth), plainly(&bytes, depth));
        let leaves: Vec<Root> = bytes.chunks(32).map(padded).collect();
        prop_assert_eq!(merkleize(leaves, depth), plainly(&bytes, depth));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop_oneof![0u8..20, any::<u8>()], 0..40)) {
        let _ = container(&bytes, &FIELDS);
        let _ = byte_lists("list", &bytes, 8, 8);
        let _ = elements::<3>("list", &bytes, 8);
    }
}
