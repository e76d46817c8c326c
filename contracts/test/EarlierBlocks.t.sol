// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Archive} from "../src/Archive.sol";
import {LightClient} from "../src/LightClient.sol";
import {Account, Inclusion} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice What an ancestor of the finalized block held is read by its number alone: nobody takes it for what the finalized
/// block holds.
contract EarlierBlocksTest is Base {
    LightClient private client;
    bytes private values;
    uint64 private number;
    address private account;
    bytes32 private key;

    function setUp() public {
        _prove(SLOT_60_BLOCKS_BACK);
    }

    function test_facts_of_an_earlier_block_are_not_the_finalized_ones() public {
        Inclusion memory statement = inclusion(SLOT_60_BLOCKS_BACK);
        require(number == statement.head.blockNumber - 60, "another recording");
        bytes memory reason =
            abi.encodeWithSelector(Statements.EarlierBlock.selector, number, statement.facts.hash);
        vm.expectRevert(reason);
        client.provenAccount(values, account);
        vm.expectRevert(reason);
        client.provenSlot(values, account, key);
        vm.expectRevert(reason);
        client.keepAccount(values, account);
        vm.expectRevert(reason);
        client.keepSlot(values, account, key);
    }

    function test_they_are_read_by_their_number() public view {
        _requireReadable();
    }

    function test_and_by_no_other() public {
        uint64[3] memory others = [inclusion(SLOT_60_BLOCKS_BACK).head.blockNumber, number + 1, number - 1];
        for (uint256 i = 0; i < others.length; ++i) {
            _refuseAt(others[i]);
        }
    }

    /// The finalized block has a number too.
    function test_facts_of_the_finalized_block_by_its_number() public {
        _prove(ONE_SLOT);
        require(number == inclusion(ONE_SLOT).head.blockNumber, "another recording");
        _requireReadable();
        client.provenSlot(values, account, key);
        _refuseAt(number - 1);
        _refuseAt(number + 1);
    }

    /// The header is the finalized one's, whichever block the facts are of.
    function test_the_finalized_header_is_kept() public {
        Inclusion memory statement = inclusion(SLOT_60_BLOCKS_BACK);
        uint64 slot = statement.head.finalizedSlot;
        client.keepHeader(values);
        require(client.stateRoot(slot) == statement.head.stateRoot, "state root");
        require(statement.head.stateRoot != statement.facts.stateRoot, "the recording has one state");
        vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, slot));
        client.storageAt(slot, account, key);
    }

    function test_what_was_not_asked_is_unreadable() public {
        vm.expectRevert(abi.encodeWithSelector(Statements.AccountNotInStatement.selector, STRANGER));
        client.provenAccountAt(values, number, STRANGER);
        bytes32 other = keccak256("not asked");
        vm.expectRevert(abi.encodeWithSelector(Statements.SlotNotInStatement.selector, account, other));
        client.provenSlotAt(values, number, account, other);
        values = bytes.concat(values);
        values[values.length - 1] ^= 0x01;
        bytes memory reason = abi.encodeWithSelector(Statements.NotProven.selector, keccak256(values));
        vm.expectRevert(reason);
        client.provenAccountAt(values, number, account);
        vm.expectRevert(reason);
        client.provenSlotAt(values, number, account, key);
    }

    function _prove(uint256 index) private {
        Inclusion memory statement = inclusion(index);
        client = deploy(statement.head);
        values = recorded(index);
        submitInclusion(client, values);
        number = statement.facts.number;
        account = statement.accounts[0].account;
        key = statement.accounts[0].slots[0].key;
    }

    function _requireReadable() private view {
        Account memory expected = abi.decode(values, (Inclusion)).accounts[0];
        Account memory proven = client.provenAccountAt(values, number, account);
        require(keccak256(abi.encode(proven)) == keccak256(abi.encode(expected)), "account");
        (bool exists, bytes32 value) = client.provenSlotAt(values, number, account, key);
        require(exists == expected.slots[0].exists && value == expected.slots[0].value, "slot");
    }

    function _refuseAt(uint64 other) private {
        bytes memory reason = abi.encodeWithSelector(Statements.OtherBlock.selector, number, other);
        vm.expectRevert(reason);
        client.provenAccountAt(values, other, account);
        vm.expectRevert(reason);
        client.provenSlotAt(values, other, account, key);
    }
}
