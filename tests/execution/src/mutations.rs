//! Broken inputs: whatever is broken, an input comes to the same statement as before or to none, and nothing panics.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use sextant_execution::crypto;
use sextant_execution::encode::stateless_input;
use sextant_execution::input::{StatelessInput, Witness};
use sextant_execution::statement::{OUTPUT_BYTES, validate};

/// What became of broken inputs.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// No statement.
    pub refused: usize,
    /// The same one: what was broken was not needed, or is a hint.
    pub same: usize,
    /// The same block by another chain id or schema, which is public and was what was broken.
    pub other_chain: usize,
    /// Another one, or a panic: how it was broken.
    pub wrong: Vec<String>,
}

impl Tally {
    /// How many broken inputs there were.
    pub fn total(&self) -> usize {
        self.refused + self.same + self.other_chain + self.wrong.len()
    }

    fn add(mut self, other: Self) -> Self {
        self.refused += other.refused;
        self.same += other.same;
        self.other_chain += other.other_chain;
        self.wrong.extend(other.wrong);
        self
    }

    fn of(what: impl FnOnce() -> String, input: &[u8], expected: &[u8; OUTPUT_BYTES]) -> Self {
        let mut tally = Self::default();
        match catch_unwind(AssertUnwindSafe(|| validate(input).map(|validated| validated.output()))) {
            Ok(Err(_)) => tally.refused = 1,
            Ok(Ok(output)) if output == *expected => tally.same = 1,
            // The root is the same, and so is the verdict.
            Ok(Ok(output)) if output[..33] == expected[..33] && is_named(input, &output) => {
                tally.other_chain = 1
            }
            Ok(Ok(output)) => {
                tally.wrong.push(format!("{}: another statement: {}", what(), hex::encode(output)))
            }
            Err(_) => tally.wrong.push(format!("{}: a panic", what())),
        }
        tally
    }
}

/// Whether an output names the chain and schema of the input.
fn is_named(input: &[u8], output: &[u8; OUTPUT_BYTES]) -> bool {
    StatelessInput::parse(input).is_ok_and(|input| {
        output[33..41] == input.chain_id.to_le_bytes() && output[41..] == input.schema.number().to_le_bytes()
    })
}

/// Flips `count` bits all over an input, one at a time; which ones follows from `seed`.
pub fn flips(input: &[u8], expected: &[u8; OUTPUT_BYTES], count: usize, seed: u64) -> Tally {
    crypto::install();
    let flip = |round: usize| {
        let random = mix(seed.wrapping_add(round as u64));
        let at = (random >> 3) as usize % input.len();
        let mut broken = input.to_vec();
        broken[at] ^= 1 << (random & 7);
        Tally::of(|| format!("bit {} of byte {at}", random & 7), &broken, expected)
    };
    (0..count).into_par_iter().map(flip).reduce(Tally::default, Tally::add)
}

/// Leaves each item of the witness out, one at a time, then all keys.
///
/// # Errors
/// In words, if the input cannot be read.
pub fn omissions(input: &[u8], expected: &[u8; OUTPUT_BYTES]) -> Result<Tally, String> {
    crypto::install();
    let whole = StatelessInput::parse(input).map_err(|error| error.to_string())?;
    let request = whole.request.encode();
    let without = |list: usize, at: usize| {
        let mut witness = whole.witness.clone();
        [&mut witness.state, &mut witness.codes, &mut witness.headers][list].remove(at);
        let input = encode(&whole, &request, &witness);
        Tally::of(|| format!("without {} {at}", ["node", "code", "header"][list]), &input, expected)
    };
    let lengths = [&whole.witness.state, &whole.witness.codes, &whole.witness.headers].map(Vec::len);
    let places: Vec<(usize, usize)> =
        (0..3).flat_map(|list| (0..lengths[list]).map(move |at| (list, at))).collect();
    let tally = places.into_par_iter().map(|(list, at)| without(list, at));
    let tally = tally.reduce(Tally::default, Tally::add);
    let no_keys = stateless_input(whole.schema, &request, &whole.witness, whole.chain_id, &[]);
    Ok(tally.add(Tally::of(|| "without keys".to_owned(), &no_keys, expected)))
}

/// Nodes and codes in other orders, twice, and among others: the same statement, which is to say that all must be.
///
/// # Errors
/// In words, if the input cannot be read.
pub fn rearrangements(input: &[u8], expected: &[u8; OUTPUT_BYTES]) -> Result<Tally, String> {
    crypto::install();
    let whole = StatelessInput::parse(input).map_err(|error| error.to_string())?;
    let request = whole.request.encode();
    let mut tally = Tally::default();
    let mut add = |what: &str, change: &dyn Fn(&mut Vec<&[u8]>)| {
        let mut witness = whole.witness.clone();
        change(&mut witness.state);
        change(&mut witness.codes);
        let one = Tally::of(|| what.to_owned(), &encode(&whole, &request, &witness), expected);
        tally = std::mem::take(&mut tally).add(one);
    };
    add("backwards", &|items| items.reverse());
    add("by length", &|items| items.sort_by_key(|item| item.len()));
    add("twice", &|items| items.extend(items.clone()));
    add("among others", &|items| {
        items.splice(0..0, [&[][..], &[0x80], &[0xc0], &[0xff; 40]]);
    });
    Ok(tally)
}

fn encode(whole: &StatelessInput<'_>, request: &[u8], witness: &Witness<'_>) -> Vec<u8> {
    stateless_input(whole.schema, request, witness, whole.chain_id, whole.public_keys)
}

/// SplitMix64: numbers that look random, the same in every run.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for wrong in &self.wrong {
            writeln!(f, "WRONG {wrong}")?;
        }
        write!(
            f,
            "{} broken inputs: {} refused, {} the same statement, {} of another chain or schema, {} wrong",
            self.total(),
            self.refused,
            self.same,
            self.other_chain,
            self.wrong.len()
        )
    }
}
