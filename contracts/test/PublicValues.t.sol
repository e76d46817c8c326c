// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {
    Account,
    Block,
    Bundle,
    CommitteeChange,
    Head,
    Inclusion,
    Learned,
    Log,
    NoLog,
    Part,
    PublicValues,
    Transaction
} from "../src/PublicValues.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice The library behind external functions.
contract Decoder {
    function committeeChange(bytes calldata values) external pure returns (CommitteeChange memory) {
        return PublicValues.committeeChange(values, keccak256(values));
    }

    function inclusion(bytes calldata values) external pure returns (Inclusion memory) {
        return PublicValues.inclusion(values, keccak256(values));
    }

    function bundle(bytes calldata values) external pure returns (Bundle memory) {
        return PublicValues.bundle(values);
    }
}

/// @notice One encoding of public values is read, and no other.
contract PublicValuesTest is Base {
    Decoder private decoder = new Decoder();

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
        _flipEach(recorded(ONE_HANDOVER), 1, this.encodeChange);
        _flipEach(recorded(ONE_SLOT), 1, this.encodeInclusion);
        _flipEach(recorded(CATCH_UP), 1, this.encodeInclusion);
    }

    /// Two or three bytes of every word, never the same ones, of every recorded statement.
    function test_a_flipped_word_is_refused_or_said() public view {
        for (uint256 i = 0; i < STATEMENTS; ++i) {
            bytes memory values = recorded(i);
            _flipEach(values, 15, values[95] == 0x01 ? this.encodeChange : this.encodeInclusion);
        }
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

    /// Of a bundle every word counts: one that is said again as it was, or refused.
    function test_a_bundle_has_one_encoding() public {
        Bundle memory bundle_ = _bundle(3);
        bytes memory values = abi.encode(bundle_);
        _flipEach(values, 1, this.encodeBundle);
        for (uint256 i = 0; i < values.length; ++i) {
            bytes memory edited = bytes.concat(values);
            edited[i] ^= 0x01;
            (bool isDecoded, bytes memory again) =
                address(this).staticcall(abi.encodeCall(this.encodeBundle, (edited)));
            uint256 index = i / 32;
            // The chain's digest and the parts; all else is fixed.
            require(isDecoded == (index == 3 || index > 5), vm.toString(i));
            if (isDecoded) {
                require(keccak256(abi.decode(again, (bytes))) == keccak256(edited), "said otherwise");
            }
        }
        uint256[3] memory fixed_ = [uint256(0), 4, 5];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory edited = bytes.concat(values);
            edited[32 * fixed_[i] + 31] ^= 0x01;
            vm.expectRevert(abi.encodeWithSelector(PublicValues.NotCanonical.selector));
            decoder.bundle(edited);
        }
    }

    function test_any_other_length_of_a_bundle_is_refused() public {
        bytes memory values = abi.encode(_bundle(2));
        for (uint256 length = 0; length < values.length; ++length) {
            bytes memory cut = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                cut[i] = values[i];
            }
            vm.expectRevert(
                length < 192 || length % 32 != 0
                    ? abi.encodeWithSelector(PublicValues.WrongLength.selector, length)
                    : abi.encodeWithSelector(PublicValues.NotCanonical.selector)
            );
            decoder.bundle(cut);
        }
        for (uint256 words = 1; words < 4; ++words) {
            vm.expectRevert(abi.encodeWithSelector(PublicValues.NotCanonical.selector));
            decoder.bundle(bytes.concat(values, new bytes(32 * words)));
        }
        // As short as it may be.
        require(decoder.bundle(abi.encode(_bundle(0))).parts.length == 0, "no part");
        // A number of parts that wraps around when it is multiplied.
        bytes memory wrapped = abi.encode(_bundle(0));
        wrapped[160] = 0x04;
        vm.expectRevert(abi.encodeWithSelector(PublicValues.NotCanonical.selector));
        decoder.bundle(wrapped);
    }

    function test_other_versions_and_programs_of_a_bundle_are_refused() public {
        Bundle memory bundle_ = _bundle(1);
        bundle_.version = 1;
        vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongVersion.selector, 1, 2));
        decoder.bundle(abi.encode(bundle_));
        (bundle_.version, bundle_.program) = (2, 2);
        vm.expectRevert(abi.encodeWithSelector(PublicValues.WrongProgram.selector, 2, 3));
        decoder.bundle(abi.encode(bundle_));
    }

    function _bundle(uint256 parts) private pure returns (Bundle memory bundle_) {
        bundle_ = Bundle(2, 3, keccak256("chain"), new Part[](parts));
        for (uint256 i = 0; i < parts; ++i) {
            bundle_.parts[i] = Part(1 + i % 2, keccak256(abi.encode(i)));
        }
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
        (statement.head, statement.learned) = (head, learned);
        statement.accounts = new Account[](accounts % 4);
        for (uint256 i = 0; i < statement.accounts.length; ++i) {
            statement.accounts[i] = account;
        }
        _requireDecoded(statement);
    }

    function testFuzz_what_happened_is_decoded(
        Block memory facts,
        Transaction memory transaction,
        Log memory log,
        NoLog memory noLog,
        uint8 entries
    ) public view {
        Inclusion memory statement;
        (statement.head.version, statement.head.program) = (PublicValues.VERSION, PublicValues.INCLUSION);
        statement.facts = facts;
        statement.transactions = new Transaction[](entries % 4);
        statement.logs = new Log[](entries / 4 % 4);
        statement.noLogs = new NoLog[](entries / 16 % 4);
        for (uint256 i = 0; i < 3; ++i) {
            if (i < statement.transactions.length) statement.transactions[i] = transaction;
            if (i < statement.logs.length) statement.logs[i] = log;
            if (i < statement.noLogs.length) statement.noLogs[i] = noLog;
        }
        _requireDecoded(statement);
    }

    function _requireDecoded(Inclusion memory statement) private view {
        bytes memory values = abi.encode(statement);
        require(keccak256(abi.encode(decoder.inclusion(values))) == keccak256(values), "inclusion");
    }

    function encodeChange(bytes calldata values) external view returns (bytes memory) {
        return abi.encode(decoder.committeeChange(values));
    }

    function encodeInclusion(bytes calldata values) external view returns (bytes memory) {
        return abi.encode(decoder.inclusion(values));
    }

    function encodeBundle(bytes calldata values) external view returns (bytes memory) {
        return abi.encode(decoder.bundle(values));
    }

    /// @dev In the bytes that lie this far apart.
    function _flipEach(
        bytes memory values,
        uint256 step,
        function(bytes memory) external view returns (bytes memory) encode
    ) private view {
        uint256 refused;
        for (uint256 i = 0; i < values.length; i += step) {
            values[i] ^= 0x40;
            try encode(values) returns (bytes memory again) {
                require(keccak256(again) == keccak256(values), "a byte is read but not written");
            } catch {
                ++refused;
            }
            values[i] ^= 0x40;
        }
        // Offsets, lengths, and the padding of every number.
        require(refused > 32 * 4 / step, "hardly anything is refused");
    }
}
