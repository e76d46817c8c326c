//! `sextant check-block`: an execution block is executed again, by its witness alone.

use serde_json::json;
use sextant_execution::statement::validate;

use super::{Failure, Outcome, read_file};
use crate::{args::CheckBlock, failure::Code, output, render};

/// Larger than the input of any block that mainnet's gas limit allows today.
const MAX_INPUT: u64 = 1 << 28;

/// Runs the command.
pub async fn run(arguments: CheckBlock) -> Outcome {
    let name = arguments.file.display();
    let input = read_file(&arguments.file, MAX_INPUT, Code::InvalidStatement)?;
    // A whole block's execution, which must not hold up what else the runtime does.
    let validated = tokio::task::spawn_blocking(move || validate(&input))
        .await
        .map_err(|panic| Failure::new(Code::Failed, format!("{name}: {panic}")))?
        .map_err(|error| Failure::from(error).of(&name))?;
    let output = render::hex(&validated.output());

    if arguments.json {
        return output::print_json(&json!({
            "file": name.to_string(),
            "valid": true,
            "chain_id": validated.chain_id,
            "fork": validated.schema.fork.name(),
            "number": validated.number,
            "block_hash": validated.block_hash.to_string(),
            "parent_hash": validated.parent_hash.to_string(),
            "state_root": validated.state_root.to_string(),
            "timestamp": validated.timestamp,
            "gas_used": validated.gas_used,
            "transactions": validated.transactions,
            "new_payload_request_root": render::hex(&validated.request_root),
            "output": output,
        }));
    }
    let mut table = render::Table::default();
    table.row("input", name);
    table.row("verdict", "VALID: on the block that it names as its parent, of which nothing is said");
    table.row("chain id", validated.chain_id);
    table.row("fork", validated.schema.fork);
    table.row("block", format!("{}, {}", render::grouped(validated.number), validated.block_hash));
    table.row("parent", validated.parent_hash);
    table.row("state root", validated.state_root);
    table.row("timestamp", validated.timestamp);
    table.row("gas used", render::grouped(validated.gas_used));
    table.row("transactions", validated.transactions);
    table.row("request root", render::hex(&validated.request_root));
    table.row("output", output);
    output::print(&table.to_string())
}
