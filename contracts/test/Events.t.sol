// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Contradictions} from "../src/Contradictions.sol";
import {Events} from "../src/Events.sol";
import {LightClient} from "../src/LightClient.sol";
import {Inclusion, Log, NoLog, PublicValues, Transaction} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice Transactions, logs and absent logs that were proven are read, and nothing else is.
contract EventsTest is Base {
    LightClient private client;
    bytes private values;

    function setUp() public {
        _prove(inclusion(THREE_TRANSACTIONS));
    }

    function test_every_proven_transaction() public {
        Transaction[] memory transactions = inclusion(THREE_TRANSACTIONS).transactions;
        (uint256 failed, uint256 unnamed) = (0, 0);
        for (uint256 i = 0; i < transactions.length; ++i) {
            Transaction memory proven = client.provenTransaction(values, transactions[i].index);
            require(_same(abi.encode(proven), abi.encode(transactions[i])), "transaction");
            if (!proven.succeeded) ++failed;
            if (proven.hash == 0) {
                ++unnamed;
            } else {
                proven = client.provenTransactionByHash(values, proven.hash);
                require(_same(abi.encode(proven), abi.encode(transactions[i])), "by hash");
            }
        }
        require(failed == 1 && unnamed == 1, "the recording lacks a case");
        // Where a hash was not proven a zero stands: it is nobody's.
        vm.expectRevert(abi.encodeWithSelector(Events.TransactionHashNotInStatement.selector, bytes32(0)));
        client.provenTransactionByHash(values, 0);
    }

    function test_every_proven_log() public {
        Log[] memory logs = inclusion(THREE_TRANSACTIONS).logs;
        uint256 long;
        for (uint256 i = 0; i < logs.length; ++i) {
            Log memory proven = client.provenLog(values, logs[i].transaction, logs[i].position);
            require(_same(abi.encode(proven), abi.encode(logs[i])), "log");
            if (proven.dataHash != 0) ++long;
        }
        require(logs.length > 1 && long == 1, "the recording lacks a case");
        // Of another position, and of another transaction.
        Log memory log = logs[0];
        _refuse(abi.encodeWithSelector(Events.LogNotInStatement.selector, log.transaction, log.position + 1));
        client.provenLog(values, log.transaction, log.position + 1);
        _refuse(abi.encodeWithSelector(Events.LogNotInStatement.selector, log.transaction + 1, log.position));
        client.provenLog(values, log.transaction + 1, log.position);
    }

    function test_what_was_not_asked_is_unreadable() public {
        _refuse(abi.encodeWithSelector(Events.TransactionNotInStatement.selector, 1));
        client.provenTransaction(values, 1);
        bytes32 hash = keccak256("not asked");
        _refuse(abi.encodeWithSelector(Events.TransactionHashNotInStatement.selector, hash));
        client.provenTransactionByHash(values, hash);
        _refuseAbsence(STRANGER, new bytes32[](0));
        // A statement without any of it.
        _prove(inclusion(ONE_SLOT));
        _refuse(abi.encodeWithSelector(Events.TransactionNotInStatement.selector, 0));
        client.provenTransaction(values, 0);
        _refuse(abi.encodeWithSelector(Events.LogNotInStatement.selector, 0, 0));
        client.provenLog(values, 0, 0);
    }

    /// The statement says that no log of the account begins with one topic. So none begins with it and others; but what begins
    /// with no topic, or with another one, may be there.
    function test_an_absent_log_covers_what_begins_with_its_topics() public {
        Inclusion memory statement = inclusion(NO_LOG_BY_RECEIPTS);
        _prove(statement);
        address account = statement.noLogs[0].account;
        bytes32 topic = statement.noLogs[0].topics[0];
        require(statement.noLogs.length == 1 && statement.noLogs[0].topics.length == 1, "another recording");
        bytes32[] memory topics = new bytes32[](1);
        topics[0] = topic;
        client.provenNoLog(values, account, topics);
        _refuseAbsence(STRANGER, topics);
        topics[0] = ~topic;
        _refuseAbsence(account, topics);
        topics = new bytes32[](3);
        (topics[0], topics[1]) = (topic, keccak256("any"));
        client.provenNoLog(values, account, topics);
        (topics[0], topics[1]) = (topics[1], topic);
        _refuseAbsence(account, topics);
        _refuseAbsence(account, new bytes32[](0));
    }

    function test_no_log_of_an_account_covers_all_topics() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        _prove(statement);
        address account = statement.noLogs[0].account;
        require(statement.noLogs[0].topics.length == 0, "another recording");
        client.provenNoLog(values, account, new bytes32[](0));
        client.provenNoLog(values, account, new bytes32[](4));
        _refuseAbsence(STRANGER, new bytes32[](4));
    }

    /// Of two absent logs of one account the second one counts as well; all topics of it.
    function test_any_of_the_absent_logs_counts() public {
        Inclusion memory statement = inclusion(NO_LOG_BY_RECEIPTS);
        address account = statement.noLogs[0].account;
        bytes32[] memory topics = new bytes32[](2);
        (topics[0], topics[1]) = (~statement.noLogs[0].topics[0], keccak256("second"));
        NoLog memory first = statement.noLogs[0];
        statement.noLogs = new NoLog[](2);
        (statement.noLogs[0], statement.noLogs[1]) = (first, NoLog(account, topics));
        _prove(statement);
        client.provenNoLog(values, account, topics);
        bytes32[] memory others = new bytes32[](2);
        (others[0], others[1]) = (topics[0], keccak256("third"));
        _refuseAbsence(account, others);
    }

    /// What happened in an ancestor of the finalized block is read as it is: its block is told by its own reader.
    function test_events_of_an_earlier_block() public {
        Inclusion memory statement = inclusion(CATCH_UP);
        _prove(statement);
        require(statement.facts.number == statement.head.blockNumber - 60, "another recording");
        Log memory log = statement.logs[0];
        require(client.provenLog(values, log.transaction, log.position).account == log.account, "log");
        require(client.provenTransaction(values, log.transaction).succeeded, "transaction");
        require(_same(abi.encode(client.provenFacts(values)), abi.encode(statement.facts)), "facts");
    }

    function test_unproven_statements_are_unreadable() public {
        values = bytes.concat(values);
        values[values.length - 1] ^= 0x01;
        _refuseAll(abi.encodeWithSelector(Statements.NotProven.selector, keccak256(values)));
    }

    function test_contradicted_statements_are_unreadable() public {
        Inclusion memory other = inclusion(THREE_TRANSACTIONS);
        other.head.finalizedRoot = keccak256("other");
        submitInclusion(client, abi.encode(other));
        _refuseAll(abi.encodeWithSelector(Contradictions.SlotContradicted.selector, other.head.finalizedSlot));
    }

    function test_a_committee_change_has_no_events() public {
        client = deploy(change(ONE_HANDOVER).head);
        values = recorded(ONE_HANDOVER);
        submitChange(client, values);
        _refuseAll(abi.encodeWithSelector(PublicValues.WrongProgram.selector, 1, 2));
    }

    function _prove(Inclusion memory statement) private {
        client = deploy(statement.head);
        values = abi.encode(statement);
        submitInclusion(client, values);
    }

    /// @dev Every reader, of what the recording has.
    function _refuseAll(bytes memory reason) private {
        Inclusion memory statement = inclusion(THREE_TRANSACTIONS);
        Log memory log = statement.logs[0];
        _refuse(reason);
        client.provenFacts(values);
        _refuse(reason);
        client.provenTransaction(values, log.transaction);
        _refuse(reason);
        client.provenTransactionByHash(values, statement.transactions[1].hash);
        _refuse(reason);
        client.provenLog(values, log.transaction, log.position);
        _refuse(reason);
        client.provenNoLog(values, log.account, log.topics);
    }

    function _refuseAbsence(address account, bytes32[] memory topics) private {
        _refuse(abi.encodeWithSelector(Events.AbsenceNotInStatement.selector, account, topics));
        client.provenNoLog(values, account, topics);
    }

    function _refuse(bytes memory reason) private {
        vm.expectRevert(reason);
    }

    function _same(bytes memory one, bytes memory other) private pure returns (bool) {
        return keccak256(one) == keccak256(other);
    }
}
