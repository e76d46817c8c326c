// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {LightClient} from "../src/LightClient.sol";
import {Log} from "../src/PublicValues.sol";

/// @notice A token whose supply on this chain the bridge makes.
interface Mintable {
    function mint(address to, uint256 amount) external;
}

/// @title The far end of a token bridge: an example
/// @notice On the chain that the light client follows, a vault takes tokens in and emits
/// `Locked(uint256 indexed chainId, address indexed bridge, address indexed recipient, uint256 amount)`. Whoever has that log
/// proven to the light client claims the tokens here, once. The log may be of a block before the finalized one: what was
/// locked then is locked still.
/// @dev An example: it is tested, not audited. A real bridge caps what one day of proofs can move; why: docs/contracts.md.
contract TokenBridge {
    /// @notice The first topic of the vault's event.
    bytes32 public constant LOCKED = keccak256("Locked(uint256,address,address,uint256)");

    /// @notice Who says what was proven. It follows one chain: the vault's.
    LightClient public immutable client;
    /// @notice Who emits the event, on the other chain.
    address public immutable vault;
    /// @notice What is paid out.
    Mintable public immutable token;
    /// @notice Seconds between a proof and a payment, in which anybody can show that another proof contradicts it.
    uint256 public immutable patience;

    /// @notice Whether a log was paid out, by {keyOf}.
    mapping(bytes32 key => bool) public claimed;

    /// @notice A log was paid out.
    event Claimed(bytes32 indexed key, address indexed recipient, uint256 amount);

    /// @notice Paid out before.
    error AlreadyClaimed(bytes32 key);
    /// @notice The proof is not known for long enough.
    error TooEarly(uint256 time, uint256 from);
    /// @notice The transaction failed: nothing was locked.
    error TransactionFailed(uint32 transaction);
    /// @notice Another contract than the vault emitted it.
    error OtherEmitter(address got, address expected);
    /// @notice Another event than {LOCKED}, or not in its shape.
    error OtherEvent();
    /// @notice Locked for another chain, or for another bridge on this one.
    error OtherDestination(uint256 chainId, address bridge);

    constructor(LightClient client_, address vault_, Mintable token_, uint256 patience_) {
        client = client_;
        vault = vault_;
        token = token_;
        patience = patience_;
    }

    /// @notice Pays out what a proven log says was locked, to whom it says; anybody may call it.
    /// @param publicValues Of an inclusion that the light client accepted, with the log and its transaction.
    /// @param transaction Index of the log's transaction in its block.
    /// @param position Of the log in that transaction's receipt, from 0.
    function claim(bytes calldata publicValues, uint32 transaction, uint32 position) external {
        // Reverts unless the statement has the log, is proven and not contradicted.
        Log memory log = client.provenLog(publicValues, transaction, position);
        uint256 from = client.provenAt(publicValues) + patience;
        if (block.timestamp < from) revert TooEarly(block.timestamp, from);
        // The chain's rules leave no log of a transaction that failed; they are not what was proven.
        if (!client.provenTransaction(publicValues, transaction).succeeded) {
            revert TransactionFailed(transaction);
        }
        (address recipient, uint256 amount) = _locked(log);

        bytes32 key = keyOf(client.provenFacts(publicValues).hash, transaction, position);
        if (claimed[key]) revert AlreadyClaimed(key);
        claimed[key] = true;
        emit Claimed(key, recipient, amount);
        token.mint(recipient, amount);
    }

    /// @notice What one log is known by, whichever statement proves it: its block's hash, its transaction's index and its
    /// position. The digest of the statement would not do: many statements can prove the same log.
    function keyOf(bytes32 blockHash, uint32 transaction, uint32 position) public pure returns (bytes32) {
        return keccak256(abi.encode(blockHash, transaction, position));
    }

    /// @dev Anybody's contract can emit this event, and the vault others.
    function _locked(Log memory log) private view returns (address recipient, uint256 amount) {
        if (log.account != vault) revert OtherEmitter(log.account, vault);
        if (log.topics.length != 4 || log.topics[0] != LOCKED || log.data.length != 32) revert OtherEvent();
        (uint256 chainId, address bridge) = (uint256(log.topics[1]), _address(log.topics[2]));
        if (chainId != block.chainid || bridge != address(this)) revert OtherDestination(chainId, bridge);
        return (_address(log.topics[3]), abi.decode(log.data, (uint256)));
    }

    function _address(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }
}
