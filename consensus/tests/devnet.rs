//! Both statements on recorded devnet data of Capella, Electra and Fulu, and what else the recordings tell: SSZ and
//! JSON are the same objects, a node's specification is a chain configuration, a block's JSON is its header.

use serde_json::{Value, json};
use sextant_consensus::block_header::{BlockError, BlockJson};
use sextant_consensus::bls::Plain;
use sextant_consensus::build::AccountNodes;
use sextant_consensus::chain::{ChainConfig, Fork};
use sextant_consensus::chain_spec::{Genesis, Spec, SpecError};
use sextant_consensus::light_client::{
    LightClientBootstrap, LightClientFinalityUpdate, LightClientOptimisticUpdate, LightClientUpdate,
    SyncCommittee,
};
use sextant_consensus::public_values::Account;
use sextant_consensus::rlp::Item;
use sextant_consensus::{committee_change, inclusion, ssz};
use sextant_fixtures::devnet::{ALL, CAPELLA, Devnet, ELECTRA, ELECTRA_TO_FULU, FULU};

#[test]
fn handovers() {
    for (net, participation, learned) in
        [(CAPELLA, 512, 1), (ELECTRA, 407, 1), (FULU, 512, 1), (ELECTRA_TO_FULU, 512, 3)]
    {
        let values = committee_change::check(&net.committee_change(), &mut Plain).expect(net.folder);
        let updates = net.updates();
        let last = updates.last().unwrap();
        let execution = last.finalized_header.execution.as_ref().unwrap();
        assert_eq!(values.head.chain_digest, net.chain().digest(), "{}", net.folder);
        assert_eq!(values.head.participation, participation, "{}", net.folder);
        assert_eq!(values.head.finalized_root, last.finalized_header.beacon.root());
        assert_eq!(values.head.block_hash, execution.block_hash);
        assert_eq!(values.head.state_root, execution.state_root);
        assert_eq!(values.head.block_number, execution.block_number);
        assert_eq!(values.learned.len(), learned);
        for (learned, update) in values.learned.iter().zip(&updates) {
            assert_eq!(learned.committee_root, update.next_sync_committee.root());
        }
    }
}

/// Compares proven accounts with the plain values beside the proofs, which the statement does not read.
fn assert_accounts(net: Devnet, accounts: &[Account]) {
    let hex = |text: &Value| format!("{:0>64}", text.as_str().unwrap().trim_start_matches("0x"));
    let mut slots = (0, 0);
    for name in ["contract", "eoa", "absent"] {
        let recorded = net.json(&format!("el_getProof_{name}.json"))["result"].take();
        let address = recorded["address"].as_str().unwrap();
        let account = accounts
            .iter()
            .find(|account| format!("0x{}", hex::encode(account.address)) == address)
            .expect(address);
        assert_eq!(account.exists, name != "absent", "{}: {name}", net.folder);
        if account.exists {
            assert_eq!(format!("{:#x}", account.nonce), recorded["nonce"].as_str().unwrap());
            assert_eq!(hex::encode(account.balance), hex(&recorded["balance"]));
            assert_eq!(hex::encode(account.storage_root), hex(&recorded["storageHash"]));
            assert_eq!(hex::encode(account.code_hash), hex(&recorded["codeHash"]));
        } else {
            assert_eq!((account.nonce, account.balance, account.storage_root), (0, [0; 32], [0; 32]));
        }
        for recorded in recorded["storageProof"].as_array().unwrap() {
            let key = hex(&recorded["key"]);
            let slot = account.slots.iter().find(|slot| hex::encode(slot.key) == key).expect("a slot");
            assert_eq!(hex::encode(slot.value), hex(&recorded["value"]), "{}: slot {key}", net.folder);
            assert_eq!(slot.exists, slot.value != [0; 32]);
            if slot.exists { slots.0 += 1 } else { slots.1 += 1 }
        }
    }
    assert!(slots.0 >= 3 && slots.1 >= 1, "{}: {slots:?} present and absent", net.folder);
}

#[test]
fn accounts_and_slots_present_and_absent() {
    for net in ALL {
        let values = inclusion::check(&net.inclusion(), &mut Plain).expect(net.folder);
        let (committee, update) = net.finality();
        assert_eq!(values.head.signer_committee_root, committee.root());
        assert_eq!(values.head.finalized_root, update.finalized_header.beacon.root());
        assert_accounts(net, &values.accounts);
    }
}

