// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bundles} from "../src/Bundles.sol";
import {Committees} from "../src/Committees.sol";
import {Contradictions} from "../src/Contradictions.sol";
import {LightClient} from "../src/LightClient.sol";
import {CommitteeChange, Head, Inclusion, Learned} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Bundled} from "./support/Bundled.sol";
import {Vm, vm} from "./support/Vm.sol";

/// @notice One proof of many statements: each is taken in its turn, with what those before it have changed.
contract BundlesTest is Bundled {
    bytes32 private constant OTHER = keccak256("other");

    LightClient private client;

    function setUp() public {
        client = deploy(inclusion(ONE_SLOT).head);
        vm.warp(block.timestamp + 1 days);
    }

    function test_each_statement_is_proven_and_the_head_moves() public {
        bytes[] memory all = inclusions(3);
        bytes memory values = abi.encode(bundleOf(all));
        verifier.accept(BUNDLE_KEY, values, PROOF);
        for (uint256 i = 0; i < 3; ++i) {
            Head memory head = abi.decode(all[i], (Inclusion)).head;
            vm.expectEmit(address(client));
            emit Statements.StatementProven(keccak256(all[i]), 2, head.finalizedSlot, head.finalizedRoot);
            vm.expectEmit(address(client));
            emit LightClient.HeadMoved(head.finalizedSlot, head.finalizedRoot);
        }
        client.submitBundle(all, values, PROOF);
        for (uint256 i = 0; i < 3; ++i) {
            Inclusion memory statement = abi.decode(all[i], (Inclusion));
            require(client.provenAt(all[i]) == block.timestamp, "not proven");
            client.provenSlot(all[i], statement.accounts[0].account, statement.accounts[0].slots[0].key);
        }
        require(client.headSlot() == inclusion(ONE_SLOT).head.finalizedSlot + 64, "head");
        // Each of them is known now: alone it is refused.
        bytes memory reason = abi.encodeWithSelector(Statements.AlreadyProven.selector, keccak256(all[1]));
        refuseInclusion(client, all[1], reason);
    }

    function test_the_most_statements() public {
        bytes[] memory all = inclusions(64);
        submitBundle(client, all);
        for (uint256 i = 0; i < 64; ++i) {
            require(client.provenAt(all[i]) == block.timestamp, "not proven");
        }
    }

    /// Older and newer headers in any order: the head moves forward only.
    function test_the_head_does_not_fall_within_a_bundle() public {
        bytes[] memory all = inclusions(3);
        (all[0], all[2]) = (all[2], all[0]);
        submitBundle(client, all);
        require(client.headSlot() == inclusion(ONE_SLOT).head.finalizedSlot + 64, "head");
        require(client.provenAt(all[2]) == block.timestamp, "the older one");
    }

    /// What the first one teaches signs the second, be it taught by a committee change or by an inclusion.
    function test_what_one_teaches_signs_the_next() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        Learned memory taught = statement.learned[0];
        bytes memory next = _signedBy(taught);
        bytes memory unknown = abi.encodeWithSelector(Committees.UnknownCommittee.selector, taught.period);
        bytes[2] memory teachers = [_asChange(statement), recorded(CATCH_UP)];
        for (uint256 i = 0; i < 2; ++i) {
            client = deploy(statement.head);
            refuseInclusion(client, next, unknown);
            refuseBundle(client, pair(next, teachers[i]), unknown);
            submitBundle(client, pair(teachers[i], next));
            require(client.committeeRoot(taught.period) == taught.committeeRoot, "committee");
            require(client.provenAt(next) == block.timestamp, "not proven");
        }
        // Another one than the one that was taught.
        client = deploy(statement.head);
        refuseBundle(
            client,
            pair(recorded(CATCH_UP), _signedBy(Learned(taught.period, OTHER))),
            abi.encodeWithSelector(
                Committees.UntrustedCommittee.selector, taught.period, OTHER, taught.committeeRoot
            )
        );
    }

    function test_another_header_within_a_bundle_is_a_contradiction() public {
        bytes memory one = recorded(ONE_SLOT);
        Inclusion memory statement = inclusion(ONE_SLOT);
        (bytes32 root, uint64 slot) = (statement.head.finalizedRoot, statement.head.finalizedSlot);
        statement.head.finalizedRoot = OTHER;
        bytes[] memory both = pair(one, abi.encode(statement));
        verifier.accept(BUNDLE_KEY, abi.encode(bundleOf(both)), PROOF);
        vm.expectEmit(address(client));
        emit Contradictions.Contradicted(slot, bytes32(bytes23(root)), OTHER);
        client.submitBundle(both, abi.encode(bundleOf(both)), PROOF);
        require(client.provenAt(both[0]) != 0 && client.provenAt(both[1]) != 0, "not proven");
        require(client.headRootPrefix() == bytes23(root), "the head changed");
        vm.expectRevert(abi.encodeWithSelector(Contradictions.SlotContradicted.selector, slot));
        client.provenHead(one);
    }

    function test_another_committee_within_a_bundle_is_a_contradiction() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        client = deploy(statement.head);
        (uint64 period, bytes32 root) = (statement.learned[0].period, statement.learned[0].committeeRoot);
        uint64 slot = statement.head.finalizedSlot;
        statement.learned[0].committeeRoot = OTHER;
        bytes[] memory both = pair(recorded(CATCH_UP), abi.encode(statement));
        verifier.accept(BUNDLE_KEY, abi.encode(bundleOf(both)), PROOF);
        vm.expectEmit(address(client));
        emit Contradictions.CommitteeContradicted(period, slot, root, OTHER);
        client.submitBundle(both, abi.encode(bundleOf(both)), PROOF);
        require(client.committeeRoot(period) == root, "the committee changed");
        require(client.contradictedAt(slot) == block.timestamp, "not recorded");
    }

    /// Somebody was faster with one of them: the others are still worth their proof.
    function test_what_was_proven_before_is_passed_over() public {
        bytes[] memory all = inclusions(3);
        submitInclusion(client, all[1]);
        uint256 before = client.provenAt(all[1]);
        vm.warp(before + 1);
        vm.recordLogs();
        submitBundle(client, all);
        // Nobody is told of it again.
        require(_told() == 2, "told again");
        require(client.provenAt(all[1]) == before, "proven anew");
        require(client.provenAt(all[0]) == before + 1 && client.provenAt(all[2]) == before + 1, "the others");
    }

    function test_the_same_statement_twice_counts_once() public {
        vm.recordLogs();
        submitBundle(client, pair(recorded(ONE_SLOT), recorded(ONE_SLOT)));
        require(_told() == 1, "told twice");
    }

    /// Somebody was faster with another proof of the same handover. It is passed over, not proven: nothing was learned from
    /// it.
    function test_a_handover_of_which_all_is_known_is_passed_over() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        client = deploy(statement.head);
        bytes memory handover = _asChange(statement);
        submitChange(client, handover);
        --statement.head.participation;
        bytes memory again = _asChange(statement);
        uint64 slot = client.headSlot();
        refuseChange(client, again, abi.encodeWithSelector(LightClient.NothingNew.selector, slot, slot));
        bytes memory next = _signedBy(statement.learned[0]);
        submitBundle(client, pair(again, next));
        require(client.provenAt(next) == block.timestamp, "the other one");
        vm.expectRevert(abi.encodeWithSelector(Statements.NotProven.selector, keccak256(again)));
        client.provenAt(again);
    }

    /// As alone: execution facts of a header that was proven without them come in once.
    function test_execution_facts_of_a_known_header_are_kept() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        client = deploy(statement.head);
        (bytes32 state, uint64 slot) = (statement.head.stateRoot, statement.head.finalizedSlot);
        (statement.head.blockNumber, statement.head.stateRoot) = (0, 0);
        submitBundle(client, pair(abi.encode(statement), recorded(ONE_HANDOVER)));
        require(state != 0 && client.stateRoot(slot) == state, "no state root");
    }

    /// It is seen before the proof is looked at, so that whoever comes second pays little.
    function test_a_bundle_of_proven_statements_is_refused_before_its_proof() public {
        bytes[] memory all = inclusions(2);
        submitBundle(client, all);
        bytes memory values = abi.encode(bundleOf(all));
        bytes memory reason = abi.encodeWithSelector(Bundles.NothingNewInBundle.selector);
        refuseBundle(client, all, reason);
        vm.expectRevert(reason);
        client.submitBundle(all, values, hex"a1b2c3d4");
        refuseBundle(client, pair(all[1], all[1]), reason);
        refuseBundle(client, new bytes[](0), _emptyBundle(), reason);
    }

    function test_a_bundle_of_handovers_of_which_all_is_known_is_refused() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        client = deploy(statement.head);
        bytes memory one = _asChange(statement);
        submitChange(client, one);
        --statement.head.participation;
        bytes memory again = _asChange(statement);
        refuseBundle(client, pair(one, again), abi.encodeWithSelector(Bundles.NothingNewInBundle.selector));
        vm.expectRevert(abi.encodeWithSelector(Statements.NotProven.selector, keccak256(again)));
        client.provenAt(again);
    }

    /// @dev No statement, on the contract's chain: no guest writes it.
    function _emptyBundle() private view returns (bytes memory) {
        return abi.encode(
            uint256(32),
            uint256(2),
            uint256(3),
            inclusion(ONE_SLOT).head.chainDigest,
            uint256(128),
            uint256(0)
        );
    }

    /// @dev An inclusion that a taught committee signed.
    function _signedBy(Learned memory signer) private view returns (bytes memory) {
        Inclusion memory next = inclusion(CATCH_UP);
        (next.head.signerPeriod, next.head.signerCommitteeRoot) = (signer.period, signer.committeeRoot);
        next.learned = new Learned[](0);
        return abi.encode(next);
    }

    /// @dev The same handover as a committee change, without execution facts.
    function _asChange(Inclusion memory statement) private pure returns (bytes memory) {
        Head memory head = abi.decode(abi.encode(statement.head), (Head));
        (head.program, head.blockNumber, head.stateRoot) = (1, 0, 0);
        return abi.encode(CommitteeChange(head, statement.learned));
    }

    /// @dev How many statements were told to be proven.
    function _told() private returns (uint256 count) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == Statements.StatementProven.selector) ++count;
        }
    }
}
