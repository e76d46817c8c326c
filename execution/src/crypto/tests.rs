//! The algorithms on precompiles, over code that stands in for these and panics at what they must never be given,
//! against k256 and revm's own implementations.

mod bls12_381;
mod curves;
mod kzg;
mod modexp;
mod pairing;
mod signatures;

/// Numbers that look random and are the same each time (xorshift64*).
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.word().to_be_bytes()[0])
    }
}

/// Two halves of 32 bytes.
fn join(first: &[u8; 32], second: &[u8; 32]) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(first);
    bytes[32..].copy_from_slice(second);
    bytes
}
