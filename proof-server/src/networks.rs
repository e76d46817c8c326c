//! The chains that statements may be about. A statement brings its chain along, so that one recording makes any number
//! of true statements about chains that nobody runs: a server proves those of the networks it is told.

use sextant_consensus::{
    chain::{ChainConfig, FAR_FUTURE_EPOCH},
    hash::Root,
    networks::NETWORKS,
};
use sextant_protocol::{ErrorCode, ServerError};

/// What stands for every chain.
const ANY: &str = "any";

/// The networks whose statements are proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Networks {
    /// Whatever chain the client brings: for tests and for local networks.
    Any,
    /// These, by name and every [`ChainConfig::digest`] that they have.
    Of(Vec<(String, Vec<Root>)>),
}

impl Default for Networks {
    /// All that are known by name.
    fn default() -> Self {
        Self::Of(NETWORKS.iter().map(|(name, chain)| ((*name).to_owned(), digests(chain))).collect())
    }
}

impl Networks {
    /// The networks that a person names: by name, by digest in hexadecimal, or `any`.
    ///
    /// # Errors
    /// The first that is none of these, or an empty list.
    pub fn named(names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Err("no network is named".into());
        }
        if names.iter().any(|name| name == ANY) {
            return Ok(Self::Any);
        }
        names.iter().map(|name| Ok((name.clone(), digests_of(name)?))).collect::<Result<_, _>>().map(Self::Of)
    }

    /// What they are called; empty for any.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::Any => Vec::new(),
            Self::Of(known) => known.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Whether statements about `chain` are proven.
    pub(crate) fn check(&self, chain: &ChainConfig) -> Result<(), ServerError> {
        match self {
            Self::Any => Ok(()),
            Self::Of(_) => self.check_digest(chain.digest()),
        }
    }

    /// Whether statements about the chain with this [`ChainConfig::digest`] are proven.
    pub(crate) fn check_digest(&self, digest: Root) -> Result<(), ServerError> {
        let Self::Of(known) = self else { return Ok(()) };
        if known.iter().any(|(_, known)| known.contains(&digest)) {
            return Ok(());
        }
        let names: Vec<_> = known.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!(
            "no statement about the chain with the digest 0x{} is proven here, only about {}",
            hex::encode(digest),
            names.join(", ")
        );
        Err(ServerError::new(ErrorCode::Unsupported, message))
    }
}

/// The digests of a network: a fork that has a date is in the schedule from the day on that it begins, and may be before.
fn digests(chain: &ChainConfig) -> Vec<Root> {
    let until = |begun: &u64| {
        let mut schedule = chain.clone();
        let later = schedule.forks.0.iter_mut().filter(|fork| fork.epoch > *begun);
        later.for_each(|fork| fork.epoch = FAR_FUTURE_EPOCH);
        schedule.digest()
    };
    chain.forks.0.iter().map(|fork| until(&fork.epoch)).collect()
}

fn digests_of(name: &str) -> Result<Vec<Root>, String> {
    if let Some((_, chain)) = NETWORKS.iter().find(|(known, _)| *known == name) {
        return Ok(digests(chain));
    }
    let mut digest = Root::default();
    let digits = name.strip_prefix("0x").unwrap_or(name);
    hex::decode_to_slice(digits, &mut digest).map(|()| vec![digest]).map_err(|_| {
        let names: Vec<_> = NETWORKS.iter().map(|(name, _)| *name).collect();
        format!("{name:?} is no network: {}, {ANY}, or the 64 digits of a chain's digest", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use sextant_consensus::networks::{HOODI, MAINNET};

    use super::*;

    fn named(names: &[&str]) -> Result<Networks, String> {
        Networks::named(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    /// The same rules with one epoch changed is another chain.
    fn other_chain() -> ChainConfig {
        let mut chain = MAINNET;
        chain.forks.0[7].epoch -= 1;
        chain
    }

    #[test]
    fn only_the_networks_that_are_named_are_proven() {
        let all = Networks::default();
        assert!(all.check(&MAINNET).is_ok() && all.check(&HOODI).is_ok());
        let error = all.check(&other_chain()).unwrap_err();
        assert_eq!((error.code, error.retry_after_ms), (ErrorCode::Unsupported, 0));
        assert!(error.message.contains(&hex::encode(other_chain().digest())), "{error}");

        let one = named(&["mainnet"]).unwrap();
        assert!(one.check(&MAINNET).is_ok());
        assert!(one.check(&HOODI).unwrap_err().message.ends_with("only about mainnet"));
        assert!(named(&["mainnet", "any"]).unwrap().check(&other_chain()).is_ok());
        let digest = format!("0x{}", hex::encode(other_chain().digest()));
        let own = named(&[&digest]).unwrap();
        assert!(own.check(&other_chain()).is_ok() && own.check(&MAINNET).is_err());
    }

    #[test]
    fn a_fork_that_has_not_begun_makes_no_other_network() {
        let mut before = HOODI;
        before.forks.0[7].epoch = FAR_FUTURE_EPOCH;
        assert!(named(&["hoodi"]).unwrap().check(&before).is_ok());
        before.forks.0[7].epoch = HOODI.forks.0[7].epoch + 1;
        assert!(named(&["hoodi"]).unwrap().check(&before).is_err());
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["", "mainet", "0x12", "MAINNET"] {
            assert!(named(&["mainnet", wrong]).unwrap_err().contains(&format!("{wrong:?}")));
        }
        assert!(named(&[]).is_err());
    }
}
