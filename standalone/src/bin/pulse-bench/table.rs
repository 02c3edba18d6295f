//! What was measured, as people read it.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::company::Size;
use crate::database::Kind;
use crate::goals;
use crate::job::Job;

/// A job on a database at a latency, and every run of it.
pub struct Cell {
    pub job: Job,
    pub kind: Kind,
    pub latency_ms: u64,
    pub runs: Vec<Measured>,
}

/// One run of the product and one of the floor.
pub struct Measured {
    pub job: Job,
    /// The product's run, from start to end.
    pub run_s: f64,
    /// The steps that read the source.
    pub data_s: f64,
    /// When each step ended.
    pub steps: Vec<(String, f64)>,
    pub rows: u64,
    pub peak_bytes: u64,
    /// By route.
    pub requests: BTreeMap<String, u64>,
    /// How many of those that count towards the goal there may be.
    pub requests_goal: f64,
    /// What the processes have worked, on all processors together.
    pub cpu_s: f64,
    pub floor_cpu_s: f64,
    pub floor_s: f64,
    pub floor_rows: u64,
    pub floor_requests: u64,
}

impl Measured {
    /// Requests that count towards the goal.
    fn counted(&self) -> f64 {
        let counted = self.requests.iter().filter(|(route, _)| self.job.counts(route));
        counted.map(|(_, count)| *count as f64).sum()
    }
}

impl Cell {
    pub fn new(job: Job, kind: Kind, latency_ms: u64) -> Cell {
        Cell { job, kind, latency_ms, runs: Vec::new() }
    }

    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        median(self.runs.iter().map(of).collect())
    }

    /// Medians of when each step ended.
    fn steps(&self) -> Vec<(&str, f64)> {
        let Some(first) = self.runs.first() else { return Vec::new() };
        let positions = first.steps.iter().enumerate();
        positions
            .map(|(at, (name, _))| {
                let of = |run: &Measured| run.steps.get(at).map_or(0.0, |(_, seconds)| *seconds);
                (name.as_str(), self.median(of))
            })
            .collect()
    }
}

/// Everything that was measured, beside the goals.
pub fn print(size: Size, cells: &[Cell]) -> String {
    let mut out = String::new();
    let pull_requests = format!(
        "{} pull requests in {} repositories, with everything",
        size.pull_requests, size.repositories
    );
    let jobs = [
        (Job::Jira, "issue", size.issues, format!("{} issues with changelogs", size.issues)),
        (Job::Git, "PR", size.pull_requests, pull_requests),
    ];
    for (job, noun, count, title) in jobs {
        let of_job: Vec<_> = cells.iter().filter(|cell| cell.job == job).collect();
        one_job(&mut out, &of_job, noun, count, &title).expect("a string takes everything");
    }
    out.push_str(
        "run: the whole job. data: the steps that read the source, as many side by side as by default.\n\
         floor: a loader without bookkeeping, as many lanes, which read ahead of what is written.\nrows: what is in the tables in the end. peak: VmHWM of pulse-etl, which \
         runs Jira first and then Git.\n\
         per issue: pages of issues and of histories, without the few other requests.\n\
         cpu: of pulse-etl and of the floor, without the database server.\n* misses its goal.\n",
    );
    out
}

fn one_job(
    out: &mut String,
    cells: &[&Cell],
    noun: &str,
    count: u32,
    title: &str,
) -> std::fmt::Result {
    let runs = cells.first().map_or(0, |cell| cell.runs.len());
    writeln!(out, "\n{title} (median of {runs})\n")?;
    writeln!(
        out,
        "{:<9} {:>7} {:>8} {:>8} {:>8} {:>10} {:>6} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8}",
        "database",
        "latency",
        "run s",
        "data s",
        "floor s",
        "data/floor",
        "goal",
        "cpu s",
        "floor's",
        "rows",
        "floor's",
        "rows/s",
        "peak MB",
        "requests",
        "floor's",
        format!("per {noun}"),
        "goal"
    )?;
    for cell in cells {
        let data_s = cell.median(|run| run.data_s);
        let floor_s = cell.median(|run| run.floor_s);
        let rows = cell.median(|run| run.rows as f64);
        let peak = cell.median(|run| run.peak_bytes as f64);
        let requests = cell.median(|run| run.requests.values().sum::<u64>() as f64);
        let (ratio, goal) = (data_s / floor_s, goals::ratio(cell.latency_ms));
        let per_noun = cell.median(Measured::counted) / f64::from(count);
        let requests_goal = cell.median(|run| run.requests_goal) / f64::from(count);
        writeln!(
            out,
            "{:<9} {:>4} ms {:>8.2} {:>8.2} {:>8.2} {:>10} {:>6} {:>7} {:>8} {:>8} {:>8} {:>8.0} {:>8} {:>8} {:>8} {:>9} {:>8}",
            cell.kind.to_string(),
            cell.latency_ms,
            cell.median(|run| run.run_s),
            data_s,
            floor_s,
            marked(format!("{ratio:.2}"), ratio <= goal),
            format!("<={goal}"),
            format!("{:.2}", cell.median(|run| run.cpu_s)),
            format!("{:.2}", cell.median(|run| run.floor_cpu_s)),
            rows,
            cell.median(|run| run.floor_rows as f64),
            rows / data_s,
            marked(format!("{:.0}", peak / 1024.0 / 1024.0), peak <= goals::PEAK_BYTES as f64),
            requests,
            cell.median(|run| run.floor_requests as f64),
            marked(format!("{per_noun:.4}"), per_noun <= requests_goal),
            format!("<={requests_goal:.4}"),
        )?;
    }
    writeln!(out)?;
    for cell in cells {
        let steps = cell.steps().into_iter().map(|(name, seconds)| format!("{name} {seconds:.2}"));
        let steps: Vec<_> = steps.collect();
        writeln!(
            out,
            "{:<9} {:>4} ms  ended after: {} s",
            cell.kind.to_string(),
            cell.latency_ms,
            steps.join(", ")
        )?;
    }
    let last = cells.last().and_then(|cell| cell.runs.last());
    if let Some(Measured { requests, .. }) = last {
        let routes = requests.iter().map(|(route, count)| format!("{route} {count}"));
        writeln!(out, "requests of the last run: {}", routes.collect::<Vec<_>>().join(", "))?;
    }
    Ok(())
}

/// The middle of several values, of which there must be one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => values[middle - 1].midpoint(values[middle]),
        _ => values[middle],
    }
}

/// A figure with a star when it misses its goal.
pub fn marked(figure: String, is_good: bool) -> String {
    if is_good { figure } else { format!("{figure}*") }
}
