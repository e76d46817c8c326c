use super::*;
use alloy_hardforks::EthereumChainHardforks;

#[test]
fn schedules_are_those_of_alloy_hardforks() {
    let chains = [
        (MAINNET, EthereumChainHardforks::mainnet()),
        (HOLESKY, EthereumChainHardforks::holesky()),
        (HOODI, EthereumChainHardforks::hoodi()),
        (SEPOLIA, EthereumChainHardforks::sepolia()),
    ];
    for (id, theirs) in chains {
        let ours = chain(id).unwrap().schedule;
        assert!(ours.is_sorted_by_key(|(_, start)| start), "chain {id}");
        for fork in Fork::ALL {
            let start = ours.iter().find(|(index, _)| *index == fork.index()).unwrap().1;
            let expected = theirs.ethereum_fork_activation(fork.hardfork());
            assert_eq!(ForkCondition::Timestamp(start), expected, "chain {id}, {fork}");
        }
        let amsterdam = ours.iter().find(|(index, _)| *index == AMSTERDAM);
        let expected = theirs.ethereum_fork_activation(EthereumHardfork::Amsterdam);
        assert_eq!(
            amsterdam.map_or(ForkCondition::Never, |(_, start)| ForkCondition::Timestamp(*start)),
            expected,
            "chain {id}, Amsterdam"
        );
        for later in [EthereumHardfork::Bpo3, EthereumHardfork::Bpo4, EthereumHardfork::Bpo5] {
            assert_eq!(theirs.ethereum_fork_activation(later), ForkCondition::Never, "chain {id}: {later:?}");
        }
    }
}

#[test]
fn a_known_chain_has_one_fork_at_a_time() {
    for chain in &CHAINS {
        for (position, (index, start)) in chain.schedule.iter().enumerate() {
            let Ok(expected) = Fork::from_index(*index) else { continue };
            let last = chain.schedule.get(position + 1).map_or(u64::MAX, |(_, next)| next - 1);
            for timestamp in [*start, last] {
                for fork in Fork::ALL {
                    let rules = Rules::at(chain.id, fork, timestamp);
                    if fork == expected {
                        assert_eq!(rules, Rules::of(chain.id, fork.hardfork()));
                        assert!(rules.is_ok());
                    } else {
                        let error =
                            ForkError::Schedule { chain_id: chain.id, timestamp, got: fork, expected };
                        assert_eq!(rules, Err(error));
                    }
                }
            }
        }
    }
}

#[test]
fn blocks_before_cancun_and_after_the_last_fork_are_refused() {
    let timestamp = 1_710_338_134;
    let before = Err(ForkError::BeforeCancun { chain_id: MAINNET, timestamp });
    assert_eq!(Rules::at(MAINNET, Fork::Cancun, timestamp), before);

    let timestamp = 1_791_294_816;
    let error = SchemaError::NotImplemented("Amsterdam");
    let amsterdam = Err(ForkError::NotImplemented { chain_id: SEPOLIA, timestamp, error });
    assert_eq!(Rules::at(SEPOLIA, Fork::Bpo2, timestamp), amsterdam);

    for hardfork in [EthereumHardfork::Shanghai, EthereumHardfork::Bpo3, EthereumHardfork::Amsterdam] {
        assert_eq!(Rules::of(1, hardfork), Err(ForkError::Hardfork(hardfork)));
    }
}

#[test]
fn on_another_chain_the_named_fork_is_the_rule_set() {
    for fork in Fork::ALL {
        let rules = Rules::at(3_151_908, fork, 0).unwrap();
        assert_eq!(rules.hardfork(), fork.hardfork());
        assert_eq!(rules.chain_id(), 3_151_908);
        assert_eq!(rules.deposit_contract(), MAINNET_DEPOSIT_CONTRACT_ADDRESS);
        assert!(rules.is_cancun_active_at_timestamp(0));
        assert_eq!(rules.is_prague_active_at_timestamp(0), fork >= Fork::Prague);
        assert_eq!(rules.is_prague(), fork >= Fork::Prague);
        assert_eq!(rules.is_osaka_active_at_timestamp(0), fork >= Fork::Osaka);
        assert_eq!(rules.is_osaka(), fork >= Fork::Osaka);
        assert!(rules.is_paris_active_at_block(0) && !rules.is_amsterdam_active_at_timestamp(u64::MAX));
    }
}

/// Mainnet's id at a time before mainnet: the specification's vectors.
#[test]
fn vectors_with_mainnets_id_name_their_fork() {
    for fork in Fork::ALL {
        let rules = Rules::at(MAINNET, fork, MAINNET_BEGINS - 1);
        assert_eq!(rules, Rules::of(MAINNET, fork.hardfork()));
        let timestamp = MAINNET_BEGINS;
        let refused = Err(ForkError::BeforeCancun { chain_id: MAINNET, timestamp });
        assert_eq!(Rules::at(MAINNET, fork, timestamp), refused);
    }
    let before = ForkError::BeforeCancun { chain_id: SEPOLIA, timestamp: 12 };
    assert_eq!(Rules::at(SEPOLIA, Fork::Cancun, 12), Err(before));
}

/// EIP-4844, EIP-7691 and EIP-7892: target, maximum and update fraction.
#[test]
fn blobs_by_fork() {
    let expected = [
        (Fork::Cancun, 3, 6, 3_338_477),
        (Fork::Prague, 6, 9, 5_007_716),
        (Fork::Osaka, 6, 9, 5_007_716),
        (Fork::Bpo1, 10, 15, 8_346_193),
        (Fork::Bpo2, 14, 21, 11_684_671),
    ];
    for (fork, target, max, fraction) in expected {
        let rules = Rules::of(1, fork.hardfork()).unwrap();
        let params = rules.blob_params();
        assert_eq!(
            (params.target_blob_count, params.max_blob_count, params.update_fraction),
            (target, max, fraction)
        );
        // EIP-7594: six blobs a transaction from Osaka on.
        assert_eq!(params.max_blobs_per_tx, if fork >= Fork::Osaka { 6 } else { max });
    }
}
