//! Names: of stages, releases, workers, and of the one thing that a message asks for.
//!
//! They stand in subjects, keys and paths, so that they are checked where they are made. Everything that is done twice
//! has the same name both times, and that is what makes twice the same as once.

use std::{borrow::Cow, fmt, str::FromStr};

use bytes::Bytes;
use sextant_protocol::{JobKey, encoding::EncodingError, record, wire::Wire};
use sha2::{Digest, Sha256};

use crate::FleetError;

/// The longest name, bytes.
const LONGEST: usize = 64;

const fn is_name(text: &[u8]) -> bool {
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_alphanumeric() && text[at] != b'-' && text[at] != b'_' {
            return false;
        }
        at += 1;
    }
    !text.is_empty() && text.len() <= LONGEST
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $what:literal),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The name of something that the program itself knows.
            ///
            /// # Panics
            /// If it is no name; in a constant, when it is compiled.
            pub const fn literal(text: &'static str) -> Self {
                assert!(is_name(text.as_bytes()), "a name is 1 to 64 letters, digits, - and _");
                Self(Cow::Borrowed(text))
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = FleetError;

            fn from_str(text: &str) -> Result<Self, FleetError> {
                if is_name(text.as_bytes()) {
                    Ok(Self(Cow::Owned(text.into())))
                } else {
                    Err(FleetError::Name { what: $what, text: text.into(), limit: LONGEST })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                self.0.clone().into_owned().write(out);
            }

            fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
                let text = String::read(what, bytes)?;
                text.parse().map_err(|error: FleetError| error.on_the_wire(what))
            }
        }
    )* };
}

names! {
    /// One step of the way to a proof, such as `wrap`.
    Stage = "stage",
    /// What makes proofs of two servers interchangeable. Workers of one release never get work of another.
    Release = "release",
    /// One of several things that a stage makes for one job, such as a shard.
    Part = "part",
    /// A worker, for people.
    Worker = "worker",
}

impl Worker {
    /// A new name for a process of `machine`.
    #[must_use]
    pub fn of(machine: &str) -> Self {
        let known = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let machine: String = machine.trim().chars().filter(known).take(40).collect();
        let machine = if machine.is_empty() { "machine" } else { &machine };
        Self(format!("{machine}_{}_{:08x}", std::process::id(), fastrand::u32(..)).into())
    }

    /// Its machine, which has the same name when the process is another one.
    #[must_use]
    pub fn machine(&self) -> Self {
        Self(self.0.split('_').next().unwrap_or_default().to_owned().into())
    }
}

impl Part {
    /// Of a stage that makes one thing.
    pub const WHOLE: Self = Self::literal("whole");
}

impl Release {
    /// The release that `facts` make: program, circuits, the plan's version; whatever must be the same on both sides.
    #[must_use]
    pub fn of(facts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for fact in facts {
            hash.update((fact.len() as u64).to_le_bytes());
            hash.update(fact);
        }
        Self(hex::encode(&hash.finalize()[..6]).into())
    }
}

/// Which queue of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Small, and somebody waits.
    Hi,
    /// What may take its time: catch-ups, batches.
    Lo,
    /// What was too large for an ordinary worker.
    Xl,
}

impl Lane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hi, Self::Lo, Self::Xl];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hi => "hi",
            Self::Lo => "lo",
            Self::Xl => "xl",
        }
    }
}

impl Wire for Lane {
    fn write(&self, out: &mut Vec<u8>) {
        (*self as u32).write(out);
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        let number = u32::read(what, bytes)?;
        let lane = usize::try_from(number).ok().and_then(|number| Self::ALL.get(number));
        lane.copied().ok_or(EncodingError::Unknown { what: "lane", number })
    }
}

record! {
/// A queue that workers take from: messages of one line wait for each other, first in, first out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// What is to be done.
    1 = stage: Stage,
    /// By whom it can be done.
    2 = release: Release,
    /// How urgent or large it is.
    3 = lane: Lane,
}
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.stage, self.release, self.lane.as_str())
    }
}

record! {
/// Names what one message asks for, and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId {
    /// The job, as clients know it: what is proven and how.
    1 = job: JobKey,
    /// Which try at the job as a whole: one more after a failure, so that it is not taken for what was there before.
    2 = generation: u32 = 0,
    /// The step.
    3 = stage: Stage,
    /// What of it.
    4 = part: Part = Part::WHOLE,
}
}

impl StageId {
    /// The only part of `stage`.
    #[must_use]
    pub fn whole(job: JobKey, generation: u32, stage: Stage) -> Self {
        Self { job, generation, stage, part: Part::WHOLE }
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.job, self.generation, self.stage, self.part)
    }
}

#[cfg(test)]
mod tests {
    use sextant_protocol::wire;

    use super::*;

    #[test]
    fn a_name_means_nothing_in_a_subject_or_a_path() {
        for bad in ["", ".", "..", "a.b", "a/b", "*", ">", "a b", "é", &"x".repeat(65)] {
            let error = bad.parse::<Stage>().unwrap_err();
            assert!(matches!(&error, FleetError::Name { text, .. } if text == bad), "{error}");
        }
        assert_eq!("p-KECCAK_PERMUTE-1".parse::<Part>().unwrap().as_str(), "p-KECCAK_PERMUTE-1");
        let on_the_wire = wire::to_bytes(&"a.b".to_owned());
        assert!(wire::from_bytes::<Stage>("stage", on_the_wire.into(), 100).is_err());
    }

    #[test]
    fn workers_of_a_machine_differ_and_say_whose_they_are() {
        let (one, other) = (Worker::of("rack-7.example\n"), Worker::of("rack-7.example\n"));
        assert_ne!(one, other);
        assert_eq!((one.machine().as_str(), one.machine()), ("rack-7example", other.machine()));
        for odd in ["", "_._", &"x".repeat(300)] {
            let worker = Worker::of(odd);
            assert_eq!(worker.as_str().parse::<Worker>().unwrap().machine(), worker.machine(), "{odd}");
        }
    }

    #[test]
    fn releases_differ_by_each_fact_and_by_where_one_ends() {
        let release = |facts: &[&[u8]]| Release::of(facts);
        assert_eq!(release(&[b"ab", b"c"]), release(&[b"ab", b"c"]));
        assert_ne!(release(&[b"ab", b"c"]), release(&[b"a", b"bc"]));
        assert_eq!(release(&[b"x"]).as_str().len(), 12);
    }
}
