// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Committees} from "../src/Committees.sol";
import {Guardian} from "../src/Guardian.sol";
import {Checkpoint, Knowledge, LightClient, Rules} from "../src/LightClient.sol";
import {CommitteeChange, Head, Inclusion, Learned} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Trust, Trusted} from "../src/Trusted.sol";
import {Base} from "./support/Base.sol";
import {OneProof} from "./support/Verifiers.sol";
import {vm} from "./support/Vm.sol";

/// @notice What both submissions accept, on recorded statements.
contract AcceptTest is Base {
    function test_a_committee_change_teaches_the_committee_and_moves_the_head() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        LightClient client = deploy(statement.head);
        submitChange(client, recorded(ONE_HANDOVER));
        require(client.committeeRoot(1151) == statement.learned[0].committeeRoot, "committee");
        require(client.committeeRoot(1150) == statement.head.signerCommitteeRoot, "signer");
        require(client.headSlot() == 9_420_800, "head");
        require(client.headRootPrefix() == bytes23(statement.head.finalizedRoot), "head's root");
    }

    function test_many_periods_in_one_call() public {
        CommitteeChange memory statement = change(TWO_HANDOVERS);
        LightClient client = deploy(statement.head);
        bytes memory values = recorded(TWO_HANDOVERS);
        verifier.accept(CHANGE_KEY, values, PROOF);
        vm.expectEmit(address(client));
        emit Statements.StatementProven(
            keccak256(values), 1, statement.head.finalizedSlot, statement.head.finalizedRoot
        );
        vm.expectEmit(address(client));
        emit LightClient.HeadMoved(statement.head.finalizedSlot, statement.head.finalizedRoot);
        vm.expectEmit(address(client));
        emit Committees.CommitteeLearned(1151, statement.learned[0].committeeRoot);
        vm.expectEmit(address(client));
        emit Committees.CommitteeLearned(1152, statement.learned[1].committeeRoot);
        client.submitCommitteeChange(values, PROOF);
        require(client.committeeRoot(1152) == statement.learned[1].committeeRoot, "committee");
    }

    function test_one_after_the_other() public {
        LightClient client = deploy(change(ONE_HANDOVER).head);
        submitChange(client, recorded(ONE_HANDOVER));
        // The second handover alone, signed by what the first one taught.
        CommitteeChange memory next = change(TWO_HANDOVERS);
        next.head.signerPeriod = 1151;
        next.head.signerCommitteeRoot = next.learned[0].committeeRoot;
        Learned memory last = next.learned[1];
        next.learned = new Learned[](1);
        next.learned[0] = last;
        vm.warp(timeOf(next.head.finalizedSlot));
        submitChange(client, abi.encode(next));
        require(client.committeeRoot(1152) == next.learned[0].committeeRoot, "committee");
    }

    /// A handover under a newer header, without execution facts: its committee is known, the header is not.
    function test_a_newer_header_is_news_without_a_new_committee() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        LightClient client = deploy(statement.head);
        submitChange(client, recorded(ONE_HANDOVER));
        statement.head.finalizedSlot += 32;
        statement.head.finalizedRoot = keccak256("newer");
        (statement.head.blockNumber, statement.head.stateRoot) = (0, 0);
        vm.warp(timeOf(statement.head.finalizedSlot));
        submitChange(client, abi.encode(statement));
        require(client.headSlot() == 9_420_832, "head");
    }

    function test_an_inclusion_moves_the_head() public {
        LightClient client = deploy(inclusion(ONE_SLOT).head);
        submitInclusion(client, recorded(ONE_SLOT));
        require(client.headSlot() == 9_567_456, "head");
    }

    /// A relayer whose proof took longer than another's: what it proves is accepted, the head stays.
    function test_an_older_inclusion_does_not_move_the_head() public {
        Inclusion memory statement = inclusion(ONE_SLOT);
        LightClient client = deploy(statement.head);
        submitInclusion(client, recorded(ONE_SLOT));
        statement.head.finalizedSlot -= 32;
        statement.head.finalizedRoot = keccak256("older");
        submitInclusion(client, abi.encode(statement));
        require(client.headSlot() == 9_567_456, "head");
        require(client.headRootPrefix() == bytes23(inclusion(ONE_SLOT).head.finalizedRoot), "head's root");
    }

    /// A period's update is often one of its first: the head may have passed it before the committee is learned.
    function test_an_older_committee_change_still_teaches() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        LightClient client = deploy(statement.head);
        statement.head.finalizedSlot -= 96;
        submitChange(client, abi.encode(statement));
        require(client.headSlot() == checkpoint(change(ONE_HANDOVER).head).slot, "head");
        require(client.committeeRoot(1151) == statement.learned[0].committeeRoot, "committee");
    }

    function test_a_known_committee_learned_again_agrees() public {
        LightClient client = deploy(change(ONE_HANDOVER).head);
        submitChange(client, recorded(ONE_HANDOVER));
        CommitteeChange memory statement = change(TWO_HANDOVERS);
        vm.warp(timeOf(statement.head.finalizedSlot));
        submitChange(client, recorded(TWO_HANDOVERS));
        require(client.committeeRoot(1151) == statement.learned[0].committeeRoot, "committee");
        require(client.headSlot() == statement.head.finalizedSlot, "head");
    }

    function test_a_deployment_tells_all_that_it_begins_with() public {
        Head memory head = change(ONE_HANDOVER).head;
        deploy(head);
        Trust memory trusted = trustIn(head, address(verifier));
        Checkpoint memory start = checkpoint(head);
        vm.expectEmit();
        emit Guardian.GuardianChanged(address(0), GUARDIAN);
        vm.expectEmit();
        emit Trusted.TrustReplaced(trusted);
        vm.expectEmit();
        emit LightClient.HeadMoved(start.slot, start.root);
        vm.expectEmit();
        emit Committees.CommitteeLearned(start.period, start.committeeRoot);
        new LightClient(trusted, rules(), start, GUARDIAN, DELAY);
    }

    function test_what_is_known_is_told_in_one_call() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        LightClient client = deploy(statement.head);
        submitChange(client, recorded(ONE_HANDOVER));
        Knowledge memory known = client.knowledge(1149, 4);
        require(keccak256(abi.encode(known.trust)) == keccak256(abi.encode(client.trust())), "trust");
        require(keccak256(abi.encode(known.rules)) == keccak256(abi.encode(rules())), "rules");
        require(known.guardian == GUARDIAN && known.delay == DELAY, "guardian");
        require(known.time == block.timestamp && known.headSlot == client.headSlot(), "head");
        require(known.headRootPrefix == client.headRootPrefix(), "head's root");
        require(known.committees.length == 4, "periods");
        require(known.committees[0] == 0 && known.committees[3] == 0, "unknown");
        require(known.committees[1] == statement.head.signerCommitteeRoot, "signer");
        require(known.committees[2] == statement.learned[0].committeeRoot, "learned");
    }

    function test_incomplete_deployments_are_refused() public {
        Head memory head = change(ONE_HANDOVER).head;
        address checks = address(new OneProof());
        Checkpoint memory start = checkpoint(head);
        for (uint256 missing = 0; missing < 5; ++missing) {
            Rules memory demanded = rules();
            start = checkpoint(head);
            if (missing == 0) demanded.genesisTime = 0;
            if (missing == 1) demanded.secondsPerSlot = 0;
            if (missing == 2) demanded.maxAge = 0;
            if (missing == 3) start.root = 0;
            if (missing == 4) start.committeeRoot = 0;
            vm.expectRevert(abi.encodeWithSelector(LightClient.IncompleteRules.selector));
            new LightClient(trustIn(head, checks), demanded, start, GUARDIAN, DELAY);
        }
        vm.expectRevert(abi.encodeWithSelector(Trusted.NoVerifier.selector, STRANGER));
        new LightClient(trustIn(head, STRANGER), rules(), start, GUARDIAN, DELAY);
        vm.expectRevert(abi.encodeWithSelector(Guardian.NoDelay.selector));
        new LightClient(trustIn(head, checks), rules(), start, GUARDIAN, 0);
        for (uint256 missing = 0; missing < 10; ++missing) {
            Trust memory trusted = trustIn(head, checks);
            if (missing == 0) trusted.committeeChangeKey = 0;
            if (missing == 1) trusted.inclusionKey = 0;
            if (missing == 2) trusted.chainDigest = 0;
            if (missing == 3) trusted.inclusionKey = trusted.committeeChangeKey;
            if (missing == 4) trusted.selector = 0;
            if (missing == 5) trusted.nextChainDigest = keccak256("no slot to begin at");
            if (missing == 6) trusted.forkSlot = 1;
            if (missing == 8) trusted.bundleKey = trusted.committeeChangeKey;
            if (missing == 9) trusted.bundleKey = trusted.inclusionKey;
            if (missing == 7) (trusted.nextChainDigest, trusted.forkSlot) = (trusted.chainDigest, 1);
            vm.expectRevert(abi.encodeWithSelector(Trusted.IncompleteTrust.selector));
            new LightClient(trusted, rules(), start, GUARDIAN, DELAY);
        }
    }
}
