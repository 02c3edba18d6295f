//! What Linux tells about a process.

use anyhow::Context;

/// Linux counts time in hundredths of a second, whatever its own clock does.
const TICKS_PER_S: f64 = 100.0;

/// The most resident memory that the process has had.
pub fn peak_bytes(process: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: u64 = kibibytes.context("no VmHWM in the status")?.parse()?;
    Ok(kibibytes * 1024)
}

/// How long the process has worked, on all processors together.
pub fn cpu_s(process: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name comes second and may hold anything, so we count from where it ends.
    let (_, behind_name) = stat.rsplit_once(") ").context("no name in the stat")?;
    let mut times = behind_name.split_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) =
        (times.next().context("no user time")??, times.next().context("no system time")??);
    Ok((user + system) as f64 / TICKS_PER_S)
}
