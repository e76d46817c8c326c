// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Committees} from "../src/Committees.sol";
import {LightClient} from "../src/LightClient.sol";
import {CommitteeChange, Inclusion, Learned, PublicValues} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Trusted} from "../src/Trusted.sol";
import {Base} from "./support/Base.sol";
import {OneProof} from "./support/Verifiers.sol";
import {vm} from "./support/Vm.sol";

/// @notice Every reason to refuse a submission. Unless a test says otherwise the verifier would accept the very triple
/// that is submitted: it is the light client that refuses.
contract RefusalsTest is Base {
    LightClient private client;

    function setUp() public {
        client = deploy(change(ONE_HANDOVER).head);
    }

    function test_a_proof_of_the_other_program() public {
        bytes memory values = recorded(ONE_HANDOVER);
        verifier.accept(INCLUSION_KEY, values, PROOF);
        vm.expectRevert(abi.encodeWithSelector(OneProof.ProofRefused.selector));
        client.submitCommitteeChange(values, PROOF);
        client = deploy(inclusion(ONE_SLOT).head);
        values = recorded(ONE_SLOT);
        verifier.accept(CHANGE_KEY, values, PROOF);
        vm.expectRevert(abi.encodeWithSelector(OneProof.ProofRefused.selector));
        client.submitInclusion(values, PROOF);
    }

    function test_public_values_of_the_other_program() public {
        refuseInclusion(
            client, recorded(ONE_HANDOVER), abi.encodeWithSelector(PublicValues.WrongProgram.selector, 1, 2)
        );
        refuseChange(
            client, recorded(ONE_SLOT), abi.encodeWithSelector(PublicValues.WrongProgram.selector, 2, 1)
        );
    }

    function test_another_proof() public {
        bytes memory values = recorded(ONE_HANDOVER);
        verifier.accept(CHANGE_KEY, values, PROOF);
        vm.expectRevert(abi.encodeWithSelector(OneProof.ProofRefused.selector));
        client.submitCommitteeChange(values, hex"a1b2c3d4e6");
    }

    /// What a gateway would make of it is not asked: one that got a new verifier changes nothing here.
    function test_a_proof_by_other_circuits() public {
        _refuseCircuits(hex"a1b2c3d5e5", hex"a1b2c3d5");
        _refuseCircuits(hex"a1b2c3", hex"a1b2c300");
        _refuseCircuits(hex"", 0);
        client = deploy(inclusion(ONE_SLOT).head);
        verifier.accept(INCLUSION_KEY, recorded(ONE_SLOT), hex"a1b2c3d5e5");
        vm.expectRevert(_wrongCircuits(hex"a1b2c3d5"));
        client.submitInclusion(recorded(ONE_SLOT), hex"a1b2c3d5e5");
    }

    function _refuseCircuits(bytes memory proof, bytes4 selector) private {
        bytes memory values = recorded(ONE_HANDOVER);
        verifier.accept(CHANGE_KEY, values, proof);
        vm.expectRevert(_wrongCircuits(selector));
        client.submitCommitteeChange(values, proof);
    }

    function _wrongCircuits(bytes4 selector) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Trusted.WrongCircuits.selector, selector, SELECTOR);
    }

    /// The verifier knows the recorded values: each byte changed is refused, be it here or there.
    function test_edited_public_values_of_a_committee_change() public {
        bytes memory values = recorded(ONE_HANDOVER);
        verifier.accept(CHANGE_KEY, values, PROOF);
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] ^= 0x01;
            vm.expectRevert();
            client.submitCommitteeChange(values, PROOF);
            values[i] ^= 0x01;
        }
        require(client.headSlot() == checkpoint(change(ONE_HANDOVER).head).slot, "the head moved");
        client.submitCommitteeChange(values, PROOF);
    }

    function test_edited_public_values_of_an_inclusion() public {
        client = deploy(inclusion(ONE_SLOT).head);
        bytes memory values = recorded(ONE_SLOT);
        verifier.accept(INCLUSION_KEY, values, PROOF);
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] ^= 0x80;
            vm.expectRevert();
            client.submitInclusion(values, PROOF);
            values[i] ^= 0x80;
        }
        client.submitInclusion(values, PROOF);
    }

    function test_replays() public {
        bytes memory values = recorded(ONE_HANDOVER);
        bytes memory reason = abi.encodeWithSelector(Statements.AlreadyProven.selector, keccak256(values));
        submitChange(client, values);
        refuseChange(client, values, reason);
        values = recorded(ONE_SLOT);
        client = deploy(inclusion(ONE_SLOT).head);
        submitInclusion(client, values);
        reason = abi.encodeWithSelector(Statements.AlreadyProven.selector, keccak256(values));
        refuseInclusion(client, values, reason);
    }

    function test_an_older_head_that_teaches_nothing() public {
        submitChange(client, recorded(ONE_HANDOVER));
        CommitteeChange memory statement = change(ONE_HANDOVER);
        // Without execution facts it says nothing that is not known.
        (statement.head.blockNumber, statement.head.stateRoot) = (0, 0);
        statement.head.finalizedSlot -= 32;
        refuseChange(client, abi.encode(statement), _nothingNew(9_420_768));
        // The same header with other evidence neither.
        statement.head = change(ONE_HANDOVER).head;
        (statement.head.blockNumber, statement.head.stateRoot) = (0, 0);
        statement.head.participation -= 1;
        refuseChange(client, abi.encode(statement), _nothingNew(9_420_800));
    }

    /// Whoever proves a handover without execution facts first does not keep them out: they come in once, and stay.
    function test_execution_facts_of_a_known_header_pass_until_they_are_kept() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        bytes32 state = statement.head.stateRoot;
        (statement.head.blockNumber, statement.head.stateRoot) = (0, 0);
        submitChange(client, abi.encode(statement));
        submitChange(client, recorded(ONE_HANDOVER));
        require(state != 0 && client.stateRoot(9_420_800) == state, "no state root");
        statement = change(ONE_HANDOVER);
        statement.head.participation -= 1;
        refuseChange(client, abi.encode(statement), _nothingNew(9_420_800));
    }

    function _nothingNew(uint64 slot) private pure returns (bytes memory) {
        return abi.encodeWithSelector(LightClient.NothingNew.selector, slot, 9_420_800);
    }

    function test_another_chain() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        bytes32 digest = statement.head.chainDigest;
        statement.head.chainDigest = ~digest;
        bytes memory reason = abi.encodeWithSelector(Trusted.WrongChain.selector, ~digest, digest);
        refuseChange(client, abi.encode(statement), reason);
        Inclusion memory included = inclusion(ONE_SLOT);
        included.head.chainDigest = ~digest;
        refuseInclusion(client, abi.encode(included), reason);
        // A recorded statement about another chain.
        included = inclusion(THREE_ACCOUNTS);
        reason = abi.encodeWithSelector(Trusted.WrongChain.selector, included.head.chainDigest, digest);
        refuseInclusion(client, recorded(THREE_ACCOUNTS), reason);
    }

    function test_a_committee_of_a_period_that_is_not_known() public {
        // Recorded in period 1167, while the client knows 1150.
        refuseInclusion(
            client, recorded(ONE_SLOT), abi.encodeWithSelector(Committees.UnknownCommittee.selector, 1167)
        );
        CommitteeChange memory statement = change(ONE_HANDOVER);
        statement.head.signerPeriod = 1149;
        statement.learned[0].period = 1150;
        refuseChange(
            client, abi.encode(statement), abi.encodeWithSelector(Committees.UnknownCommittee.selector, 1149)
        );
        vm.expectRevert(abi.encodeWithSelector(Committees.UnknownCommittee.selector, 1151));
        client.committeeRoot(1151);
    }

    function test_another_committee_of_a_known_period() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        bytes32 known = statement.head.signerCommitteeRoot;
        statement.head.signerCommitteeRoot = keccak256("poisoned");
        refuseChange(
            client,
            abi.encode(statement),
            abi.encodeWithSelector(
                Committees.UntrustedCommittee.selector, 1150, statement.head.signerCommitteeRoot, known
            )
        );
    }

    function test_learned_periods_out_of_order() public {
        bytes memory reason = abi.encodeWithSelector(Committees.LearnedOutOfOrder.selector);
        CommitteeChange memory statement = change(ONE_HANDOVER);
        statement.learned[0].period = 1152;
        refuseChange(client, abi.encode(statement), reason);
        statement.learned[0].period = 1150;
        refuseChange(client, abi.encode(statement), reason);
        statement.learned[0] = Learned(1151, 0);
        refuseChange(client, abi.encode(statement), reason);
        statement.learned = new Learned[](0);
        refuseChange(client, abi.encode(statement), reason);
    }

    function test_from_the_future() public {
        uint256 time = timeOf(9_420_800);
        vm.warp(time - 1);
        refuseChange(
            client,
            recorded(ONE_HANDOVER),
            abi.encodeWithSelector(LightClient.FromTheFuture.selector, 9_420_800, time - 1)
        );
        vm.warp(time);
        submitChange(client, recorded(ONE_HANDOVER));
    }

    function test_too_old() public {
        uint256 last = timeOf(9_420_800) + MAX_AGE;
        vm.warp(last + 1);
        refuseChange(
            client,
            recorded(ONE_HANDOVER),
            abi.encodeWithSelector(LightClient.TooOld.selector, 9_420_800, last + 1)
        );
        vm.warp(last);
        submitChange(client, recorded(ONE_HANDOVER));
    }

    function test_an_inclusion_too_old_or_from_the_future() public {
        client = deploy(inclusion(ONE_SLOT).head);
        uint256 time = timeOf(9_567_456);
        vm.warp(time - 1);
        refuseInclusion(
            client,
            recorded(ONE_SLOT),
            abi.encodeWithSelector(LightClient.FromTheFuture.selector, 9_567_456, time - 1)
        );
        vm.warp(time + MAX_AGE + 1);
        refuseInclusion(
            client,
            recorded(ONE_SLOT),
            abi.encodeWithSelector(LightClient.TooOld.selector, 9_567_456, time + MAX_AGE + 1)
        );
    }

    function test_a_slot_beyond_all_time() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        statement.head.finalizedSlot = type(uint64).max;
        refuseChange(
            client,
            abi.encode(statement),
            abi.encodeWithSelector(LightClient.FromTheFuture.selector, type(uint64).max, block.timestamp)
        );
    }

    function test_too_few_signers() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        statement.head.participation = SIGNERS - 1;
        refuseChange(
            client,
            abi.encode(statement),
            abi.encodeWithSelector(LightClient.TooFewSigners.selector, SIGNERS - 1, SIGNERS)
        );
        statement.head.participation = SIGNERS;
        submitChange(client, abi.encode(statement));
    }
}
