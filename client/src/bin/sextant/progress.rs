//! Progress of a proof on standard error: a bar on a terminal, plain lines otherwise.

use std::{
    collections::HashMap,
    io::{IsTerminal, stderr},
    mem::{Discriminant, discriminant},
    pin::pin,
    time::{Duration, Instant},
};

use futures::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use sextant_client::{Progress, Proving};

use crate::render::grouped;

/// Shows the steps until the answer is there.
pub async fn show(proving: &mut Proving) {
    let steps = pin!(proving.progress());
    if stderr().is_terminal() { bars(steps).await } else { lines(steps).await }
}

async fn bars(mut steps: impl futures::Stream<Item = Progress> + Unpin) {
    let spinner = style("{spinner} {elapsed_precise} {msg}");
    let bar_style = style("{spinner} {elapsed_precise} {msg} [{bar:40}] {pos} of {len}");
    let bar = ProgressBar::new_spinner().with_style(spinner.clone()).with_message("sending");
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut proving = false;
    while let Some(step) = steps.next().await {
        if let Progress::Proving { done, total } = step {
            proving = true;
            bar.set_style(bar_style.clone());
            bar.set_length(total.into());
            bar.set_position(done.into());
            bar.set_message("proving shards");
        } else if !(proving && matches!(step, Progress::Executing { .. })) {
            bar.set_style(spinner.clone());
            bar.set_message(describe(step));
        }
    }
    bar.finish_and_clear();
}

async fn lines(mut steps: impl futures::Stream<Item = Progress> + Unpin) {
    let mut lines = Lines::default();
    while let Some(step) = steps.next().await {
        lines.show(step);
    }
}

/// A line per step; a step that only counts on gets a new line every few seconds. Executing and proving overlap and
/// may alternate, so each kind of step has its own clock.
#[derive(Debug, Default)]
pub struct Lines {
    start: Option<Instant>,
    shown: HashMap<Discriminant<Progress>, (Progress, Instant)>,
}

impl Lines {
    /// Shows a step, if it is worth a line.
    pub fn show(&mut self, step: Progress) {
        const REPEAT: Duration = Duration::from_secs(5);
        let start = *self.start.get_or_insert_with(Instant::now);
        let again = self
            .shown
            .get(&discriminant(&step))
            .is_some_and(|(before, when)| *before == step || when.elapsed() < REPEAT);
        if !again {
            eprintln!("{:8.1} s  {}", start.elapsed().as_secs_f64(), describe(step));
            self.shown.insert(discriminant(&step), (step, Instant::now()));
        }
        // The next proof has its own clock.
        if step == Progress::Done {
            *self = Self::default();
        }
    }
}

fn describe(step: Progress) -> String {
    match step {
        Progress::Queued { position: 0 } => "queued, next in line".into(),
        Progress::Queued { position } => format!("queued, {position} before"),
        Progress::Checking => "the server checks the statement".into(),
        Progress::Preparing => "the prover starts".into(),
        Progress::Executing { cycles: 0 } => "executing".into(),
        Progress::Executing { cycles } => format!("executing, {} cycles", grouped(cycles)),
        Progress::Proving { done, total } => format!("proving, {done} of {total} shards"),
        Progress::Compressing { done: 0 } => "compressing".into(),
        Progress::Compressing { done } => format!("compressing, {done} steps"),
        Progress::Shrinking => "shrinking".into(),
        Progress::Wrapping => "wrapping".into(),
        Progress::Snark => "making the SNARK".into(),
        Progress::Unknown(_) => "working".into(),
        Progress::Verifying => "the server verifies the proof".into(),
        Progress::Done => "done; verifying here".into(),
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("a fixed template that is known to parse")
        .progress_chars("=> ")
}
