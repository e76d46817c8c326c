//! What an operator is told, as text.

use super::{
    acts::{Collected, Ended, PutBack},
    report::{DeadRow, Job, JobRow, MessageRow, ReleaseRow, Status, WorkerRow},
};

/// The first digits of a job, which name it in `fleet job`.
const DIGITS: usize = 12;
/// Letters of a reason in a table.
const REASON: usize = 60;

/// Columns as wide as what is in them.
fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut head.iter().copied());
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

/// Seconds for people.
fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn short(job: &str) -> String {
    job.chars().take(DIGITS).collect()
}

fn brief(reason: Option<&str>) -> String {
    let reason = reason.unwrap_or("-").replace(char::is_control, " ");
    match reason.char_indices().nth(REASON) {
        Some((end, _)) => format!("{}...", &reason[..end]),
        None => reason,
    }
}

fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned()
}

pub(super) fn status(status: &Status) -> String {
    let rows: Vec<_> = status
        .demand
        .iter()
        .map(|row| {
            vec![
                row.release.clone(),
                row.stage.clone(),
                row.class.as_str().to_owned(),
                row.waiting.to_string(),
                row.running.to_string(),
                row.workers.to_string(),
                if row.waiting == 0 { "-".into() } else { ago(row.oldest_wait_seconds as u64) },
                if row.paused { "paused".into() } else { String::new() },
            ]
        })
        .collect();
    let head = ["RELEASE", "STAGE", "CLASS", "WAITING", "RUNNING", "WORKERS", "OLDEST", ""];
    let mut text = table(&head, &rows);
    text += &format!("{} workers, {} busy; {} dead letters\n", status.workers, status.busy, status.dead);
    for pause in &status.pauses {
        let of = match (&pause.stage, &pause.worker) {
            (Some(stage), _) => format!("stage {stage}"),
            (None, worker) => format!("worker {}", or_dash(worker.as_deref())),
        };
        let ends = pause.ends_in_seconds.map_or_else(
            || "until `fleet resume`".to_owned(),
            |seconds| format!("for another {}", ago(seconds)),
        );
        text += &format!("{of} is paused since {} ago, {ends}\n", ago(pause.since_seconds));
    }
    text
}

pub(super) fn jobs(jobs: &[JobRow]) -> String {
    let rows: Vec<_> = jobs
        .iter()
        .map(|row| {
            let (stages, workers) = (&row.stages, &row.workers);
            let join = |names: &std::collections::BTreeSet<String>| {
                names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
            };
            vec![
                short(&row.job),
                row.state.as_str().to_owned(),
                join(stages),
                row.generation.to_string(),
                ago(row.since_seconds),
                row.deliveries.to_string(),
                or_dash(Some(&join(workers))),
                brief(row.reason.as_deref()),
            ]
        })
        .collect();
    table(&["JOB", "STATE", "STAGES", "TRY", "SINCE", "HAD BY", "WORKER", "LAST REASON"], &rows)
}

pub(super) fn job(job: &Job) -> String {
    let mut text = format!("job {}\n{}; {} wait for it\n", job.job, job.state.as_str(), job.waiters);
    if let Some(outcome) = &job.outcome {
        let what = match (&outcome.error, &outcome.object) {
            (Some(error), _) => format!("{}: {}", error.code, error.message.replace(char::is_control, " ")),
            (None, object) => {
                format!("{} of {} bytes", or_dash(object.as_deref()), outcome.bytes.unwrap_or_default())
            }
        };
        text += &format!("outcome of try {} by {}: {what}\n", outcome.generation, outcome.worker);
    }
    if !job.messages.is_empty() {
        text += &format!("\n{}", messages(&job.messages));
    }
    if !job.made.is_empty() {
        let rows = job.made.iter().map(|made| {
            vec![
                made.generation.to_string(),
                made.stage.clone(),
                made.part.clone(),
                made.bytes.to_string(),
                made.worker.clone(),
                made.object.clone(),
            ]
        });
        text += &format!(
            "\n{}",
            table(&["TRY", "MADE", "PART", "BYTES", "WORKER", "OBJECT"], &rows.collect::<Vec<_>>())
        );
    }
    if !job.dead.is_empty() {
        text += &format!("\n{}", dead(&job.dead));
    }
    text
}

