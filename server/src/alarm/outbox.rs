//! The alarms' own file, and how far each receiver has read it.
//!
//! Every alarm is a line of `alarms.jsonl`, only ever appended to. A receiver has a cursor, the
//! bytes that it took; it moves on when a line was taken and stays where it was not, so an
//! alarm that cannot be sent is tried again until it is, also after a restart.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify as Bell;

use super::curbs::replace;
use super::syslog;
use super::webhook;

const FILE: &str = "alarms.jsonl";
/// The first pause after a failure, and the longest.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How often the file is looked at where nobody rings.
const LOOK: Duration = Duration::from_secs(10);

/// The alarms' file.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    folder: PathBuf,
    bell: Arc<Bell>,
}

/// Whoever is told.
#[derive(Debug)]
pub(crate) enum Receiver {
    Webhook(webhook::Webhook),
    Syslog(syslog::Target),
}

impl Receiver {
    const fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Syslog(_) => "syslog",
        }
    }

    async fn take(&self, line: &str, alarm: &Value) -> Result<(), String> {
        match self {
            Self::Webhook(webhook) => webhook.post(line).await,
            Self::Syslog(target) => target.send(alarm).await,
        }
    }
}

impl Outbox {
    pub(crate) fn open(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), bell: Arc::new(Bell::new()) }
    }

    /// Appends an alarm and flushes it.
    pub(crate) fn append(&self, alarm: &Value) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).append(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(self.folder.join(FILE))?;
        // What a crash tore off must not take the next alarm with it.
        let torn = if ends_whole(&mut file)? { "" } else { "\n" };
        file.write_all(format!("{torn}{alarm}\n").as_bytes())?;
        file.sync_all()?;
        self.bell.notify_waiters();
        Ok(())
    }

    /// Tells a receiver all that it was not told, for ever.
    pub(crate) async fn tell(self, receiver: Receiver) {
        let mut pause = RETRY_MIN;
        loop {
            // Asked for before the file is read, so that nothing comes in between unheard.
            let rung = self.bell.notified();
            match self.tell_rest(&receiver).await {
                Ok(()) => {
                    pause = RETRY_MIN;
                    let _ = tokio::time::timeout(LOOK, rung).await;
                }
                Err(error) => {
                    let to = receiver.name();
                    tracing::error!(to, %error, "an alarm could not be sent; it is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
        }
    }

    async fn tell_rest(&self, receiver: &Receiver) -> Result<(), String> {
        let failed = |error: io::Error| error.to_string();
        let cursor = self.folder.join(receiver.name()).with_extension("cursor");
        let told = read_cursor(&cursor).map_err(failed)?;
        // A file that was begun anew is told anew.
        let mut told = if told > self.bytes() { 0 } else { told };
        loop {
            let Some(line) = self.line_at(told).map_err(failed)? else { return Ok(()) };
            // A line that a crash tore is none; the next one begins behind it.
            if let Ok(alarm) = serde_json::from_str::<Value>(&line)
                && is_to_be_sent(&alarm)
            {
                receiver.take(line.trim_end(), &alarm).await?;
            }
            told += line.len() as u64;
            replace(&cursor, told.to_string().as_bytes()).map_err(failed)?;
        }
    }

    fn bytes(&self) -> u64 {
        fs::metadata(self.folder.join(FILE)).map_or(0, |meta| meta.len())
    }

    /// The whole line that begins there.
    fn line_at(&self, at: u64) -> io::Result<Option<String>> {
        let mut file = match File::open(self.folder.join(FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = Vec::new();
        BufReader::new(file).read_until(b'\n', &mut bytes)?;
        if bytes.last() != Some(&b'\n') {
            return Ok(None);
        }
        // Ours are UTF-8; whatever is not is none of ours, and as long as it is.
        Ok(Some(
            String::from_utf8(bytes).unwrap_or_else(|error| " ".repeat(error.as_bytes().len())),
        ))
    }
}

fn ends_whole(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

fn is_to_be_sent(alarm: &Value) -> bool {
    let deeds = alarm.get("actions").and_then(Value::as_array);
    deeds.is_some_and(|deeds| deeds.iter().any(|deed| deed == "notified"))
}

fn read_cursor(path: &Path) -> io::Result<u64> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.trim().parse().unwrap_or(0)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// The newest alarms of a folder, oldest first, as they were written.
///
/// # Errors
/// What the operating system says.
pub fn newest(folder: &Path, limit: usize) -> io::Result<Vec<String>> {
    match fs::read_to_string(folder.join(FILE)) {
        Ok(text) => {
            let lines: Vec<&str> = text.lines().collect();
            let from = lines.len().saturating_sub(limit);
            Ok(lines[from..].iter().map(ToString::to_string).collect())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
