//! The field of this crate against the original's, value by value.

use std::hash::{DefaultHasher, Hash, Hasher};

use ff::PrimeField as _;
use num_bigint::BigUint;
use original::Bn254Fr as Original;
use p3_bn254_fr::Bn254Fr;
use p3_field::{AbstractField, Field, PrimeField};
use rand::{rngs::StdRng, Rng, SeedableRng};

mod values;
use values::{assert_same, our_element, pairs, their_element, to_bytes, Pair};

#[test]
fn the_field_is_the_same() {
    assert_eq!(Bn254Fr::order(), Original::order());
    assert_eq!(Bn254Fr::bits(), Original::bits());
    for (ours, theirs, what) in [
        (Bn254Fr::zero(), Original::zero(), "zero"),
        (Bn254Fr::one(), Original::one(), "one"),
        (Bn254Fr::two(), Original::two(), "two"),
        (Bn254Fr::neg_one(), Original::neg_one(), "minus one"),
        (Bn254Fr::generator(), Original::generator(), "generator"),
        (Bn254Fr::default(), Original::default(), "default"),
    ] {
        assert_same(ours, theirs, what);
    }
    assert_eq!(p3_bn254_fr::FFBn254Fr::S, original::FFBn254Fr::S);
    let (ours, theirs) = (p3_bn254_fr::FFBn254Fr::ROOT_OF_UNITY, original::FFBn254Fr::ROOT_OF_UNITY);
    assert_same(Bn254Fr { value: ours }, Original { value: theirs }, "root of unity");
}

#[test]
fn operations_on_two_elements_give_the_same() {
    let all = pairs(4000);
    let check = |a: &Pair, b: &Pair| {
        assert_same(a.ours + b.ours, a.theirs + b.theirs, "sum");
        assert_same(a.ours - b.ours, a.theirs - b.theirs, "difference");
        assert_same(a.ours * b.ours, a.theirs * b.theirs, "product");
        let (mut x, mut y) = (a.ours, a.theirs);
        (x, y) = {
            x += b.ours;
            y += b.theirs;
            (x, y)
        };
        (x, y) = {
            x *= a.ours;
            y *= a.theirs;
            (x, y)
        };
        (x, y) = {
            x -= b.ours;
            y -= b.theirs;
            (x, y)
        };
        assert_same(x, y, "assigning operations");
        assert_eq!(a.ours == b.ours, a.theirs == b.theirs);
        assert_eq!(a.ours.cmp(&b.ours), a.theirs.cmp(&b.theirs));
    };
    for (i, a) in all.iter().enumerate() {
        // Itself, neighbours, and far ones; all edges with one another.
        for step in [0, 1, 2, 500, 1001, 1999, 3001] {
            check(a, &all[(i + step) % all.len()]);
        }
    }
    for a in all.iter().take(1600).step_by(5) {
        all.iter().take(1600).for_each(|b| check(a, b));
    }
}

#[test]
fn operations_on_one_element_give_the_same() {
    for (i, a) in pairs(4000).iter().enumerate() {
        assert_same(-a.ours, -a.theirs, "negation");
        assert_same(a.ours.double(), a.theirs.double(), "double");
        assert_same(a.ours.square(), a.theirs.square(), "square");
        assert_same(a.ours.cube(), a.theirs.cube(), "cube");
        assert_same(a.ours.exp_const_u64::<5>(), a.theirs.exp_const_u64::<5>(), "fifth power");
        assert_eq!(a.ours.is_zero(), a.theirs.is_zero());
        assert_eq!(a.ours.is_one(), a.theirs.is_one());
        assert_eq!(a.ours.as_canonical_biguint(), a.theirs.as_canonical_biguint());
        assert_eq!(format!("{} {:?}", a.ours, a.ours), format!("{} {:?}", a.theirs, a.theirs));
        assert_eq!(hash(&a.ours), hash(&a.theirs));
        // The slow ones on every fourth.
        if i % 4 == 0 {
            assert_eq!(a.ours.try_inverse().is_some(), a.theirs.try_inverse().is_some());
            if let (Some(x), Some(y)) = (a.ours.try_inverse(), a.theirs.try_inverse()) {
                assert_same(x, y, "inverse");
                assert_same(Bn254Fr::two() / a.ours, Original::two() / a.theirs, "quotient");
            }
            let exponent = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(i as u64);
            assert_same(a.ours.exp_u64(exponent), a.theirs.exp_u64(exponent), "power");
            assert_same(
                a.ours.exp_power_of_2(i % 20),
                a.theirs.exp_power_of_2(i % 20),
                "power of a power of two",
            );
            assert_same(a.ours.mul_2exp_u64(i as u64 % 64), a.theirs.mul_2exp_u64(i as u64 % 64), "shift");
        }
    }
}

