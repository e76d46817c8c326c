// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {
    Account,
    Block,
    CommitteeChange,
    Head,
    Inclusion,
    Learned,
    Log,
    NoLog,
    PublicValues,
    Slot,
    Transaction
} from "../src/PublicValues.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice Public values as the guest programs' code writes them, read field by field and written again.
contract RecordedStatementsTest is Base {
    function test_recorded_statements_decode_to_their_fields_and_encode_to_their_bytes() public view {
        string memory json = statements();
        uint256 changes;
        for (uint256 i = 0; i < STATEMENTS; ++i) {
            string memory path = _at(".statements", i);
            bytes memory values = this.read(recorded(i), json, path);
            require(keccak256(values) == keccak256(recorded(i)), "encoding");
            if (values[95] == 0x01) ++changes;
        }
        require(changes == 8, "number of committee changes");
        _requireEnd(json, ".statements", STATEMENTS);
    }

    /// Every list of an inclusion is empty somewhere, and has two entries somewhere.
    function test_the_recorded_statements_have_every_list() public view {
        uint256[5] memory most;
        bool[5] memory empty;
        for (uint256 i = 0; i < STATEMENTS; ++i) {
            bytes memory values = recorded(i);
            if (values[95] == 0x01) continue;
            Inclusion memory statement = abi.decode(values, (Inclusion));
            uint256[5] memory lengths = [
                statement.accounts.length,
                statement.learned.length,
                statement.transactions.length,
                statement.logs.length,
                statement.noLogs.length
            ];
            for (uint256 j = 0; j < 5; ++j) {
                if (lengths[j] > most[j]) most[j] = lengths[j];
                if (lengths[j] == 0) empty[j] = true;
            }
        }
        for (uint256 j = 0; j < 5; ++j) {
            require(most[j] > 0 && empty[j], string.concat("the recordings lack list ", vm.toString(j)));
        }
        require(most[0] > 1 && most[2] > 1 && most[3] > 1, "the recordings lack a second entry");
    }

    /// @dev Compares a statement with its fields in the recording, and returns it encoded again.
    function read(bytes calldata values, string memory json, string memory path)
        external
        view
        returns (bytes memory)
    {
        bytes32 digest = keccak256(values);
        if (_uint(json, path, ".head.program") == PublicValues.COMMITTEE_CHANGE) {
            CommitteeChange memory change_ = PublicValues.committeeChange(values, digest);
            require(change_.learned.length > 0, "nothing learned");
            _compareHead(json, path, change_.head);
            _compareLearned(json, path, change_.learned);
            return abi.encode(change_);
        }
        Inclusion memory statement = PublicValues.inclusion(values, digest);
        _compareHead(json, path, statement.head);
        _compareFacts(json, path, statement.facts);
        _compareAccounts(json, path, statement.accounts);
        _compareLearned(json, path, statement.learned);
        _compareTransactions(json, path, statement.transactions);
        _compareLogs(json, path, statement.logs);
        _compareNoLogs(json, path, statement.noLogs);
        return abi.encode(statement);
    }

    function _compareHead(string memory json, string memory path, Head memory head) private pure {
        path = string.concat(path, ".head");
        require(head.version == 2, "version");
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

    function _compareFacts(string memory json, string memory path, Block memory facts) private pure {
        path = string.concat(path, ".facts");
        require(facts.number == _uint(json, path, ".number"), "facts' number");
        require(facts.hash == _word(json, path, ".hash"), "facts' hash");
        require(facts.stateRoot == _word(json, path, ".stateRoot"), "facts' stateRoot");
        require(facts.receiptsRoot == _word(json, path, ".receiptsRoot"), "facts' receiptsRoot");
        require(facts.timestamp == _uint(json, path, ".timestamp"), "facts' timestamp");
    }

    function _compareLearned(string memory json, string memory path, Learned[] memory learned) private view {
        path = string.concat(path, ".learned");
        for (uint256 i = 0; i < learned.length; ++i) {
            string memory entry = _at(path, i);
            require(learned[i].period == _uint(json, entry, ".period"), "period");
            require(learned[i].committeeRoot == _word(json, entry, ".committeeRoot"), "committeeRoot");
        }
        _requireEnd(json, path, learned.length);
    }

    function _compareAccounts(string memory json, string memory path, Account[] memory accounts)
        private
        view
    {
        path = string.concat(path, ".accounts");
        for (uint256 i = 0; i < accounts.length; ++i) {
            string memory entry = _at(path, i);
            Account memory account = accounts[i];
            require(account.account == _address(json, entry, ".account"), "account");
            require(account.exists == _bool(json, entry, ".exists"), "exists");
            require(account.nonce == _uint(json, entry, ".nonce"), "nonce");
            require(account.balance == uint256(_word(json, entry, ".balance")), "balance");
            require(account.storageRoot == _word(json, entry, ".storageRoot"), "storageRoot");
            require(account.codeHash == _word(json, entry, ".codeHash"), "codeHash");
            _compareSlots(json, string.concat(entry, ".slots"), account.slots);
        }
        _requireEnd(json, path, accounts.length);
    }

    function _compareSlots(string memory json, string memory path, Slot[] memory slots) private view {
        for (uint256 i = 0; i < slots.length; ++i) {
            string memory entry = _at(path, i);
            require(slots[i].key == _word(json, entry, ".key"), "key");
            require(slots[i].exists == _bool(json, entry, ".exists"), "slot exists");
            require(slots[i].value == _word(json, entry, ".value"), "value");
        }
        _requireEnd(json, path, slots.length);
    }

    function _compareTransactions(string memory json, string memory path, Transaction[] memory transactions)
        private
        view
    {
        path = string.concat(path, ".transactions");
        for (uint256 i = 0; i < transactions.length; ++i) {
            string memory entry = _at(path, i);
            require(transactions[i].hash == _word(json, entry, ".hash"), "transaction's hash");
            require(transactions[i].index == _uint(json, entry, ".index"), "index");
            require(transactions[i].succeeded == _bool(json, entry, ".succeeded"), "succeeded");
        }
        _requireEnd(json, path, transactions.length);
    }

    function _compareLogs(string memory json, string memory path, Log[] memory logs) private view {
        path = string.concat(path, ".logs");
        for (uint256 i = 0; i < logs.length; ++i) {
            string memory entry = _at(path, i);
            require(logs[i].transaction == _uint(json, entry, ".transaction"), "log's transaction");
            require(logs[i].position == _uint(json, entry, ".position"), "position");
            require(logs[i].account == _address(json, entry, ".account"), "log's account");
            require(logs[i].dataHash == _word(json, entry, ".dataHash"), "dataHash");
            bytes memory data = vm.parseJsonBytes(json, string.concat(entry, ".data"));
            require(keccak256(logs[i].data) == keccak256(data), "data");
            _compareTopics(json, entry, logs[i].topics);
        }
        _requireEnd(json, path, logs.length);
    }

    function _compareNoLogs(string memory json, string memory path, NoLog[] memory noLogs) private view {
        path = string.concat(path, ".noLogs");
        for (uint256 i = 0; i < noLogs.length; ++i) {
            string memory entry = _at(path, i);
            require(noLogs[i].account == _address(json, entry, ".account"), "absent log's account");
            _compareTopics(json, entry, noLogs[i].topics);
        }
        _requireEnd(json, path, noLogs.length);
    }

    function _compareTopics(string memory json, string memory path, bytes32[] memory topics) private view {
        path = string.concat(path, ".topics");
        for (uint256 i = 0; i < topics.length; ++i) {
            require(topics[i] == _word(json, _at(path, i), ""), "topic");
        }
        _requireEnd(json, path, topics.length);
    }

    function _at(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }

    /// @dev Nothing was recorded that was not decoded.
    function _requireEnd(string memory json, string memory list, uint256 length) private view {
        require(!vm.keyExistsJson(json, _at(list, length)), string.concat("more were recorded: ", list));
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

    function _bool(string memory json, string memory path, string memory field) private pure returns (bool) {
        return vm.parseJsonBool(json, string.concat(path, field));
    }

    function _address(string memory json, string memory path, string memory field)
        private
        pure
        returns (address)
    {
        return vm.parseJsonAddress(json, string.concat(path, field));
    }
}
