//! No encoding changes unseen: the hash of every message, of the record, and of the public values of real statements. Who
//! changes one on purpose changes it here, and asks what becomes of those who have the old one.

mod common;

use common::{client_messages, record, server_messages, vector};
use sextant_consensus::{bls::Plain, check_statement};
use sextant_protocol::{encoding, wire::to_bytes};
use sha2::{Digest, Sha256};

const MESSAGES: &str = "\
7e5b53126ec96d7a27ee29d7c26a9e64 client-hello
111b7f04b5b0791612305f17548141a3 client-introduction
ac41a5f660eaf02b0fa4e963d1f09fa1 client-ping
4cd5600cf01c89d8644db65dda6fe180 client-info
f05598e32329cba7cac96f482c81a097 client-prove
1a3ad94fc9767cd124a687b6beb9b98d client-verify
4ae5a8889bf1c89679df79cc6f0c1b57 client-submit
a25cfd11a33d2715f05c33b1c9859487 client-fetch
e37af0d8c2f9b1b6fa54d02d058b87c4 client-withdraw
fc29cf41172d6d0dc6097233e174a0a7 client-wrap
ce22b8d3e74a0d3144afdbb016f185eb client-submit-wrap
4554df7d4d5c0b789fd24a456f628ad6 client-bundle
ffe08f381a76a8952bbbe447ff3090a5 client-submit-bundle
bf52de72a234f2e8de3169fa7e822c11 client-large
1529a8efb7bfac45e643e741c75c8cd7 client-part
7a11ae035f1737b04eec11d463fbe713 client-cancel
d59f43b8915578276c3496a522630c3e server-welcome
a82e247b979a6196c74d92aec60afd67 server-refused
cce361bc7445f52074139cfc7a6c6e7d server-progress
9c79c2b705095e840cf2e19e3b01e373 server-pong
1117ce7ebbfb4be6b84481340aaa98d9 server-info
e75b521edf5b57a516ecd2b5d77cc9a0 server-verified
b4c0a1e09141298c3fe09598474ff1bc server-proof
f63028e2760a4ace52e220c7b2e8c554 server-submitted
5d4ad233f29114c340efad7ae0a27ef0 server-rest
a524fe30264abb06a6d1857b99d06496 server-withdrawn
8ca7618bd14b51e749f2b206809090cc server-parts
cc229fa8c219edcdff9d8b99b7abacef server-error
e9076c744d2ae0e158b3ce4c8163163a proof record
1913a316c5a0d6cf94a848ad8c7c1b3c proof file
23eeedd6c1f6e57d91f3c4205764d891 bundled record
";

const PUBLIC_VALUES: &str = "\
57f4968fedc498ec120a5b8cfe6ccfb3 mainnet-deneb-one-handover
c053f6c6a3693e69e4c55144cbe701b1 mainnet-deneb-two-handovers
806d3784d7a4b9343de6480662a7bf8b mainnet-deneb-one-contract-one-slot
d98b13bba9f99266bf47a8748a0fc94e devnet-capella-one-handover
5e390e7e53187022878421583a40ca85 devnet-capella-three-accounts
b22c19aa40a9a13d6e501967c29de3c7 devnet-electra-one-handover-407-signers
155cea3965192520153c4520270970f9 devnet-electra-three-accounts-406-signers
36b6c625c418eec32b553e4355a8a95b devnet-fulu-three-accounts
139014e7cb130b1068c90984034ed341 devnet-electra-to-fulu-three-handovers
4b6204f1afe7b93bb11e934f515666bb devnet-fulu-three-accounts-third-period
880444e7b16045e117ab57cfe9286fc3 synthetic-deneb-one-handover-cancelling-keys
60beb6b709d087499630ca6642d1789e synthetic-gloas-one-handover-block-hash-only
6276f35a15a9750cf329df6635faee18 synthetic-gloas-one-handover
28bab156cf15f1451a4dd1fcb586f3ab synthetic-gloas-one-contract-one-slot
bf136bd78663973966c78b7e99936e73 synthetic-gloas-tries-of-one-leaf
088eb8d09ac212d8d4c6296edc58dc61 synthetic-gloas-handover-and-one-slot
016762adbef532a51f04731714b0c5d5 synthetic-gloas-one-slot-8000-blocks-back
4ba41f8e3ea6b0d29dd34245452b66b6 synthetic-gloas-one-slot-60-blocks-back
2c3098eaf711dd8ad30b58236ce8d921 synthetic-gloas-one-slot-4-blocks-back
4819a1447d8245dda884bec4d317f272 synthetic-gloas-one-slot-20000-blocks-back
b83388c1f6f02fb82cc0d7341170a989 mainnet-block-one-log-of-215-transactions
50705b174364a20636c7fc43f81af3c8 mainnet-block-three-transactions-and-one-slot
20c29b5ee186b07a72aea0eeaef17b2b mainnet-block-no-log-by-filter
007f19ff97303d9ca67e339295fbbbb7 mainnet-block-no-log-by-57-receipts
09eff44ce5a210c7989cec27c96e3c65 mainnet-block-handover-slot-log-and-no-log-60-blocks-back
";

fn line(name: &str, bytes: &[u8]) -> String {
    format!("{} {name}\n", hex::encode(&Sha256::digest(bytes)[..16]))
}

#[test]
fn messages_and_records_are_encoded_as_ever() {
    let clients = client_messages().into_iter().map(|(name, message)| line(name, &to_bytes(&message)));
    let servers = server_messages().into_iter().map(|(name, messages)| {
        let bytes: Vec<u8> = messages.iter().flat_map(to_bytes).collect();
        line(name, &bytes)
    });
    let records =
        [line("proof record", &encoding::encode(&record())), line("proof file", &record().to_file_bytes())];
    let records = records.into_iter().chain([line("bundled record", &vector("bundled-record"))]);
    let found: String = clients.chain(servers).chain(records).collect();
    assert_eq!(found, MESSAGES, "an encoding has changed; now it is\n{found}");
}

/// There may be more statements than these.
#[test]
fn public_values_are_encoded_as_ever() {
    let statements = sextant_fixtures::statements().into_iter().map(|(name, program, input)| {
        let statement = check_statement(program, &input, &mut Plain).unwrap();
        line(name, &statement.abi_encode())
    });
    let found: String = statements.collect();
    for pinned in PUBLIC_VALUES.lines() {
        assert!(found.lines().any(|line| line == pinned), "{pinned}, but now it is\n{found}");
    }
}
