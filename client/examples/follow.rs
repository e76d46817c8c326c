//! A light client of mainnet in a program of one's own: follows the chain, has every handover of sync committees proven,
//! and keeps one storage slot of a contract proven.
//!
//!     cargo run --release -p sextant-client --example follow -- \
//!         https://beacon.example https://rpc.example 127.0.0.1:7100 0xCHECKPOINT_ROOT

use std::{env, error::Error};

use sextant_client::{
    ServerProver,
    follow::{Cadence, Config, Event, Follower},
    sources::{BeaconNodes, ExecutionNodes, Expected, SourceConfig, Watched, mapping_slot},
};
use sextant_consensus::networks::MAINNET;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [beacon, rpc, server, checkpoint] = &arguments[..] else {
        return Err("usage: follow BEACON_URL RPC_URL SERVER CHECKPOINT_ROOT".into());
    };
    let beacon = BeaconNodes::new(vec![beacon.parse()?], SourceConfig::default())?;
    let execution = ExecutionNodes::new(vec![rpc.parse()?], SourceConfig::default())?;

    let mut config = Config::new("my-state", Expected::Config(MAINNET));
    let mut root = [0; 32];
    hex::decode_to_slice(checkpoint.trim_start_matches("0x"), &mut root)?;
    config.checkpoint = Some(root);
    // Wrapped Ether (0xc02a...6cc2) keeps balances in the mapping at its slot 3; this is the zero address's.
    let mut base = [0; 32];
    base[31] = 3;
    let mut address = [0; 20];
    hex::decode_to_slice("c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", &mut address)?;
    config.watched = vec![Watched { address, slots: vec![mapping_slot(&base, &[0; 32])] }];
    config.cadence = Cadence::OnChange;

    let prover = ServerProver::new(server, Default::default());
    let follower = Follower::open(config, beacon, Some(execution), prover).await?;
    let on_event = |event: Event| match event {
        Event::Proof(proof) => println!("use this one: {}", proof.file),
        other => println!("{other}"),
    };
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    Ok(follower.run(on_event, interrupted).await?)
}
