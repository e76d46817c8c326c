//! `sextant completions` and `sextant man`: the command line, described for shells and readers.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Failure, Outcome};
use crate::{args::Arguments, failure::Code, output};

/// Prints a shell's completions.
pub fn completions(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "sextant", &mut script);
    output::print_bytes(&script)
}

/// Writes a page for each command.
pub fn man(folder: &Path) -> Outcome {
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    written.map_err(|error| Failure::new(Code::Failed, format!("cannot write {}: {error}", folder.display())))
}
