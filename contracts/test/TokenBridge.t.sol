// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Mintable, TokenBridge} from "../examples/TokenBridge.sol";
import {Contradictions} from "../src/Contradictions.sol";
import {Events} from "../src/Events.sol";
import {LightClient} from "../src/LightClient.sol";
import {Inclusion, Log, Transaction} from "../src/PublicValues.sol";
import {Statements} from "../src/Statements.sol";
import {Base} from "./support/Base.sol";
import {vm} from "./support/Vm.sol";

/// @notice A token that anybody may make, and that calls whom it is told to meanwhile.
contract Tokens is Mintable {
    mapping(address holder => uint256) public balanceOf;
    bytes public callback;

    function callBack(bytes calldata data) external {
        callback = data;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
        if (callback.length == 0) return;
        (bool done, bytes memory reason) = msg.sender.call(callback);
        require(!done, "paid twice");
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}

/// @notice A log that was proven is paid out once, and nothing else is. The recorded log of a mainnet block is made the
/// vault's here.
contract TokenBridgeTest is Base {
    address private constant VAULT = address(0x7a01);
    address private constant RECIPIENT = address(0xbe7e);
    uint256 private constant AMOUNT = 12_500 ether;
    uint256 private constant PATIENCE = 6 hours;

    event log_named_uint(string key, uint256 val);

    LightClient private client;
    Tokens private tokens = new Tokens();
    TokenBridge private bridge;

    function setUp() public {
        client = deploy(inclusion(CATCH_UP).head);
        bridge = new TokenBridge(client, VAULT, tokens, PATIENCE);
    }

    /// The log is of a block 60 before the finalized one.
    function test_a_proven_log_is_paid_out_once() public {
        Inclusion memory statement = _locked();
        Log memory log = statement.logs[0];
        require(statement.facts.number < statement.head.blockNumber, "another recording");
        bytes memory values = _prove(statement);
        bytes32 key = bridge.keyOf(statement.facts.hash, log.transaction, log.position);
        vm.expectEmit(address(bridge));
        emit TokenBridge.Claimed(key, RECIPIENT, AMOUNT);
        bridge.claim(values, log.transaction, log.position);
        emit log_named_uint("a claim", vm.lastCallGas().gasTotalUsed);
        require(tokens.balanceOf(RECIPIENT) == AMOUNT && bridge.claimed(key), "not paid");
        _refuse(values, log, abi.encodeWithSelector(TokenBridge.AlreadyClaimed.selector, key));
        // Another statement of the same log: by another finalized header.
        statement.head.finalizedSlot -= 32;
        statement.head.finalizedRoot = keccak256("another header");
        _refuse(_prove(statement), log, abi.encodeWithSelector(TokenBridge.AlreadyClaimed.selector, key));
        require(tokens.balanceOf(RECIPIENT) == AMOUNT, "paid twice");
    }

    function test_two_logs_of_one_transaction_are_two() public {
        Inclusion memory statement = _locked();
        Log memory log = statement.logs[0];
        statement.logs = new Log[](2);
        (statement.logs[0], statement.logs[1]) = (log, _copy(log));
        ++statement.logs[1].position;
        bytes memory values = _prove(statement);
        bridge.claim(values, log.transaction, log.position);
        bridge.claim(values, log.transaction, log.position + 1);
        require(tokens.balanceOf(RECIPIENT) == 2 * AMOUNT, "not paid");
    }

    /// A token that calls back while it is paid out gets no second payment.
    function test_it_is_claimed_before_it_is_paid() public {
        Inclusion memory statement = _locked();
        Log memory log = statement.logs[0];
        bytes memory values = _prove(statement);
        tokens.callBack(abi.encodeCall(TokenBridge.claim, (values, log.transaction, log.position)));
        bytes32 key = bridge.keyOf(statement.facts.hash, log.transaction, log.position);
        _refuse(values, log, abi.encodeWithSelector(TokenBridge.AlreadyClaimed.selector, key));
        require(tokens.balanceOf(RECIPIENT) == 0, "paid");
    }

    function test_another_emitter() public {
        Inclusion memory statement = _locked();
        statement.logs[0].account = STRANGER;
        bytes memory reason = abi.encodeWithSelector(TokenBridge.OtherEmitter.selector, STRANGER, VAULT);
        _refuse(_prove(statement), statement.logs[0], reason);
    }

    function test_another_event() public {
        bytes memory reason = abi.encodeWithSelector(TokenBridge.OtherEvent.selector);
        Inclusion memory statement = _locked();
        statement.logs[0].topics[0] = keccak256("Unlocked(uint256,address,address,uint256)");
        _refuse(_prove(statement), statement.logs[0], reason);
        // The right name and too few topics, none at all, or other data.
        statement = _locked();
        bytes32[] memory topics = new bytes32[](3);
        (topics[0], topics[1], topics[2]) =
        (bridge.LOCKED(), statement.logs[0].topics[1], statement.logs[0].topics[2]);
        statement.logs[0].topics = topics;
        _refuse(_prove(statement), statement.logs[0], reason);
        statement.logs[0].topics = new bytes32[](0);
        _refuse(_prove(statement), statement.logs[0], reason);
        statement = _locked();
        statement.logs[0].data = abi.encode(AMOUNT, AMOUNT);
        _refuse(_prove(statement), statement.logs[0], reason);
        // Data that are known by their hash alone.
        (statement.logs[0].data, statement.logs[0].dataHash) = (new bytes(0), keccak256("2 KB"));
        _refuse(_prove(statement), statement.logs[0], reason);
    }

    function test_locked_for_another_destination() public {
        Inclusion memory statement = _locked();
        statement.logs[0].topics[1] = bytes32(block.chainid + 1);
        bytes memory reason =
            abi.encodeWithSelector(TokenBridge.OtherDestination.selector, block.chainid + 1, address(bridge));
        _refuse(_prove(statement), statement.logs[0], reason);
        statement = _locked();
        statement.logs[0].topics[2] = bytes32(uint256(uint160(STRANGER)));
        reason = abi.encodeWithSelector(TokenBridge.OtherDestination.selector, block.chainid, STRANGER);
        _refuse(_prove(statement), statement.logs[0], reason);
    }

    /// The same vault on another chain, proven to a light client that follows that one: it is nothing to this one.
    function test_a_log_of_another_chain() public {
        Inclusion memory statement = _locked();
        statement.head.chainDigest = ~statement.head.chainDigest;
        bytes memory values = abi.encode(statement);
        client = deploy(statement.head);
        submitInclusion(client, values);
        vm.warp(block.timestamp + PATIENCE);
        require(
            client.provenAt(values) != 0 && address(client) != address(bridge.client()), "not proven there"
        );
        bytes memory reason = abi.encodeWithSelector(Statements.NotProven.selector, keccak256(values));
        _refuse(values, statement.logs[0], reason);
    }

    function test_a_failed_transaction() public {
        Inclusion memory statement = _locked();
        statement.transactions[0].succeeded = false;
        uint32 index = statement.transactions[0].index;
        bytes memory reason = abi.encodeWithSelector(TokenBridge.TransactionFailed.selector, index);
        _refuse(_prove(statement), statement.logs[0], reason);
        statement.transactions = new Transaction[](0);
        reason = abi.encodeWithSelector(Events.TransactionNotInStatement.selector, index);
        _refuse(_prove(statement), statement.logs[0], reason);
    }

    function test_what_was_not_proven() public {
        Inclusion memory statement = _locked();
        Log memory log = statement.logs[0];
        bytes memory values = abi.encode(statement);
        _refuse(values, log, abi.encodeWithSelector(Statements.NotProven.selector, keccak256(values)));
        _prove(statement);
        ++log.position;
        _refuse(
            values,
            log,
            abi.encodeWithSelector(Events.LogNotInStatement.selector, log.transaction, log.position)
        );
    }

    /// In the meantime anybody can show that another proof contradicts it.
    function test_not_before_its_time() public {
        Inclusion memory statement = _locked();
        Log memory log = statement.logs[0];
        bytes memory values = _prove(statement);
        uint256 from = client.provenAt(values) + PATIENCE;
        vm.warp(from - 1);
        _refuse(values, log, abi.encodeWithSelector(TokenBridge.TooEarly.selector, from - 1, from));
        Inclusion memory other = _locked();
        other.head.finalizedRoot = keccak256("another header");
        submitInclusion(client, abi.encode(other));
        vm.warp(from);
        uint64 slot = statement.head.finalizedSlot;
        _refuse(values, log, abi.encodeWithSelector(Contradictions.SlotContradicted.selector, slot));
    }

    /// @dev The recorded statement, with a log as the vault emits it.
    function _locked() private view returns (Inclusion memory statement) {
        statement = inclusion(CATCH_UP);
        Log memory log = statement.logs[0];
        (log.account, log.data) = (VAULT, abi.encode(AMOUNT));
        log.topics = new bytes32[](4);
        (log.topics[0], log.topics[1]) = (bridge.LOCKED(), bytes32(block.chainid));
        log.topics[2] = bytes32(uint256(uint160(address(bridge))));
        log.topics[3] = bytes32(uint256(uint160(RECIPIENT)));
    }

    /// @dev Proven, and known for long enough.
    function _prove(Inclusion memory statement) private returns (bytes memory values) {
        values = abi.encode(statement);
        submitInclusion(client, values);
        vm.warp(block.timestamp + PATIENCE);
    }

    function _refuse(bytes memory values, Log memory log, bytes memory reason) private {
        vm.expectRevert(reason);
        bridge.claim(values, log.transaction, log.position);
    }

    function _copy(Log memory log) private pure returns (Log memory) {
        return abi.decode(abi.encode(log), (Log));
    }
}
