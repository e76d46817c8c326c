//! `BeaconState` and `BeaconBlockBody` of every fork that has light clients (`beacon-chain.md` of each; Gloas as of
//! eth-consensus-specs 1.7.0-alpha.13, with EIP-7688's progressive types).

use sextant_consensus::chain::Fork;

use super::Type::{self, *};

const UINT64: Type = Uint(8);
const BOOLEAN: Type = Uint(1);
const ROOT: Type = Bytes(32);
const ADDRESS: Type = Bytes(20);
const KEY: Type = Bytes(48);
const SIGNATURE: Type = Bytes(96);
/// `VALIDATOR_REGISTRY_LIMIT`.
const REGISTRY: usize = 1 << 40;

/// A list: without limit in Gloas, and limited before.
fn list(fork: Fork, element: Type, limit: usize) -> Type {
    if fork < Fork::Gloas { List(element.into(), limit) } else { ProgressiveList(element.into()) }
}

/// A container, of which Gloas makes a progressive one.
fn container(fork: Fork, fields: Vec<Type>) -> Type {
    if fork < Fork::Gloas { Container(fields) } else { ProgressiveContainer(fields) }
}

fn vector(element: Type, length: usize) -> Type {
    Vector(element.into(), length)
}

fn checkpoint() -> Type {
    Container(vec![UINT64, ROOT])
}

fn beacon_header() -> Type {
    Container(vec![UINT64, UINT64, ROOT, ROOT, ROOT])
}

fn eth1_data() -> Type {
    Container(vec![ROOT, UINT64, ROOT])
}

fn withdrawal() -> Type {
    Container(vec![UINT64, UINT64, ADDRESS, UINT64])
}

fn validator() -> Type {
    Container(vec![KEY, ROOT, UINT64, BOOLEAN, UINT64, UINT64, UINT64, UINT64])
}

/// Fields of a payload and of its header up to `block_hash`.
fn payload_start() -> Vec<Type> {
    vec![
        ROOT,
        ADDRESS,
        ROOT,
        ROOT,
        Bytes(256),
        ROOT,
        UINT64,
        UINT64,
        UINT64,
        UINT64,
        ByteList(32),
        Bytes(32),
        ROOT,
    ]
}

fn payload_header(fork: Fork) -> Type {
    let mut fields = payload_start();
    fields.push(ROOT);
    if fork >= Fork::Capella {
        fields.push(ROOT);
    }
    if fork >= Fork::Deneb {
        fields.extend([UINT64, UINT64]);
    }
    Container(fields)
}

fn payload(fork: Fork, is_mainnet: bool) -> Type {
    let mut fields = payload_start();
    fields.push(List(ByteList(1 << 30).into(), 1 << 20));
    if fork >= Fork::Capella {
        fields.push(List(withdrawal().into(), if is_mainnet { 16 } else { 4 }));
    }
    if fork >= Fork::Deneb {
        fields.extend([UINT64, UINT64]);
    }
    Container(fields)
}

fn payload_bid() -> Type {
    ProgressiveContainer(vec![
        ROOT,
        ROOT,
        ROOT,
        ROOT,
        ADDRESS,
        UINT64,
        UINT64,
        UINT64,
        UINT64,
        UINT64,
        ProgressiveList(KEY.into()),
        ROOT,
    ])
}

/// `BeaconState`.
pub fn beacon_state(fork: Fork, is_mainnet: bool) -> Type {
    let preset = |mainnet, minimal| if is_mainnet { mainnet } else { minimal };
    let slots_per_epoch = preset(32, 8);
    let history = preset(8192, 64);
    let committee = Container(vec![vector(KEY, preset(512, 32)), KEY]);
    let mut fields = vec![
        UINT64,
        ROOT,
        UINT64,
        Container(vec![Bytes(4), Bytes(4), UINT64]),
        beacon_header(),
        vector(ROOT, history),
        vector(ROOT, history),
        List(ROOT.into(), 1 << 24),
        eth1_data(),
        List(eth1_data().into(), preset(64, 4) * slots_per_epoch),
        UINT64,
        list(fork, validator(), REGISTRY),
        list(fork, UINT64, REGISTRY),
        vector(ROOT, preset(65536, 64)),
        vector(UINT64, preset(8192, 64)),
        list(fork, Uint(1), REGISTRY),
        list(fork, Uint(1), REGISTRY),
        Bitvector(4),
        checkpoint(),
        checkpoint(),
        checkpoint(),
        list(fork, UINT64, REGISTRY),
        committee.clone(),
        committee,
    ];
    if fork >= Fork::Gloas {
        fields.push(ROOT);
    } else if fork >= Fork::Bellatrix {
        fields.push(payload_header(fork));
    }
    if fork >= Fork::Capella {
        fields.extend([UINT64, UINT64, List(Container(vec![ROOT, ROOT]).into(), 1 << 24)]);
    }
    if fork >= Fork::Electra {
        let pending_deposit = Container(vec![KEY, ROOT, UINT64, SIGNATURE, UINT64]);
        let pending_withdrawal = Container(vec![UINT64, UINT64, UINT64]);
        let pending_consolidation = Container(vec![UINT64, UINT64]);
        fields.extend([UINT64; 6]);
        fields.extend([
            list(fork, pending_deposit, 1 << 27),
            list(fork, pending_withdrawal, preset(1 << 27, 64)),
            list(fork, pending_consolidation, preset(1 << 18, 64)),
        ]);
    }
    if fork >= Fork::Fulu {
        fields.push(vector(UINT64, 2 * slots_per_epoch));
    }
    if fork >= Fork::Gloas {
        let builder = Container(vec![KEY, Uint(1), ADDRESS, UINT64, UINT64, UINT64]);
        let pending_withdrawal = Container(vec![ADDRESS, UINT64, UINT64]);
        let pending_payment = Container(vec![UINT64, pending_withdrawal.clone(), UINT64]);
        fields.extend([
            ProgressiveList(builder.into()),
            UINT64,
            Bitvector(history),
            vector(pending_payment, 2 * slots_per_epoch),
            ProgressiveList(pending_withdrawal.into()),
            payload_bid(),
            ProgressiveList(withdrawal().into()),
            vector(vector(UINT64, preset(512, 16)), 3 * slots_per_epoch),
        ]);
    }
    container(fork, fields)
}

