// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Committees} from "../src/Committees.sol";
import {Contradictions} from "../src/Contradictions.sol";
import {LightClient} from "../src/LightClient.sol";
import {CommitteeChange, Head, Inclusion, Learned} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Base} from "./support/Base.sol";
import {OneProof} from "./support/Verifiers.sol";
import {vm} from "./support/Vm.sol";

/// @notice An inclusion that begins with handovers teaches their committees as a committee change does, and by its rules.
contract CatchUpTest is Base {
    bytes32 private constant OTHER = keccak256("other");

    LightClient private client;
    uint64 private period;
    bytes32 private learned;

    /// The client knows the first committee alone.
    function setUp() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        client = deploy(statement.head);
        require(statement.learned.length == 1, "the recording lacks a handover");
        (period, learned) = (statement.learned[0].period, statement.learned[0].committeeRoot);
    }

    function test_one_transaction_teaches_and_proves() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        bytes memory values = recorded(CATCH_UP);
        Head memory head = statement.head;
        verifier.accept(INCLUSION_KEY, values, PROOF);
        vm.expectEmit(address(client));
        emit Statements.StatementProven(keccak256(values), 2, head.finalizedSlot, head.finalizedRoot);
        vm.expectEmit(address(client));
        emit LightClient.HeadMoved(head.finalizedSlot, head.finalizedRoot);
        vm.expectEmit(address(client));
        emit Committees.CommitteeLearned(period, learned);
        client.submitInclusion(values, PROOF);
        require(client.committeeRoot(period) == learned, "committee");
        require(client.committeeRoot(period - 1) == head.signerCommitteeRoot, "the one that was known");
        require(client.headSlot() == head.finalizedSlot, "head");
        require(client.provenFacts(values).number == statement.facts.number, "facts");
    }

    function test_many_periods_in_one_call() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        statement.learned = new Learned[](3);
        for (uint64 i = 0; i < 3; ++i) {
            statement.learned[i] = Learned(period + i, keccak256(abi.encode(i)));
        }
        submitInclusion(client, abi.encode(statement));
        for (uint64 i = 0; i < 3; ++i) {
            require(client.committeeRoot(period + i) == keccak256(abi.encode(i)), "committee");
        }
    }

    /// The next inclusion is signed by the committee that was learned.
    function test_what_was_taught_signs() public {
        Inclusion memory next = inclusion(CATCH_UP);
        (next.head.signerPeriod, next.head.signerCommitteeRoot) = (period, learned);
        next.learned = new Learned[](0);
        refuseInclusion(
            client, abi.encode(next), abi.encodeWithSelector(Committees.UnknownCommittee.selector, period)
        );
        submitInclusion(client, recorded(CATCH_UP));
        submitInclusion(client, abi.encode(next));
    }

    /// Whether by a committee change or by an inclusion: what was learned is known to both.
    function test_a_committee_change_of_what_an_inclusion_taught() public {
        submitInclusion(client, recorded(CATCH_UP));
        uint64 slot = client.headSlot();
        refuseChange(
            client,
            _asChange(inclusion(CATCH_UP).learned),
            abi.encodeWithSelector(LightClient.NothingNew.selector, slot, slot)
        );
        client = deploy(inclusion(CATCH_UP).head);
        submitChange(client, _asChange(inclusion(CATCH_UP).learned));
        submitInclusion(client, recorded(CATCH_UP));
        require(client.contradictedAt(slot) == 0 && client.committeeRoot(period) == learned, "committee");
    }

    function test_an_older_inclusion_still_teaches() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        statement.head.finalizedSlot -= 96;
        uint64 head = client.headSlot();
        require(statement.head.finalizedSlot < head, "not older");
        submitInclusion(client, abi.encode(statement));
        require(client.headSlot() == head && client.committeeRoot(period) == learned, "committee");
    }

    function test_learned_periods_out_of_order() public {
        bytes memory reason = abi.encodeWithSelector(Committees.LearnedOutOfOrder.selector);
        Inclusion memory statement = inclusion(CATCH_UP);
        statement.learned[0].period = period + 1;
        refuseInclusion(client, abi.encode(statement), reason);
        statement.learned[0].period = period - 1;
        refuseInclusion(client, abi.encode(statement), reason);
        statement.learned[0] = Learned(period, 0);
        refuseInclusion(client, abi.encode(statement), reason);
        statement.learned = new Learned[](2);
        (statement.learned[0], statement.learned[1]) = (Learned(period, learned), Learned(period, learned));
        refuseInclusion(client, abi.encode(statement), reason);
    }

    /// Who signed last does not help: the first committee has to be the one that is known.
    function test_the_first_committee_has_to_be_known() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        bytes32 known = statement.head.signerCommitteeRoot;
        statement.head.signerCommitteeRoot = OTHER;
        refuseInclusion(
            client,
            abi.encode(statement),
            abi.encodeWithSelector(Committees.UntrustedCommittee.selector, period - 1, OTHER, known)
        );
        statement = inclusion(CATCH_UP);
        (statement.head.signerPeriod, statement.learned[0].period) = (period - 2, period - 1);
        refuseInclusion(
            client,
            abi.encode(statement),
            abi.encodeWithSelector(Committees.UnknownCommittee.selector, period - 2)
        );
    }

    function test_too_old_and_too_few_signers_teach_nothing() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        statement.head.participation = SIGNERS - 1;
        refuseInclusion(
            client,
            abi.encode(statement),
            abi.encodeWithSelector(LightClient.TooFewSigners.selector, SIGNERS - 1, SIGNERS)
        );
        uint64 slot = statement.head.finalizedSlot;
        uint256 late = timeOf(slot) + MAX_AGE + 1;
        vm.warp(late);
        refuseInclusion(
            client, recorded(CATCH_UP), abi.encodeWithSelector(LightClient.TooOld.selector, slot, late)
        );
        _requireUnknown();
    }

    /// A committee that is known never changes, and from the statement that would change it nothing is learned.
    function test_another_committee_than_the_known_one() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        statement.learned = new Learned[](2);
        (statement.learned[0], statement.learned[1]) = (Learned(period, OTHER), Learned(period + 1, OTHER));
        Inclusion memory first = inclusion(CATCH_UP);
        first.head.finalizedSlot -= 32;
        submitInclusion(client, abi.encode(first));
        (uint64 head, uint64 slot) = (client.headSlot(), statement.head.finalizedSlot);
        bytes memory values = abi.encode(statement);
        verifier.accept(INCLUSION_KEY, values, PROOF);
        vm.expectEmit(address(client));
        emit Contradictions.CommitteeContradicted(period, slot, learned, OTHER);
        vm.expectEmit(address(client));
        emit Statements.StatementProven(keccak256(values), 2, slot, statement.head.finalizedRoot);
        client.submitInclusion(values, PROOF);
        require(client.committeeRoot(period) == learned && client.headSlot() == head, "changed");
        vm.expectRevert(abi.encodeWithSelector(Committees.UnknownCommittee.selector, period + 1));
        client.committeeRoot(period + 1);
        vm.expectRevert(abi.encodeWithSelector(Contradictions.SlotContradicted.selector, slot));
        client.provenFacts(values);
    }

    function test_another_header_at_the_head_teaches_nothing() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        statement.head.finalizedSlot = client.headSlot();
        submitInclusion(client, abi.encode(statement));
        require(client.contradictedAt(client.headSlot()) == block.timestamp, "not recorded");
        _requireUnknown();
    }

    function test_an_unproven_inclusion_teaches_nothing() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        statement.learned[0].committeeRoot = OTHER;
        verifier.accept(INCLUSION_KEY, recorded(CATCH_UP), PROOF);
        vm.expectRevert(abi.encodeWithSelector(OneProof.ProofRefused.selector));
        client.submitInclusion(abi.encode(statement), PROOF);
        _requireUnknown();
    }

    /// The guardian has announced a committee for a period that an inclusion leads over meanwhile: what was proven stands.
    function test_a_committee_that_was_learned_meanwhile_stands() public {
        vm.prank(GUARDIAN);
        client.announceCommittee(period, OTHER);
        submitInclusion(client, recorded(CATCH_UP));
        vm.warp(client.executableFrom());
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(Committees.CommitteeKnown.selector, period, learned));
        client.executeCommittee(period, OTHER);
        require(client.committeeRoot(period) == learned, "the committee changed");
    }

    /// @dev The same handover as a committee change, with the same header and without execution facts.
    function _asChange(Learned[] memory learned_) private view returns (bytes memory) {
        Head memory head = inclusion(CATCH_UP).head;
        (head.program, head.blockNumber, head.stateRoot) = (1, 0, 0);
        return abi.encode(CommitteeChange(head, learned_));
    }

    function _requireUnknown() private {
        vm.expectRevert(abi.encodeWithSelector(Committees.UnknownCommittee.selector, period));
        client.committeeRoot(period);
    }
}
