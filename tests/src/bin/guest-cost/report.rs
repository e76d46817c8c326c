//! A cost as a table and as JSON.

use std::fmt::{Display, Formatter, Result};

use serde_json::{Value, json};

use crate::meter::{Bill, Cost};

/// What one program costs on one fixture.
#[derive(Debug)]
pub struct Report {
    /// The guest.
    pub program: &'static str,
    /// The recorded statement.
    pub fixture: &'static str,
    /// Its cost.
    pub cost: Cost,
    /// The gas in `tests/gas.json`.
    pub committed: Option<u64>,
}

impl Report {
    /// The steps in which anything happened.
    fn steps(&self) -> impl Iterator<Item = &(&'static str, Bill)> {
        self.cost.steps.iter().filter(|(_, bill)| bill.cycles != 0)
    }

    fn share(&self, bill: &Bill) -> f64 {
        100.0 * bill.gas as f64 / self.cost.total.gas.max(1) as f64
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { program, fixture, cost, committed } = self;
        writeln!(f, "{program} on {fixture}")?;
        writeln!(
            f,
            "  {:<16}{:>12}{:>12}{:>7}{:>12}  precompile calls",
            "step", "cycles", "gas", "share", "cells"
        )?;
        for (name, bill) in self.steps().chain([&("total", cost.total.clone())]) {
            let share = self.share(bill);
            write!(f, "  {name:<16}{:>12}{:>12}{share:>6.1}%{:>12}", bill.cycles, bill.gas, bill.cells)?;
            for (separator, (syscall, calls)) in
                std::iter::once("  ").chain(std::iter::repeat(", ")).zip(&bill.syscalls)
            {
                write!(f, "{separator}{syscall} {calls}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "  {} words of memory", cost.words)?;
        if let Some(committed) = committed {
            let change = 100.0 * (cost.total.gas as f64 / *committed as f64 - 1.0);
            writeln!(f, "  {committed} gas is committed in tests/gas.json: {change:+.1} %")?;
        }
        Ok(())
    }
}

/// All reports as one document.
pub fn to_json(reports: &[Report]) -> Value {
    let bill = |bill: &Bill| json!({ "cycles": bill.cycles, "gas": bill.gas, "cells": bill.cells, "syscalls": bill.syscalls });
    let programs = reports.iter().map(|report| {
        let mut entry = bill(&report.cost.total);
        entry["program"] = report.program.into();
        entry["fixture"] = report.fixture.into();
        entry["committed_gas"] = report.committed.into();
        entry["memory_words"] = report.cost.words.into();
        entry["steps"] = report
            .steps()
            .map(|(name, part)| {
                let mut step = bill(part);
                step["step"] = (*name).into();
                step["share"] = ((report.share(part) * 10.0).round() / 10.0).into();
                step
            })
            .collect();
        entry
    });
    json!({ "programs": programs.collect::<Vec<_>>() })
}