/// `ExecutionRequests`.
fn execution_requests(fork: Fork) -> Type {
    let deposit = Container(vec![KEY, ROOT, UINT64, SIGNATURE, UINT64]);
    let withdrawal = Container(vec![ADDRESS, KEY, UINT64]);
    let consolidation = Container(vec![ADDRESS, KEY, KEY]);
    let mut fields =
        vec![list(fork, deposit, 8192), list(fork, withdrawal, 16), list(fork, consolidation, 2)];
    if fork >= Fork::Gloas {
        fields.push(ProgressiveList(Container(vec![KEY, ROOT, UINT64, SIGNATURE]).into()));
        fields.push(ProgressiveList(Container(vec![ADDRESS, KEY]).into()));
    }
    container(fork, fields)
}

/// `BeaconBlockBody`.
pub fn beacon_block_body(fork: Fork, is_mainnet: bool) -> Type {
    let preset = |mainnet, minimal| if is_mainnet { mainnet } else { minimal };
    let is_electra = fork >= Fork::Electra;
    // Since Electra one attestation covers all committees of a slot.
    let voters = if is_electra { 2048 * preset(64, 4) } else { 2048 };
    let attestation_data = Container(vec![UINT64, UINT64, ROOT, checkpoint(), checkpoint()]);
    let mut attestation = vec![
        if fork < Fork::Gloas { Bitlist(voters) } else { ProgressiveBitlist },
        attestation_data.clone(),
        SIGNATURE,
    ];
    if is_electra {
        attestation.push(Bitvector(preset(64, 4)));
    }
    let indexed = container(fork, vec![list(fork, UINT64, voters), attestation_data, SIGNATURE]);
    let signed_header = Container(vec![beacon_header(), SIGNATURE]);
    let deposit = Container(vec![vector(ROOT, 33), Container(vec![KEY, ROOT, UINT64, SIGNATURE])]);
    let mut fields = vec![
        SIGNATURE,
        eth1_data(),
        ROOT,
        list(fork, Container(vec![signed_header.clone(), signed_header]), 16),
        list(fork, Container(vec![indexed.clone(), indexed]), if is_electra { 1 } else { 2 }),
        list(fork, container(fork, attestation), if is_electra { 8 } else { 128 }),
        list(fork, deposit, 16),
        list(fork, Container(vec![Container(vec![UINT64, UINT64]), SIGNATURE]), 16),
        Container(vec![Bitvector(preset(512, 32)), SIGNATURE]),
    ];
    if (Fork::Bellatrix..Fork::Gloas).contains(&fork) {
        fields.push(payload(fork, is_mainnet));
    }
    if fork >= Fork::Capella {
        let change = Container(vec![UINT64, KEY, ADDRESS]);
        fields.push(list(fork, Container(vec![change, SIGNATURE]), 16));
    }
    if (Fork::Deneb..Fork::Gloas).contains(&fork) {
        fields.push(List(KEY.into(), 4096));
    }
    if fork >= Fork::Gloas {
        let data = Container(vec![ROOT, UINT64, BOOLEAN, BOOLEAN]);
        let payload_attestation = ProgressiveContainer(vec![Bitvector(preset(512, 16)), data, SIGNATURE]);
        fields.push(Container(vec![payload_bid(), SIGNATURE]));
        fields.push(ProgressiveList(payload_attestation.into()));
    }
    if is_electra {
        fields.push(execution_requests(fork));
    }
    container(fork, fields)
}
