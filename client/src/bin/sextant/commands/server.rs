//! `sextant server`: what a server offers, and whether it answers.

use std::time::Instant;

use serde_json::{Value, json};
use sextant_client::{Client, ServerInfo};
use sextant_consensus::Program;

use super::{Outcome, asking::client_config};
use crate::{args::ServerOptions, output, render};

/// Runs `server info`.
pub async fn info(options: ServerOptions) -> Outcome {
    let client = Client::connect_with(&options.server.address, client_config(&options.server)?).await?;
    let info = client.info().await?;
    if options.json {
        return output::print_json(&info_json(&info));
    }
    let kinds: Vec<_> = info.kinds.iter().map(|kind| kind.as_str()).collect();
    let mut table = render::Table::default();
    table.row("server", format!("{} ({})", options.server.address, info.agent));
    table.row("circuit version", &info.circuit_version);
    table.row("kinds", kinds.join(", "));
    if let Some(input) = largest_input(&info) {
        table.row("largest input", format!("{} bytes", render::grouped(input)));
    }
    for program in &info.programs {
        table.section(&name(program.program));
        table.row("verifying key hash", render::hex(&program.vk_hash));
        table.row("ELF sha256", render::hex(&program.elf_sha256));
        table.row("queue", format!("{} waiting, at most {}", program.queued, program.queue_capacity));
    }
    output::print(&table.to_string())
}

/// Runs `server ping`.
pub async fn ping(options: ServerOptions) -> Outcome {
    let client = Client::connect_with(&options.server.address, client_config(&options.server)?).await?;
    let start = Instant::now();
    client.ping().await?;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    let (address, agent) = (&options.server.address, client.server_agent());
    if options.json {
        return output::print_json(
            &json!({ "server": address, "agent": agent, "milliseconds": milliseconds }),
        );
    }
    output::print(&format!("{address} ({agent}) answered in {milliseconds:.1} ms\n"))
}

fn info_json(info: &ServerInfo) -> Value {
    let programs: Vec<Value> = info
        .programs
        .iter()
        .map(|program| {
            json!({
                "program": name(program.program),
                "vk_hash": render::hex(&program.vk_hash),
                "elf_sha256": render::hex(&program.elf_sha256),
                "queued": program.queued,
                "queue_capacity": program.queue_capacity,
            })
        })
        .collect();
    json!({
        "agent": info.agent,
        "circuit_version": info.circuit_version,
        "kinds": info.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "largest_input_bytes": largest_input(info),
        "programs": programs,
    })
}

/// Where the server says it.
fn largest_input(info: &ServerInfo) -> Option<u64> {
    Some(info.limits.input).filter(|bytes| *bytes > 0)
}

fn name(tag: u32) -> String {
    Program::from_tag(tag).map_or_else(|| format!("unknown program {tag}"), |program| program.to_string())
}