fn messages(messages: &[MessageRow]) -> String {
    let rows: Vec<_> = messages
        .iter()
        .map(|row| {
            vec![
                row.generation.to_string(),
                row.stage.clone(),
                row.part.clone(),
                row.state.as_str().to_owned(),
                row.lane.to_owned(),
                ago(row.since_seconds),
                row.deliveries.to_string(),
                or_dash(row.worker.as_deref()),
                brief(row.reason.as_deref()),
            ]
        })
        .collect();
    table(&["TRY", "STAGE", "PART", "STATE", "LANE", "SINCE", "HAD BY", "WORKER", "LAST REASON"], &rows)
}

pub(super) fn dead(dead: &[DeadRow]) -> String {
    let rows: Vec<_> = dead
        .iter()
        .map(|row| {
            vec![
                short(&row.job),
                row.generation.to_string(),
                row.stage.clone(),
                row.part.clone(),
                row.deliveries.to_string(),
                ago(row.since_seconds),
                brief(Some(&row.error.message)),
            ]
        })
        .collect();
    table(&["JOB", "TRY", "DEAD IN", "PART", "HAD BY", "SINCE", "REASON"], &rows)
}

pub(super) fn workers(workers: &[WorkerRow]) -> String {
    let rows: Vec<_> = workers
        .iter()
        .map(|row| {
            let at = match (&row.job, &row.stage, row.busy_seconds) {
                (Some(job), Some(stage), Some(seconds)) => {
                    format!("{stage} of {} for {}", short(job), ago(seconds))
                }
                _ if row.paused => "paused".into(),
                _ => "-".into(),
            };
            vec![
                row.worker.clone(),
                row.stages.join(","),
                if row.large { "large" } else { "ordinary" }.to_owned(),
                row.release.clone(),
                ago(row.since_seconds),
                at,
            ]
        })
        .collect();
    table(&["WORKER", "STAGES", "CLASS", "RELEASE", "SINCE", "AT"], &rows)
}

pub(super) fn releases(releases: &[ReleaseRow]) -> String {
    let rows: Vec<_> = releases
        .iter()
        .map(|row| {
            vec![
                row.release.clone(),
                row.waiting.to_string(),
                row.running.to_string(),
                row.workers.to_string(),
                if row.own { "this program's" } else { "" }.to_owned(),
            ]
        })
        .collect();
    table(&["RELEASE", "WAITING", "RUNNING", "WORKERS", ""], &rows)
}

pub(super) fn ended(ended: &Ended) -> String {
    let Ended { job, messages, waiters } = ended;
    format!("job {job} is ended: {messages} messages were in the queue, {waiters} waited for it\n")
}

pub(super) fn put_back(letters: &[PutBack]) -> String {
    if letters.is_empty() {
        return "no dead letters\n".into();
    }
    let rows: Vec<_> = letters
        .iter()
        .map(|row| {
            let became = match row.submitted {
                "new" => "waits now",
                "known" => "is there already",
                _ => "is not needed: the proof is made",
            };
            vec![short(&row.job), row.stage.clone(), row.part.clone(), became.to_owned()]
        })
        .collect();
    table(&["JOB", "STAGE", "PART", ""], &rows)
}

pub(super) fn collected(collected: &Collected) -> String {
    let verb = if collected.dry_run { "would be" } else { "were" };
    format!("{} objects of {} bytes {verb} taken away\n", collected.objects, collected.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_in_them_and_reasons_are_one_short_line() {
        let rows = [vec!["a".to_owned(), "bcd".into()], vec!["efgh".into(), String::new()]];
        assert_eq!(table(&["X", "YY"], &rows), "X     YY\na     bcd\nefgh\n");
        assert_eq!(brief(Some("a\nb\u{1b}[2J")), "a b [2J");
        assert_eq!(brief(Some(&"é".repeat(100))).chars().count(), REASON + 3);
        let times: Vec<_> = [5, 119, 120, 7200, 200_000].into_iter().map(ago).collect();
        assert_eq!(times, ["5s", "119s", "2m", "2h", "2d"]);
    }
}