#[test]
fn integers_and_sequences_give_the_same() {
    let mut rng = StdRng::seed_from_u64(64);
    let edges = (0..64).flat_map(|k| [1u64 << k, (1 << k) - 1, !(1 << k)]).chain([0, u64::MAX]);
    for n in edges.chain((0..1000).map(|_| rng.gen())).collect::<Vec<u64>>() {
        assert_same(Bn254Fr::from_canonical_u64(n), Original::from_canonical_u64(n), "u64");
        assert_same(Bn254Fr::from_wrapped_u64(n), Original::from_wrapped_u64(n), "wrapped u64");
        let (short, size) = (n as u32, n as usize);
        assert_same(Bn254Fr::from_canonical_u32(short), Original::from_canonical_u32(short), "u32");
        assert_same(Bn254Fr::from_wrapped_u32(short), Original::from_wrapped_u32(short), "wrapped u32");
        assert_same(Bn254Fr::from_canonical_u16(n as u16), Original::from_canonical_u16(n as u16), "u16");
        assert_same(Bn254Fr::from_canonical_u8(n as u8), Original::from_canonical_u8(n as u8), "u8");
        assert_same(Bn254Fr::from_canonical_usize(size), Original::from_canonical_usize(size), "usize");
        assert_same(Bn254Fr::from_bool(n & 1 == 1), Original::from_bool(n & 1 == 1), "bool");
    }
    let all = pairs(100);
    for chunk in all.chunks(37).chain([&all[..0]]) {
        let (ours, theirs) = (|| chunk.iter().map(|x| x.ours), || chunk.iter().map(|x| x.theirs));
        assert_same(ours().sum(), theirs().sum(), "sum of a sequence");
        assert_same(ours().product(), theirs().product(), "product of a sequence");
    }
    let (mut a, mut b) = (StdRng::seed_from_u64(1), StdRng::seed_from_u64(1));
    (0..1000).for_each(|_| assert_same(a.gen(), b.gen(), "random element"));
}

#[test]
fn serialized_forms_are_the_same() {
    for a in pairs(1000) {
        let binary = bincode::serialize(&a.ours).expect("serializes");
        assert_eq!(binary, bincode::serialize(&a.theirs).expect("serializes"));
        assert_same(bincode::deserialize(&binary).expect("reads its own"), a.theirs, "binary");
        let text = serde_json::to_string(&a.ours).expect("serializes");
        assert_eq!(text, serde_json::to_string(&a.theirs).expect("serializes"));
        assert_same(serde_json::from_str(&text).expect("reads its own"), a.theirs, "text");
    }
}

#[test]
fn what_is_not_below_the_prime_is_refused_by_both() {
    let p = Original::order();
    let mut values: Vec<BigUint> =
        (0..40u32).flat_map(|n| [&p + n, (BigUint::from(1u32) << 256) - 1u32 - n]).collect();
    values.extend([
        &p * 2u32 - 1u32,
        &p * 2u32,
        &p * 5u32,
        BigUint::from(1u32) << 254,
        BigUint::from(1u32) << 255,
    ]);
    for value in values {
        let bytes = to_bytes(&value);
        assert!(our_element(bytes).is_none() && their_element(bytes).is_none(), "{value}");
        let serialized = bincode::serialize(&bytes.to_vec()).expect("serializes");
        assert!(bincode::deserialize::<Original>(&serialized).is_err(), "{value}");
        assert!(bincode::deserialize::<Bn254Fr>(&serialized).is_err(), "{value}");
    }
}

#[test]
fn too_few_bytes_are_an_error_and_too_many_are_cut_off() {
    for length in 0..32 {
        assert!(serde_json::from_str::<Bn254Fr>(&serde_json::to_string(&vec![1u8; length]).unwrap()).is_err());
    }
    let long = serde_json::to_string(&vec![7u8; 40]).unwrap();
    assert_same(serde_json::from_str(&long).unwrap(), serde_json::from_str(&long).unwrap(), "40 bytes");
}

fn hash(x: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    x.hash(&mut hasher);
    hasher.finish()
}
