// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Inclusion, Log, NoLog, Transaction} from "./PublicValues.sol";
import {Statements} from "./Statements.sol";

/// @title What happened in a block, from statements that were proven
/// @notice Transactions, logs, and logs that are not there. The block is the one that {provenFacts} tells, which may lie before
/// the finalized one: what happened does not change afterwards. As with accounts, what was not proven or is contradicted
/// cannot be read, it reverts.
abstract contract Events is Statements {
    /// @notice The statement does not speak about the transaction at this index of its block.
    error TransactionNotInStatement(uint32 index);
    /// @notice The statement does not prove a transaction with this hash.
    error TransactionHashNotInStatement(bytes32 hash);
    /// @notice The statement does not speak about this log.
    error LogNotInStatement(uint32 transaction, uint32 position);
    /// @notice The statement does not prove that its block has no log of this account that begins with these topics.
    error AbsenceNotInStatement(address account, bytes32[] topics);

    /// @notice The transaction at an index of the block, as a proven inclusion has it. Its hash is zero where only its receipt
    /// is proven.
    function provenTransaction(bytes calldata publicValues, uint32 index)
        external
        view
        returns (Transaction memory)
    {
        Transaction[] calldata transactions = _provenInclusion(publicValues).transactions;
        for (uint256 i = 0; i < transactions.length; ++i) {
            if (transactions[i].index == index) return transactions[i];
        }
        revert TransactionNotInStatement(index);
    }

    /// @notice The transaction with this hash, as a proven inclusion has it. Zero is no hash: it stands where none was proven.
    function provenTransactionByHash(bytes calldata publicValues, bytes32 hash)
        external
        view
        returns (Transaction memory)
    {
        if (hash == 0) revert TransactionHashNotInStatement(hash);
        Transaction[] calldata transactions = _provenInclusion(publicValues).transactions;
        for (uint256 i = 0; i < transactions.length; ++i) {
            if (transactions[i].hash == hash) return transactions[i];
        }
        revert TransactionHashNotInStatement(hash);
    }

    /// @notice A log of a proven inclusion, by the index of its transaction and its position in that transaction's receipt, both
    /// from 0. Of data beyond 1,024 bytes it has the hash.
    function provenLog(bytes calldata publicValues, uint32 transaction, uint32 position)
        external
        view
        returns (Log memory)
    {
        Log[] calldata logs = _provenInclusion(publicValues).logs;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].transaction == transaction && logs[i].position == position) return logs[i];
        }
        revert LogNotInStatement(transaction, position);
    }

    /// @notice Returns if a proven inclusion says that its block has no log of this account that begins with these topics: it
    /// may say so of fewer of them.
    function provenNoLog(bytes calldata publicValues, address account, bytes32[] calldata topics)
        external
        view
    {
        NoLog[] calldata noLogs = _provenInclusion(publicValues).noLogs;
        for (uint256 i = 0; i < noLogs.length; ++i) {
            if (noLogs[i].account == account && _begins(topics, noLogs[i].topics)) return;
        }
        revert AbsenceNotInStatement(account, topics);
    }

    function _begins(bytes32[] calldata topics, bytes32[] calldata first) private pure returns (bool) {
        if (first.length > topics.length) return false;
        for (uint256 i = 0; i < first.length; ++i) {
            if (first[i] != topics[i]) return false;
        }
        return true;
    }
}