#[test]
fn ssz_and_json_are_the_same_objects() {
    for net in [ELECTRA, FULU, ELECTRA_TO_FULU] {
        let chain = net.chain();
        let fork = if net == ELECTRA { Fork::Electra } else { Fork::Fulu };
        let ssz = |name: &str| std::fs::read(net.file(name)).unwrap();

        let bootstrap = LightClientBootstrap::from_ssz(fork, 512, &ssz("bootstrap.ssz")).unwrap();
        assert_eq!(bootstrap, net.beacon("bootstrap.json"));
        let finality = ssz("finality_update.ssz");
        let found = ssz::of_any_fork(&chain, &finality, LightClientFinalityUpdate::from_ssz, |update| {
            update.attested_header.beacon.slot
        });
        assert_eq!(found, Ok((fork, net.beacon("finality_update.json"))));
        let optimistic =
            LightClientOptimisticUpdate::from_ssz(fork, 512, &ssz("optimistic_update.ssz")).unwrap();
        assert_eq!(optimistic, net.beacon("optimistic_update.json"));

        let answer = ssz("updates.ssz");
        let updates: Vec<_> = ssz::split_updates(&answer)
            .unwrap()
            .iter()
            .map(|chunk| LightClientUpdate::from_ssz(fork, 512, chunk.ssz).unwrap())
            .collect();
        assert_eq!(updates, net.updates());
        for length in 1..40 {
            assert!(ssz::split_updates(&answer[..answer.len() - length]).is_err());
        }
    }
}

#[test]
fn ssz_errors_name_the_field() {
    let bytes = std::fs::read(FULU.file("finality_update.ssz")).unwrap();
    let decode = |bytes: &[u8]| LightClientFinalityUpdate::from_ssz(Fork::Fulu, 512, bytes);
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
    }
    let error = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
    assert_eq!(error(&[]), "ssz.attested_header: 4 bytes wanted, 0 left");
    assert_eq!(error(&bytes[..20]), "ssz.finality_branch: 224 bytes wanted, 12 left");
    // Short of the last header's list, and of its fixed part.
    let message = error(&bytes[..bytes.len() - 300]);
    assert!(message.starts_with("ssz.finalized_header.execution.logs_bloom: 256 bytes wanted"), "{message}");
    for (at, message) in [
        (0, "ssz.attested_header: offset "),
        (4, "ssz.finalized_header.execution: offset "),
        // The execution payload header's offset inside the attested header, at 400.
        (400 + 112, "ssz.attested_header.execution: offset "),
    ] {
        let mut edited = bytes.clone();
        edited[at] ^= 1;
        assert!(error(&edited).starts_with(message), "{at}: {}", error(&edited));
    }
    let mut longer = bytes.clone();
    longer.extend([7; 64]);
    let message = error(&longer);
    assert!(message.starts_with("ssz.finalized_header.execution.extra_data: "), "{message}");
    // Another fork's shape.
    assert!(LightClientFinalityUpdate::from_ssz(Fork::Deneb, 512, &bytes).is_err());
    assert!(LightClientFinalityUpdate::from_ssz(Fork::Gloas, 512, &bytes).is_err());
    assert!(LightClientFinalityUpdate::from_ssz(Fork::Fulu, 32, &bytes).is_err());
    let error = LightClientUpdate::from_ssz(Fork::Phase0, 512, &bytes).unwrap_err();
    assert_eq!(error.to_string(), "ssz: fork phase0 has no light-client data");
}

#[test]
fn a_block_is_its_header() {
    for net in ALL {
        let block: BlockJson =
            serde_json::from_value(net.json("el_block_finalized.json")["result"].take()).unwrap();
        let rlp = block.to_rlp().expect(net.folder);
        // The same inclusion by the other way: the branch proves the block hash alone, the header the rest.
        let by_payload = net.inclusion();
        let payload = net.finality().1.finalized_header;
        let mut upgraded = payload.clone();
        upgraded.upgrade(&net.chain(), Fork::Gloas);
        let (committee, mut update) = net.finality();
        update.finalized_header = upgraded;
        let mut by_header =
            sextant_consensus::build::inclusion_input(&net.chain(), &committee, &update, &net.accounts())
                .unwrap();
        assert!(
            inclusion::check(&by_header, &mut Plain)
                .unwrap_err()
                .to_string()
                .contains("no state root is proven")
        );
        by_header.execution = by_header.execution.with_block_header(rlp.clone()).expect(net.folder);
        assert_ne!(by_header.execution.proof, by_payload.execution.proof);
        // It says the same, and what only a header tells.
        let mut expected = inclusion::check(&by_payload, &mut Plain).unwrap();
        let recorded = net.json("el_block_finalized.json")["result"].take();
        let digits = |field: &str| recorded[field].as_str().unwrap().strip_prefix("0x").unwrap().to_owned();
        expected.facts.receipts_root = hex::decode(digits("receiptsRoot")).unwrap().try_into().unwrap();
        expected.facts.timestamp = u64::from_str_radix(&digits("timestamp"), 16).unwrap();
        assert_eq!(inclusion::check(&by_header, &mut Plain), Ok(expected));

        let mut edited = recorded;
        edited["gasUsed"] = json!("0x1");
        let edited: BlockJson = serde_json::from_value(edited).unwrap();
        assert!(edited.to_rlp().is_err());
    }
}

