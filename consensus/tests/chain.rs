//! Which chain configurations a statement can be about: presets and schedules, up to their limits.

use sextant_consensus::chain::{ChainConfig, ChainError, FAR_FUTURE_EPOCH, Fork};
use sextant_consensus::networks::MAINNET;

fn edited(edit: impl FnOnce(&mut ChainConfig)) -> Result<(), ChainError> {
    let mut chain = MAINNET;
    edit(&mut chain);
    chain.validate()
}

#[test]
fn committees_have_512_seats_or_32() {
    for size in [0, 1, 31, 32, 33, 64, 256, 511, 512, 513, 1024, 1 << 40, u64::MAX] {
        let expected = if matches!(size, 32 | 512) { Ok(()) } else { Err(ChainError::CommitteeSize(size)) };
        assert_eq!(edited(|chain| chain.committee_size = size), expected, "{size}");
    }
}

#[test]
fn slots_and_epochs_are_counted_from_1_to_65536() {
    for (number, is_fine) in
        [(0, false), (1, true), (1 << 16, true), ((1 << 16) + 1, false), (u64::MAX, false)]
    {
        let expected = if is_fine { Ok(()) } else { Err(ChainError::Preset) };
        assert_eq!(edited(|chain| chain.slots_per_epoch = number), expected, "{number}");
        assert_eq!(edited(|chain| chain.epochs_per_period = number), expected, "{number}");
    }
}

#[test]
fn forks_begin_in_their_order_or_together() {
    for (index, fork) in Fork::ALL.into_iter().enumerate().skip(1) {
        let before = MAINNET.forks.0[index - 1].epoch;
        assert_eq!(edited(|chain| chain.forks.0[index].epoch = before), Ok(()), "{fork} with the one before");
        let Some(earlier) = before.checked_sub(1) else { continue };
        let refused = edited(|chain| chain.forks.0[index].epoch = earlier);
        assert_eq!(refused, Err(ChainError::Schedule(fork)), "{fork}");
    }
    // A dated fork after one without a date.
    let refused = edited(|chain| {
        chain.forks.0[6].epoch = FAR_FUTURE_EPOCH;
        chain.forks.0[7].epoch = 500_000;
    });
    assert_eq!(refused, Err(ChainError::Schedule(Fork::Gloas)));
}

/// Altair's, Electra's and Gloas' light-client specifications: generalised indices of the finalized root and of both
/// committees in the state, and of the execution block hash in the block's body.
#[test]
fn branches_lead_to_where_the_specification_says() {
    for fork in Fork::ALL {
        let in_state = match fork {
            Fork::Phase0 | Fork::Altair | Fork::Bellatrix | Fork::Capella | Fork::Deneb => [105, 54, 55],
            Fork::Electra | Fork::Fulu => [169, 86, 87],
            Fork::Gloas => [735, 2945, 2946],
        };
        let in_body = match fork {
            Fork::Phase0 | Fork::Altair | Fork::Bellatrix => None,
            Fork::Capella => Some(412),
            Fork::Deneb | Fork::Electra | Fork::Fulu => Some(812),
            Fork::Gloas => Some(2856),
        };
        let found = [
            fork.finalized_root_gindex(),
            fork.current_sync_committee_gindex(),
            fork.next_sync_committee_gindex(),
        ];
        assert_eq!((found, fork.execution_block_hash_gindex()), (in_state, in_body), "{fork}");
    }
}
