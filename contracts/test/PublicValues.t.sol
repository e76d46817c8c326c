// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {
    Account,
    CommitteeChange,
    Head,
    Inclusion,
    Learned,
    PublicValues,
    Slot
} from "../src/PublicValues.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice The library behind external functions.
contract Decoder {
    function committeeChange(bytes calldata values) external pure returns (CommitteeChange memory) {
        return PublicValues.committeeChange(values);
    }

    function inclusion(bytes calldata values) external pure returns (Inclusion memory) {
        return PublicValues.inclusion(values);
    }
}

/// @notice Public values as the guest programs' code writes them, read field by field and written again.
contract PublicValuesTest is Base {
    uint256 private constant STATEMENTS = 15;

    Decoder private decoder = new Decoder();

    function test_recorded_statements_decode_to_their_fields_and_encode_to_their_bytes() public view {
        string memory json = statements();
        uint256 changes;
        for (uint256 i = 0; i < STATEMENTS; ++i) {
            string memory path = string.concat(".statements[", vm.toString(i), "]");
            bytes memory values = vm.parseJsonBytes(json, string.concat(path, ".publicValues"));
            if (vm.parseJsonUint(json, string.concat(path, ".head.program")) == PublicValues.COMMITTEE_CHANGE)
            {
                CommitteeChange memory statement = decoder.committeeChange(values);
                _compareHead(json, path, statement.head);
                _compareLearned(json, path, statement.learned);
                require(keccak256(abi.encode(statement)) == keccak256(values), "encoding");
                ++changes;
            } else {
                Inclusion memory statement = decoder.inclusion(values);
                _compareHead(json, path, statement.head);
                _compareAccounts(json, path, statement.accounts);
                require(keccak256(abi.encode(statement)) == keccak256(values), "encoding");
            }
        }
        require(changes == 8, "number of committee changes");
        require(!vm.keyExistsJson(json, ".statements[25]"), "a statement that is not compared");
    }

    function test_any_other_length_is_refused() public {
        bytes memory values = recorded(ONE_HANDOVER);
        for (uint256 length = 0; length < values.length; ++length) {
            bytes memory cut = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                cut[i] = values[i];
            }
            if (length < 384 || length % 32 != 0) {
                vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongLength.selector, length));
            } else {
                vm.expectRevert();
            }
            decoder.committeeChange(cut);
        }
        // As short as it may be: what it is decides.
        vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongVersion.selector, 0, 2));
        decoder.committeeChange(new bytes(384));
        vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongLength.selector, values.length + 1));
        decoder.committeeChange(bytes.concat(values, hex"00"));
        vm.expectRevert(abi.encodeWithSelector(PublicValues.NotCanonical.selector));
        decoder.committeeChange(bytes.concat(values, bytes32(0)));
        bytes memory included = recorded(ONE_SLOT);
        vm.expectRevert(abi.encodeWithSelector(PublicValues.NotCanonical.selector));
        decoder.inclusion(bytes.concat(included, bytes32(0)));
    }

    function test_other_versions_and_programs_are_refused() public {
        bytes memory change_ = recorded(ONE_HANDOVER);
        bytes memory included = recorded(ONE_SLOT);
        vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongProgram.selector, 2, 1));
        decoder.committeeChange(included);
        vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongProgram.selector, 1, 2));
        decoder.inclusion(change_);
        change_[63] = 0x03;
        vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongVersion.selector, 3, 2));
        decoder.committeeChange(change_);
    }

    function test_a_flipped_bit_is_refused_or_said() public view {
        _flipEach(recorded(ONE_HANDOVER), this.encodeChange);
        _flipEach(recorded(ONE_SLOT), this.encodeInclusion);
        _flipEach(recorded(THREE_ACCOUNTS), this.encodeInclusion);
    }

    /// A list that lies elsewhere but holds the same, which a plain `abi.decode` accepts.
    function test_offsets_elsewhere_are_refused() public {
        bytes memory values = recorded(ONE_HANDOVER);
        CommitteeChange memory statement = abi.decode(values, (CommitteeChange));
        // The list once more behind itself, and the offset pointing there.
        bytes memory moved = bytes.concat(values, abi.encode(1), abi.encode(statement.learned[0]));
        moved[12 * 32 + 30] = 0x01;
        moved[12 * 32 + 31] = 0xe0;
        CommitteeChange memory lenient = abi.decode(moved, (CommitteeChange));
        require(lenient.learned[0].committeeRoot == statement.learned[0].committeeRoot, "not the same list");
        vm.expectRevert(abi.encodeWithSelector(PublicValues.NotCanonical.selector));
        decoder.committeeChange(moved);
    }

    function testFuzz_what_is_encoded_is_decoded(
        Head memory head,
        Learned[] memory learned,
        Account memory account,
        uint8 accounts
    ) public view {
        (head.version, head.program) = (PublicValues.VERSION, PublicValues.COMMITTEE_CHANGE);
        bytes memory values = abi.encode(CommitteeChange(head, learned));
        require(
            keccak256(abi.encode(decoder.committeeChange(values))) == keccak256(values), "committee change"
        );

        head.program = PublicValues.INCLUSION;
        Inclusion memory statement;
        (statement.head, statement.accounts) = (head, new Account[](accounts % 4));
        for (uint256 i = 0; i < statement.accounts.length; ++i) {
            statement.accounts[i] = account;
        }
        values = abi.encode(statement);
        require(keccak256(abi.encode(decoder.inclusion(values))) == keccak256(values), "inclusion");
    }

    function encodeChange(bytes calldata values) external view returns (bytes memory) {
        return abi.encode(decoder.committeeChange(values));
    }

    function encodeInclusion(bytes calldata values) external view returns (bytes memory) {
        return abi.encode(decoder.inclusion(values));
    }

    function _flipEach(
        bytes memory values,
        function(bytes memory) external view returns (bytes memory) encode
    ) private view {
        uint256 refused;
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] ^= 0x40;
            try encode(values) returns (bytes memory again) {
                require(keccak256(again) == keccak256(values), "a byte is read but not written");
            } catch {
                ++refused;
            }
            values[i] ^= 0x40;
        }
        // Offsets, lengths, and the padding of every number.
        require(refused > 32 * 4, "hardly anything is refused");
    }

    function _compareHead(string memory json, string memory path, Head memory head) private pure {
        path = string.concat(path, ".head");
        require(head.version == 1, "version");
        require(head.program == _uint(json, path, ".program"), "program");
        require(head.chainDigest == _word(json, path, ".chainDigest"), "chainDigest");
        require(head.signerPeriod == _uint(json, path, ".signerPeriod"), "signerPeriod");
        require(head.signerCommitteeRoot == _word(json, path, ".signerCommitteeRoot"), "signerCommitteeRoot");
        require(head.participation == _uint(json, path, ".participation"), "participation");
        require(head.finalizedSlot == _uint(json, path, ".finalizedSlot"), "finalizedSlot");
        require(head.finalizedRoot == _word(json, path, ".finalizedRoot"), "finalizedRoot");
        require(head.blockNumber == _uint(json, path, ".blockNumber"), "blockNumber");
        require(head.blockHash == _word(json, path, ".blockHash"), "blockHash");
        require(head.stateRoot == _word(json, path, ".stateRoot"), "stateRoot");
    }

    function _compareLearned(string memory json, string memory path, Learned[] memory learned) private view {
        require(learned.length > 0, "nothing learned");
        for (uint256 i = 0; i < learned.length; ++i) {
            string memory entry = string.concat(path, ".learned[", vm.toString(i), "]");
            require(learned[i].period == _uint(json, entry, ".period"), "period");
            require(learned[i].committeeRoot == _word(json, entry, ".committeeRoot"), "committeeRoot");
        }
        string memory surplus = string.concat(path, ".learned[", vm.toString(learned.length), "]");
        require(!vm.keyExistsJson(json, surplus), "a committee that was not decoded");
    }

    function _compareAccounts(string memory json, string memory path, Account[] memory accounts)
        private
        view
    {
        require(accounts.length > 0, "no account");
        for (uint256 i = 0; i < accounts.length; ++i) {
            string memory entry = string.concat(path, ".accounts[", vm.toString(i), "]");
            Account memory account = accounts[i];
            require(account.account == vm.parseJsonAddress(json, string.concat(entry, ".account")), "account");
            require(account.exists == vm.parseJsonBool(json, string.concat(entry, ".exists")), "exists");
            require(account.nonce == _uint(json, entry, ".nonce"), "nonce");
            require(account.balance == uint256(_word(json, entry, ".balance")), "balance");
            require(account.storageRoot == _word(json, entry, ".storageRoot"), "storageRoot");
            require(account.codeHash == _word(json, entry, ".codeHash"), "codeHash");
            _compareSlots(json, entry, account.slots);
        }
        string memory surplus = string.concat(path, ".accounts[", vm.toString(accounts.length), "]");
        require(!vm.keyExistsJson(json, surplus), "an account that was not decoded");
    }

    function _compareSlots(string memory json, string memory path, Slot[] memory slots) private view {
        for (uint256 i = 0; i < slots.length; ++i) {
            string memory entry = string.concat(path, ".slots[", vm.toString(i), "]");
            require(slots[i].key == _word(json, entry, ".key"), "key");
            require(slots[i].exists == vm.parseJsonBool(json, string.concat(entry, ".exists")), "slot exists");
            require(slots[i].value == _word(json, entry, ".value"), "value");
        }
        string memory surplus = string.concat(path, ".slots[", vm.toString(slots.length), "]");
        require(!vm.keyExistsJson(json, surplus), "a slot that was not decoded");
    }

    function _uint(string memory json, string memory path, string memory field)
        private
        pure
        returns (uint256)
    {
        return vm.parseJsonUint(json, string.concat(path, field));
    }

    function _word(string memory json, string memory path, string memory field)
        private
        pure
        returns (bytes32)
    {
        return vm.parseJsonBytes32(json, string.concat(path, field));
    }
}