/// Strings have a long form from 56 bytes on; the extra data of the recorded header is empty.
#[test]
fn a_header_s_strings_are_canonical_at_any_length() {
    for length in [1, 2, 32, 55, 56, 57, 255, 256, 257] {
        let extra = vec![7; length];
        let mut json = FULU.json("el_block_finalized.json")["result"].take();
        json["extraData"] = json!(format!("0x{}", hex::encode(&extra)));
        let block = |json: &Value| serde_json::from_value::<BlockJson>(json.clone()).unwrap();
        let BlockError::Hash { got, .. } = block(&json).to_rlp().unwrap_err();
        json["hash"] = json!(format!("0x{}", hex::encode(got)));
        let rlp = block(&json).to_rlp().expect("its own hash");
        let mut rest = Item::only(&rlp).and_then(Item::list).expect("a list");
        let mut fields = Vec::new();
        while !rest.is_empty() {
            let (field, _, tail) = Item::take(rest).unwrap_or_else(|error| panic!("{length} bytes: {error}"));
            fields.push(field);
            rest = tail;
        }
        assert_eq!(fields[12], Item::String(&extra), "{length} bytes");
    }
}

/// Some nodes list again what stands inside its parent, being shorter than a hash.
#[test]
fn short_trie_nodes_are_not_nodes_of_their_own() {
    let net = FULU;
    let (committee, update) = net.finality();
    let input = |accounts: &[AccountNodes]| {
        sextant_consensus::build::inclusion_input(&net.chain(), &committee, &update, accounts).unwrap()
    };
    let whole = net.accounts();
    let mut repeating = whole.clone();
    for account in &mut repeating {
        account.nodes.push(vec![0xc2, 0x20, 0x01]);
        account.slots.iter_mut().filter(|(_, nodes)| !nodes.is_empty()).for_each(|(_, nodes)| {
            nodes.push(vec![0xc2, 0x20, 0x01]);
        });
    }
    assert_eq!(input(&repeating), input(&whole));
}

#[test]
fn a_committee_is_empty_only_without_any_key() {
    let (committee, _) = FULU.finality();
    assert!(!committee.is_empty());
    let without_aggregate = SyncCommittee { aggregate_pubkey: [0; 48], ..committee.clone() };
    assert!(!without_aggregate.is_empty());
    assert!(!SyncCommittee { pubkeys: vec![[0; 48]; 512], ..committee }.is_empty());
}

#[test]
fn chains_from_specifications() {
    let chain = ELECTRA_TO_FULU.chain();
    assert_eq!(chain.fork_at(63), Ok(Fork::Electra));
    assert_eq!(chain.fork_at(64), Ok(Fork::Fulu));
    assert_eq!(chain.forks.0[7].version, [7, 0, 0x13, 0x37]);
    let capella = CAPELLA.chain();
    assert_eq!(capella.fork_at(u64::MAX), Ok(Fork::Capella));

    let genesis: Genesis = FULU.beacon("genesis.json");
    let with = |name: &str, value: Value| {
        let mut spec = FULU.json("spec.json")["data"].take();
        spec[name] = value;
        let spec: Spec = serde_json::from_value(spec).unwrap();
        ChainConfig::from_spec(&spec, &genesis).map_err(|e| e.to_string())
    };
    assert_eq!(with("BLOB_SCHEDULE", json!([{"EPOCH": "5"}])), Ok(FULU.chain()));
    assert_eq!(with("SYNC_COMMITTEE_SIZE", json!(512)), Ok(FULU.chain()));
    for (name, value, message) in [
        ("SLOTS_PER_EPOCH", json!(null), "spec: SLOTS_PER_EPOCH is missing"),
        ("SLOTS_PER_EPOCH", json!("+32"), "spec: SLOTS_PER_EPOCH: \"+32\" is not a uint64"),
        ("FULU_FORK_VERSION", json!(null), "spec: FULU_FORK_VERSION is missing"),
        ("FULU_FORK_VERSION", json!("0x06"), "spec: FULU_FORK_VERSION: \"0x06\" is not 4 bytes of hex"),
        ("SYNC_COMMITTEE_SIZE", json!("64"), "committee size 64 is neither 512"),
        ("ELECTRA_FORK_EPOCH", json!("9"), "fork schedule: fulu begins before"),
        ("HEZE_FORK_EPOCH", json!("9"), "spec: HEZE_FORK_EPOCH is 9, a fork this version does not know"),
    ] {
        let error = with(name, value).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(matches!(
        ChainConfig::from_spec(&serde_json::from_value(json!({})).unwrap(), &genesis),
        Err(SpecError::Missing(_))
    ));
}
