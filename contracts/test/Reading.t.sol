// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Archive} from "../src/Archive.sol";
import {LightClient} from "../src/LightClient.sol";
import {Account, Head, Inclusion, PublicValues, Slot} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice What can be read after a submission, and that nothing else can. The recorded inclusion of a local network
/// has an account without slots, one with slots that are there and absent, and one that does not exist.
contract ReadingTest is Base {
    LightClient private client;
    bytes private values;

    function setUp() public {
        values = recorded(THREE_ACCOUNTS);
        Inclusion memory included = inclusion(THREE_ACCOUNTS);
        client = deploy(included.head);
        submitInclusion(client, values);
    }

    function test_every_proven_account_and_slot() public view {
        Account[] memory accounts = inclusion(THREE_ACCOUNTS).accounts;
        (uint256 absentAccounts, uint256 absentSlots, uint256 slots) = (0, 0, 0);
        for (uint256 i = 0; i < accounts.length; ++i) {
            Account memory account = accounts[i];
            Account memory proven = client.provenAccount(values, account.account);
            require(keccak256(abi.encode(proven)) == keccak256(abi.encode(account)), "account");
            if (!account.exists) ++absentAccounts;
            for (uint256 j = 0; j < account.slots.length; ++j) {
                Slot memory slot = account.slots[j];
                (bool exists, bytes32 value) = client.provenSlot(values, account.account, slot.key);
                require(exists == slot.exists && value == slot.value, "slot");
                ++slots;
                if (!exists) ++absentSlots;
            }
        }
        require(absentAccounts == 1 && absentSlots > 0 && slots > absentSlots, "the recording lacks a case");
        require(client.provenAt(values) == block.timestamp, "time");
        Head memory head = client.provenHead(values);
        require(keccak256(abi.encode(head)) == keccak256(abi.encode(inclusion(THREE_ACCOUNTS).head)), "head");
    }

    function test_unproven_statements_are_unreadable() public {
        Account memory account = inclusion(THREE_ACCOUNTS).accounts[0];
        bytes memory edited = recorded(THREE_ACCOUNTS);
        edited[edited.length - 1] ^= 0x01;
        bytes memory reason = abi.encodeWithSelector(Statements.NotProven.selector, keccak256(edited));
        vm.expectRevert(reason);
        client.provenAt(edited);
        vm.expectRevert(reason);
        client.provenHead(edited);
        vm.expectRevert(reason);
        client.provenAccount(edited, account.account);
        vm.expectRevert(reason);
        client.provenSlot(edited, account.account, 0);
        vm.expectRevert(reason);
        client.keepHeader(edited);
        vm.expectRevert(reason);
        client.keepAccount(edited, account.account);
        vm.expectRevert(reason);
        client.keepSlot(edited, account.account, 0);
    }

    function test_what_was_not_asked_is_unreadable() public {
        bytes memory reason = abi.encodeWithSelector(Statements.AccountNotInStatement.selector, STRANGER);
        vm.expectRevert(reason);
        client.provenAccount(values, STRANGER);
        vm.expectRevert(reason);
        client.provenSlot(values, STRANGER, 0);
        address account = inclusion(THREE_ACCOUNTS).accounts[0].account;
        bytes32 key = keccak256("not asked");
        vm.expectRevert(abi.encodeWithSelector(Statements.SlotNotInStatement.selector, account, key));
        client.provenSlot(values, account, key);
        vm.expectRevert(abi.encodeWithSelector(Statements.SlotNotInStatement.selector, account, key));
        client.keepSlot(values, account, key);
    }

    function test_a_committee_change_has_a_head_but_no_accounts() public {
        bytes memory changed = recorded(ONE_HANDOVER);
        client = deploy(change(ONE_HANDOVER).head);
        submitChange(client, changed);
        require(client.provenHead(changed).blockNumber == 20_214_717, "head");
        vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongProgram.selector, 1, 2));
        client.provenAccount(changed, STRANGER);
    }

    function test_kept_facts_are_read_by_slot() public {
        Inclusion memory included = inclusion(THREE_ACCOUNTS);
        uint64 finalized = included.head.finalizedSlot;
        for (uint256 i = 0; i < included.accounts.length; ++i) {
            Account memory account = included.accounts[i];
            vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, finalized));
            client.accountAt(finalized, account.account);
            vm.expectEmit(address(client));
            emit Archive.AccountKept(finalized, account.account);
            client.keepAccount(values, account.account);
            (bool exists, uint64 nonce, uint256 balance, bytes32 storageRoot, bytes32 codeHash) =
                client.accountAt(finalized, account.account);
            require(
                exists == account.exists && nonce == account.nonce && balance == account.balance, "account"
            );
            require(storageRoot == account.storageRoot && codeHash == account.codeHash, "account's roots");
            for (uint256 j = 0; j < account.slots.length; ++j) {
                Slot memory slot = account.slots[j];
                vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, finalized));
                client.storageAt(finalized, account.account, slot.key);
                vm.expectEmit(address(client));
                emit Archive.SlotKept(finalized, account.account, slot.key);
                client.keepSlot(values, account.account, slot.key);
                (bool there, bytes32 value) = client.storageAt(finalized, account.account, slot.key);
                require(there == slot.exists && value == slot.value, "slot");
                // Another finalized slot says nothing of it.
                vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, finalized + 1));
                client.storageAt(finalized + 1, account.account, slot.key);
            }
        }
        require(client.finalizedRoot(finalized) == included.head.finalizedRoot, "finalized root");
        require(client.stateRoot(finalized) == included.head.stateRoot, "state root");
        Account memory again = _withSlots(included);
        client.keepSlot(values, again.account, again.slots[0].key);
    }

    function test_headers_are_unreadable_until_kept() public {
        uint64 finalized = inclusion(THREE_ACCOUNTS).head.finalizedSlot;
        vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, finalized));
        client.finalizedRoot(finalized);
        vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, finalized));
        client.stateRoot(finalized);
        Head memory head = inclusion(THREE_ACCOUNTS).head;
        vm.expectEmit(address(client));
        emit Archive.HeaderKept(finalized, head.finalizedRoot, head.stateRoot);
        client.keepHeader(values);
        client.finalizedRoot(finalized);
        client.stateRoot(finalized);
    }

    /// Since Gloas a statement may prove the header and not the state: that reads as unproven until one proves it.
    function test_a_state_root_of_zero_is_not_proven() public {
        Inclusion memory included = inclusion(THREE_ACCOUNTS);
        uint64 finalized = included.head.finalizedSlot;
        (bytes32 proven, uint64 number) = (included.head.stateRoot, included.head.blockNumber);
        (included.head.stateRoot, included.head.blockNumber) = (0, 0);
        submitInclusion(client, abi.encode(included));
        client.keepHeader(abi.encode(included));
        require(client.finalizedRoot(finalized) == included.head.finalizedRoot, "finalized root");
        vm.expectRevert(abi.encodeWithSelector(Archive.NotKept.selector, finalized));
        client.stateRoot(finalized);
        client.keepHeader(values);
        require(client.stateRoot(finalized) == proven && number != 0, "state root");
        client.keepHeader(abi.encode(included));
        require(client.stateRoot(finalized) == proven, "the state root was lost");
    }

    function _withSlots(Inclusion memory included) private pure returns (Account memory) {
        for (uint256 i = 0; i < included.accounts.length; ++i) {
            if (included.accounts[i].slots.length > 0) return included.accounts[i];
        }
        revert("the recording lacks slots");
    }
}
