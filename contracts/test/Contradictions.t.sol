// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Archive} from "../src/Archive.sol";
import {Contradictions} from "../src/Contradictions.sol";
import {LightClient} from "../src/LightClient.sol";
import {Account, CommitteeChange, Head, Inclusion} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice Two proven statements that cannot both be true: recorded, told by an event, and from then on neither is read.
contract ContradictionsTest is Base {
    bytes32 private constant ONE = keccak256("one");
    bytes32 private constant OTHER = keccak256("other");

    LightClient private client;
    address private account;
    bytes32 private key;

    function setUp() public {
        Inclusion memory statement = inclusion(ONE_SLOT);
        client = deploy(statement.head);
        (account, key) = (statement.accounts[0].account, statement.accounts[0].slots[0].key);
    }

    /// The head is compared by its first 23 bytes: each of them counts.
    function test_another_header_at_the_head() public {
        bytes memory known = recorded(ONE_SLOT);
        Inclusion memory included = inclusion(ONE_SLOT);
        Head memory head = inclusion(ONE_SLOT).head;
        for (uint256 i = 0; i < 23; ++i) {
            client = deploy(head);
            submitInclusion(client, known);
            client.provenHead(known);
            bytes32 root = head.finalizedRoot ^ (bytes32(bytes1(0x01)) >> (8 * i));
            included.head.finalizedRoot = root;
            bytes memory other = abi.encode(included);
            verifier.accept(INCLUSION_KEY, other, PROOF);
            vm.expectEmit(address(client));
            emit Contradictions.Contradicted(head.finalizedSlot, bytes32(bytes23(head.finalizedRoot)), root);
            vm.expectEmit(address(client));
            emit Statements.StatementProven(keccak256(other), 2, head.finalizedSlot, root);
            client.submitInclusion(other, PROOF);
            require(client.headRootPrefix() == bytes23(head.finalizedRoot), "the head changed");
            _requireUnreadable(known, head.finalizedSlot);
            _requireUnreadable(other, head.finalizedSlot);
        }
    }

    function test_a_handover_with_another_header_at_the_head_teaches_nothing() public {
        CommitteeChange memory statement = change(ONE_HANDOVER);
        client = deploy(statement.head);
        statement.head.finalizedSlot -= 64;
        require(statement.head.finalizedSlot == client.headSlot(), "not at the checkpoint");
        submitChange(client, abi.encode(statement));
        require(client.contradictedAt(client.headSlot()) == block.timestamp, "not recorded");
        vm.expectRevert();
        client.committeeRoot(1151);
    }

    /// Behind the head headers are compared when they are kept.
    function test_two_headers_behind_the_head() public {
        Inclusion memory included = _behind();
        uint64 slot = included.head.finalizedSlot;
        bytes memory one = _prove(included, ONE);
        bytes memory other = _prove(included, OTHER);
        client.provenSlot(one, account, key);
        client.keepSlot(one, account, key);
        client.keepAccount(one, account);
        client.provenSlot(other, account, key);
        vm.expectEmit(address(client));
        emit Contradictions.Contradicted(slot, ONE, OTHER);
        client.keepHeader(other);
        _requireUnreadable(one, slot);
        _requireUnreadable(other, slot);
        _requireKeptUnreadable(slot);
        vm.expectRevert(abi.encodeWithSelector(Contradictions.SlotContradicted.selector, slot));
        client.accountAt(slot, account);
        // Another slot is none of it.
        client.provenHead(recorded(ONE_SLOT));
        require(client.contradictedAt(slot + 1) == 0, "another slot");
    }

    /// Whatever is to be kept of the second one, its header is looked at first.
    function test_keeping_anything_shows_a_contradiction() public {
        Inclusion memory included = _behind();
        uint64 slot = included.head.finalizedSlot;
        client.keepHeader(_prove(included, ONE));
        bytes memory other = _prove(included, OTHER);
        client.keepAccount(other, account);
        uint256 since = client.contradictedAt(slot);
        require(since == block.timestamp, "not recorded");
        vm.warp(block.timestamp + 1);
        client.keepSlot(other, account, key);
        require(client.contradictedAt(slot) == since, "since when is when it was first seen");
        vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, slot));
        client.accountAt(slot, account);
        vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, slot));
        client.storageAt(slot, account, key);
    }

    /// Two state roots, accounts or values under one header: no committee can do that, a broken proof system could.
    function test_two_contents_under_one_header() public {
        Inclusion memory included = _behind();
        uint64 slot = included.head.finalizedSlot;
        client.keepSlot(_prove(included, ONE), account, key);
        bytes32 was = included.accounts[0].slots[0].value;
        (included.accounts[0].slots[0].exists, included.accounts[0].slots[0].value) = (true, OTHER);
        bytes memory other = _prove(included, ONE);
        vm.expectEmit(address(client));
        emit Contradictions.Contradicted(slot, was, OTHER);
        client.keepSlot(other, account, key);
        _requireKeptUnreadable(slot);

        --included.head.finalizedSlot;
        client.keepAccount(_prove(included, ONE), account);
        ++included.accounts[0].nonce;
        client.keepAccount(_prove(included, ONE), account);
        require(client.contradictedAt(slot - 1) != 0, "two accounts");

        --included.head.finalizedSlot;
        client.keepHeader(_prove(included, ONE));
        bytes32 state = included.head.stateRoot;
        included.head.stateRoot = OTHER;
        other = _prove(included, ONE);
        vm.expectEmit(address(client));
        emit Contradictions.Contradicted(slot - 2, state, OTHER);
        client.keepHeader(other);
    }

    /// The slot that exists as zero is another content than the absent one.
    function test_absent_and_present_contradict() public {
        Inclusion memory included = _behind();
        uint64 slot = included.head.finalizedSlot;
        client.keepSlot(_prove(included, ONE), account, key);
        included.accounts[0].slots[0].exists = !included.accounts[0].slots[0].exists;
        client.keepSlot(_prove(included, ONE), account, key);
        require(client.contradictedAt(slot) != 0, "not recorded");
    }

    function test_the_same_again_is_no_contradiction() public {
        Inclusion memory included = _behind();
        uint64 slot = included.head.finalizedSlot;
        bytes memory one = _prove(included, ONE);
        for (uint256 i = 0; i < 2; ++i) {
            client.keepAccount(one, account);
            client.keepSlot(one, account, key);
        }
        // Other evidence of the same facts.
        --included.head.participation;
        one = _prove(included, ONE);
        client.keepAccount(one, account);
        client.keepSlot(one, account, key);
        require(client.contradictedAt(slot) == 0, "contradicted by itself");
    }

    /// A committee that is known never changes: the statement that would change it is recorded, and teaches nothing.
    function test_another_committee_than_the_known_one() public {
        client = deploy(change(ONE_HANDOVER).head);
        submitChange(client, recorded(ONE_HANDOVER));
        bytes32 known = change(ONE_HANDOVER).learned[0].committeeRoot;
        // Newer, and teaches 1152 besides.
        CommitteeChange memory statement = change(TWO_HANDOVERS);
        statement.learned[0].committeeRoot = OTHER;
        uint64 slot = statement.head.finalizedSlot;
        vm.warp(timeOf(slot));
        uint64 head = client.headSlot();
        bytes memory values = abi.encode(statement);
        verifier.accept(CHANGE_KEY, values, PROOF);
        vm.expectEmit(address(client));
        emit Contradictions.CommitteeContradicted(1151, slot, known, OTHER);
        client.submitCommitteeChange(values, PROOF);
        require(client.committeeRoot(1151) == known, "the committee changed");
        vm.expectRevert();
        client.committeeRoot(1152);
        require(client.headSlot() == head, "the head moved");
        _requireUnreadable(values, slot);
    }

    /// It has to be proven first: a contradiction without proof is nothing.
    function test_an_unproven_contradiction_is_refused() public {
        client = deploy(change(ONE_HANDOVER).head);
        submitChange(client, recorded(ONE_HANDOVER));
        CommitteeChange memory statement = change(ONE_HANDOVER);
        statement.learned[0].committeeRoot = OTHER;
        vm.expectRevert();
        client.submitCommitteeChange(abi.encode(statement), PROOF);
        statement = change(ONE_HANDOVER);
        statement.head.finalizedRoot = OTHER;
        vm.expectRevert();
        client.submitCommitteeChange(abi.encode(statement), PROOF);
        require(client.contradictedAt(statement.head.finalizedSlot) == 0, "recorded");
    }

    /// @dev The next statements are about a slot behind the head.
    function _behind() private returns (Inclusion memory included) {
        submitInclusion(client, recorded(ONE_SLOT));
        included = inclusion(ONE_SLOT);
        included.head.finalizedSlot -= 32;
    }

    function _prove(Inclusion memory included, bytes32 root) private returns (bytes memory values) {
        included.head.finalizedRoot = root;
        values = abi.encode(included);
        submitInclusion(client, values);
    }

    function _requireUnreadable(bytes memory values, uint64 slot) private {
        bytes memory reason = abi.encodeWithSelector(Contradictions.SlotContradicted.selector, slot);
        require(client.contradictedAt(slot) == block.timestamp, "not recorded");
        require(client.provenAt(values) != 0, "it is proven all the same");
        vm.expectRevert(reason);
        client.provenHead(values);
        if (values[95] == 0x01) return;
        vm.expectRevert(reason);
        client.provenAccount(values, account);
        vm.expectRevert(reason);
        client.provenSlot(values, account, key);
    }

    function _requireKeptUnreadable(uint64 slot) private {
        bytes memory reason = abi.encodeWithSelector(Contradictions.SlotContradicted.selector, slot);
        vm.expectRevert(reason);
        client.finalizedRoot(slot);
        vm.expectRevert(reason);
        client.stateRoot(slot);
        vm.expectRevert(reason);
        client.storageAt(slot, account, key);
    }
}
