//! A rotating file behind `std::io::Write`: `cargo run -p llm-observe-log --example io_write`.
//!
//! Reads its own files back. Ends with an error when a line is missing or torn.

use std::{error::Error, io::Write};

use llm_observe_log::{Level, LogOptions, Rotation};

const LINES: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::temp_dir().join(format!("llm-observe-log-lines-{}", std::process::id()));
    let mut writer = LogOptions::new(&dir, "access.log")
        .max_bytes(50_000)
        .rotation(Rotation::Daily)
        .backups(100)
        .open()?;

    for number in 0..LINES {
        // Pieces become whole lines: rotation never splits one.
        write!(writer, "GET /{number}")?;
        writeln!(writer, " 200")?;
    }
    // A finished line with a level, from `&self`. An error is in the file at once.
    writer.line(Level::Error, b"GET /last 500\n");
    println!("{} lines lost", writer.lost());
    drop(writer);

    let mut names = std::fs::read_dir(&dir)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    names.retain(|name| name.starts_with("access.log"));
    let mut lines = Vec::new();
    for name in &names {
        let text = std::fs::read_to_string(dir.join(name))?;
        lines.extend(text.lines().map(str::to_owned));
    }
    std::fs::remove_dir_all(&dir)?;

    println!("{} lines in {} files", lines.len(), names.len());
    let number = |line: &String| {
        line.strip_prefix("GET /")?
            .strip_suffix(" 200")?
            .parse()
            .ok()
    };
    let mut numbers: Vec<usize> = lines.iter().filter_map(number).collect();
    numbers.sort_unstable();
    let complete = numbers.into_iter().eq(0..LINES) && lines.len() == LINES + 1;
    if !complete || names.len() < 2 {
        return Err("lines are missing or torn, or the file was not rotated".into());
    }
    Ok(())
}
