//! Progress of a proof on standard error: a bar on a terminal, plain lines otherwise.

use std::{
    collections::HashMap,
    fmt::Write,
    io::{IsTerminal, stderr},
    mem::{Discriminant, discriminant},
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use sextant_client::{Progress, ProvingEvent};

use crate::{
    output,
    render::{duration, grouped},
};

/// Shows what becomes known about one proof after the other.
pub struct Display(Mutex<Form>);

enum Form {
    Nothing,
    Bar(Bar),
    Lines(Lines),
}

impl Display {
    /// A bar on a terminal, else lines; nothing with `-q`.
    pub fn new() -> Self {
        Self::of(match (output::is_quiet(), stderr().is_terminal()) {
            (true, _) => Form::Nothing,
            (false, true) => Form::Bar(Bar::new()),
            (false, false) => Form::Lines(Lines::default()),
        })
    }

    /// Lines; nothing with `-q`.
    pub fn lines() -> Self {
        Self::of(if output::is_quiet() { Form::Nothing } else { Form::Lines(Lines::default()) })
    }

    fn of(form: Form) -> Self {
        Self(Mutex::new(form))
    }

    /// Shows an event.
    pub fn show(&self, event: ProvingEvent) {
        // A poisoned lock means that printing panicked: then there is nothing left to print.
        let Ok(mut form) = self.0.lock() else { return };
        match (&mut *form, event) {
            (Form::Nothing, _) => {}
            (Form::Bar(bar), ProvingEvent::Step(step)) => bar.step(step),
            (Form::Lines(lines), ProvingEvent::Step(step)) => lines.step(step),
            (Form::Bar(bar), ProvingEvent::Waiting { reason, again_in }) => {
                bar.message(waiting(&reason, again_in))
            }
            (Form::Lines(lines), ProvingEvent::Waiting { reason, again_in }) => {
                lines.line(&waiting(&reason, again_in));
                lines.shown.clear();
            }
        }
    }

    /// Takes the bar away: what follows is the result.
    pub fn end(&self) {
        if let Ok(Form::Bar(bar)) = self.0.lock().as_deref() {
            bar.bar.finish_and_clear();
        }
    }
}

/// One line that changes.
struct Bar {
    bar: ProgressBar,
    proving: Option<Proving>,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner().with_style(style(SPINNER)).with_message("connecting");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, proving: None }
    }

    fn message(&mut self, message: String) {
        self.proving = None;
        // Another proof follows on one that is done.
        if self.bar.is_finished() {
            self.bar.reset();
        }
        self.bar.set_style(style(SPINNER));
        self.bar.set_message(message);
    }

    fn step(&mut self, step: Progress) {
        if let Progress::Proving { done, total } = step {
            let proving = Proving::at(self.proving, done, total, Instant::now());
            self.proving = Some(proving);
            let drawn = style("{spinner} {elapsed_precise} {msg} {shards}");
            self.bar.set_style(drawn.with_key("shards", move |_: &ProgressState, out: &mut dyn Write| {
                let _ = out.write_str(&proving.drawn(Instant::now()));
            }));
            self.bar.set_message("proving");
        } else if !(self.proving.is_some() && matches!(step, Progress::Executing { .. })) {
            self.message(describe(step));
        }
    }
}

/// Shards being proven. The server tells when one is done; how far the next one is, the clock has to guess.
#[derive(Clone, Copy, Debug)]
struct Proving {
    begun: Instant,
    done: u32,
    total: u32,
    since: Instant,
}

impl Proving {
    /// A shard on a machine like that of `docs/benchmarks.md`, until one has been measured.
    const SHARD: Duration = Duration::from_secs(20);

    fn at(before: Option<Self>, done: u32, total: u32, now: Instant) -> Self {
        match before {
            Some(before) if before.done == done => Self { total, ..before },
            Some(before) => Self { done, total, since: now, ..before },
            None => Self { begun: now, done, total, since: now },
        }
    }

    /// Part that is done, in 0..1; never there before the server says so.
    fn fraction(&self, now: Instant) -> f64 {
        let shard = match self.done {
            0 => Self::SHARD,
            done => (self.since - self.begun) / done,
        };
        let part = (now - self.since).as_secs_f64() / shard.as_secs_f64().max(0.1);
        let guess = (1.0 - (-1.5 * part).exp()).min(0.98);
        if self.done >= self.total { 1.0 } else { (f64::from(self.done) + guess) / f64::from(self.total) }
    }

    fn drawn(&self, now: Instant) -> String {
        const WIDTH: usize = 30;
        let fraction = self.fraction(now);
        let full = (fraction * WIDTH as f64) as usize;
        let (done, total) = (self.done, self.total);
        let bar = "=".repeat(full);
        format!("[{bar:WIDTH$}] {done} of {total} shards, {:.0} % by estimate", fraction * 100.0)
    }
}

/// A line per step; a step that only counts on gets a new line every few seconds. Executing and proving overlap and
/// may alternate, so each kind of step has its own clock.
#[derive(Debug, Default)]
struct Lines {
    start: Option<Instant>,
    shown: HashMap<Discriminant<Progress>, (Progress, Instant)>,
}

impl Lines {
    fn step(&mut self, step: Progress) {
        const REPEAT: Duration = Duration::from_secs(5);
        let again = self
            .shown
            .get(&discriminant(&step))
            .is_some_and(|(before, when)| *before == step || when.elapsed() < REPEAT);
        if !again {
            self.line(&describe(step));
            self.shown.insert(discriminant(&step), (step, Instant::now()));
        }
        // The next proof has its own clock.
        if step == Progress::Done {
            *self = Self::default();
        }
    }

    fn line(&mut self, text: &str) {
        let start = *self.start.get_or_insert_with(Instant::now);
        eprintln!("{:8.1} s  {text}", start.elapsed().as_secs_f64());
    }
}

fn waiting(reason: &str, again_in: Duration) -> String {
    format!("{}; asking again in {}", output::one_line(reason), duration(again_in))
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
        Progress::Bundling { done, total } => format!("verifying the proofs in it, {done} of {total}"),
        Progress::Gathering { done, total, wait_ms: 0 } => {
            format!("{done} of the bundle's {total} proofs are made")
        }
        Progress::Gathering { done, total, wait_ms } => {
            let wait = duration(Duration::from_millis(wait_ms));
            format!("{done} of the bundle's {total} proofs are made; others may come for {wait}")
        }
        Progress::Unknown(_) => "working".into(),
        Progress::Verifying => "the server verifies the proof".into(),
        Progress::Done => "done; verifying here".into(),
    }
}

const SPINNER: &str = "{spinner} {elapsed_precise} {msg}";

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a fixed template that is known to parse")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shard_moves_with_the_clock_and_is_not_done_before_the_server_says_so() {
        let start = Instant::now();
        let proving = Proving::at(None, 0, 1, start);
        let at = |seconds| proving.fraction(start + Duration::from_secs(seconds));
        assert!(at(0) == 0.0 && at(5) > at(0) && at(20) > at(5) && at(20) > 0.5);
        assert!(at(100_000) < 1.0);
        let done = Proving::at(Some(proving), 1, 1, start + Duration::from_secs(30));
        assert_eq!(done.fraction(start + Duration::from_secs(30)), 1.0);
    }

    #[test]
    fn later_shards_are_guessed_by_the_earlier() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let second = Proving::at(Some(Proving::at(None, 0, 2, start)), 1, 2, at(100));
        assert_eq!(second.fraction(at(100)), 0.5);
        assert!((0.6..0.8).contains(&second.fraction(at(150))), "half of a shard's time");
    }
}
