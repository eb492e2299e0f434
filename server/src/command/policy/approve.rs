//! `martlet policy officer-key` and `approve`: an officer's key, and their word for a change.
//!
//! Owns the key's file: made for its owner alone, and never used if others may read it. Must
//! never print, log or copy the key. What is approved was checked against the mart's tables and
//! shown as a difference to the rules in force.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::Args;
use martlet_core::ErrorKind;
use martlet_policy::{Approval, BundleText, Occasion, OfficerSecret, Officers, Step, StoredBundle};

use super::apply::print_diff;
use super::in_force::current;
use super::{EXAMPLES, checked, note_hidden, schemas, shown};
use crate::command::exit::Failure;
use crate::command::mart::{self, Expected};
use crate::command::serve::draw_key;
use crate::command::terminal::{harmless, say};

/// An approval's file has some five hundred bytes; one that is larger by far is another file.
const APPROVAL_BYTES_MAX: u64 = 64 * 1024;

/// The options of `martlet policy officer-key`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeyArguments {
    /// The private key's file; made if it is not there
    file: PathBuf,
}

/// The options of `martlet policy approve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The bundle's folder
    bundle: PathBuf,
    /// The mart whose rules in force it is to follow
    #[arg(long, value_name = "DIR|URL")]
    mart: String,
    /// The officer's name, as the rules in force have it
    #[arg(long = "as", value_name = "NAME")]
    officer: String,
    /// The officer's private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the approval goes; default: the officer's name and the bundle's digest
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Prints the public key, of a new private key where there is no file.
pub(super) fn officer_key(arguments: &KeyArguments) -> Result<(), Failure> {
    let secret = if arguments.file.exists() {
        read_secret(&arguments.file)?
    } else {
        make_secret(&arguments.file)?
    };
    say!("{}", secret.public());
    Ok(())
}

pub(super) async fn approve(arguments: &Arguments) -> Result<(), Failure> {
    let text = BundleText::read_dir(&arguments.bundle)?;
    let store = mart::open(&arguments.mart, Expected::Existing)?;
    let snapshot = mart::latest(&store).await?;
    let bundle = checked(Occasion::Change, &text, &snapshot)?;
    let Some(in_force) = current(&store, &snapshot).await?.rules else {
        return Err(Failure::invalid("no rules are in force: the first need no approval")
            .advise("put them into force with `martlet policy apply`"));
    };
    if *in_force.text() == text {
        return Err(Failure::invalid("this very bundle is in force already")
            .advise("check the bundle's folder"));
    }
    let officers = Officers::of(in_force.text()).map_err(|_| {
        Failure::new(ErrorKind::Damaged, "the officers of the rules in force cannot be read")
    })?;
    let secret = officers_secret(&officers, &arguments.officer, &arguments.key)?;
    print_diff(Some(in_force.text()), &text);
    note_hidden(&bundle, &schemas(&snapshot));
    let step = Step { bundle: text.digest(), base: in_force.edition() };
    let approval = Approval::sign(&arguments.officer, &secret, step, Utc::now().timestamp())?;
    let file = arguments.out.clone().unwrap_or_else(|| default_file(&arguments.officer, &text));
    write_new(&file, &approval.to_string(), 0o644)
        .map_err(|error| Failure::file("writing the approval", &file, &error))?;
    say!("`{}` approves version {}.", harmless(&arguments.officer), shown(bundle.version()));
    say!("Written to {}; {}", file.display(), how_many(&officers, &in_force));
    Ok(())
}

/// The private key of an officer of the rules in force.
pub(crate) fn officers_secret(
    officers: &Officers,
    name: &str,
    file: &Path,
) -> Result<OfficerSecret, Failure> {
    let denied = |what: String| {
        let names: Vec<&str> = officers.iter().map(|officer| officer.name.as_str()).collect();
        let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        Failure::new(ErrorKind::Denied, what)
            .advise(format!("the officers in force are: {}", harmless(&names)))
    };
    let officer = officers.named(name).ok_or_else(|| {
        denied(format!("the rules in force name no officer `{}`", harmless(name)))
    })?;
    let secret = read_secret(file)?;
    if secret.public() != officer.key {
        return Err(denied(format!(
            "the key in `{}` is not that of the officer `{}`",
            file.display(),
            harmless(name)
        )));
    }
    Ok(secret)
}

fn how_many(officers: &Officers, in_force: &StoredBundle) -> String {
    let edition = in_force.edition().to_string();
    let short = edition.get(..12).unwrap_or(&edition);
    match officers.needed() {
        0 => format!("the rules in force ({short}) need no approval."),
        1 => format!("the rules in force ({short}) need this one approval."),
        needed => format!("the rules in force ({short}) need {needed} of different officers."),
    }
}

/// `ann-5f0c1a2b3c4d.approval`, in the working folder.
fn default_file(officer: &str, text: &BundleText) -> PathBuf {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let name: String = officer.chars().map(plain).collect();
    let digest: String = text.digest().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    PathBuf::from(format!("{name}-{digest}.approval"))
}

/// Reads an approval's file; whether it counts is judged with the change.
pub(super) fn read_approval(file: &Path) -> Result<Approval, Failure> {
    let text = read_small(file, "approval")?;
    Approval::parse(&text)
        .map_err(|error| Failure::from(error).during(format!("reading `{}`", file.display())))
}

/// Reads a file of a few lines.
pub(crate) fn read_small(file: &Path, what: &str) -> Result<String, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::file(&format!("reading the {what}"), file, &error);
    let bytes = std::fs::metadata(file).map_err(unreadable)?.len();
    if bytes > APPROVAL_BYTES_MAX {
        let is_none = format!("`{}` is no {what}: it is too large", file.display());
        return Err(Failure::invalid(is_none));
    }
    std::fs::read_to_string(file).map_err(unreadable)
}

fn make_secret(file: &Path) -> Result<OfficerSecret, Failure> {
    let bytes = draw_key()?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    write_new(file, &format!("{digits}\n"), 0o600)
        .map_err(|error| Failure::file("making the key", file, &error))?;
    Ok(OfficerSecret::from_bytes(&bytes))
}

fn read_secret(file: &Path) -> Result<OfficerSecret, Failure> {
    let unreadable = |error: std::io::Error| Failure::file("reading the key", file, &error);
    if std::fs::metadata(file).map_err(unreadable)?.mode() & 0o077 != 0 {
        return Err(Failure::new(
            ErrorKind::Denied,
            format!("others than its owner may read the key in `{}`", file.display()),
        )
        .advise(
            "make a new key: this one may be known; then chmod 600 it, and name it in the bundle",
        ));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let secret = OfficerSecret::parse(text.trim());
    secret.ok_or_else(|| {
        Failure::invalid(format!(
            "`{}` holds no key of 64 lower-case hexadecimal digits",
            file.display()
        ))
    })
}

/// Made new: never written over, never readable by more in between.
pub(crate) fn write_new(file: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

#[cfg(test)]
#[path = "approve_tests.rs"]
mod tests;
