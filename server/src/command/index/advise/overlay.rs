//! A mart to try indexes on: links to every object of the real one, in a folder of its own.
//!
//! What is written goes to the folder alone, which vanishes with this value; the real mart is
//! only read. Linked files are the same bytes on the same disk, so what is measured here is what
//! would be measured there. In the copy the asked-for people have a password drawn at random,
//! because nobody becomes a principal without signing in, not even an advisor.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use martlet_core::ErrorKind;
use martlet_policy::{PasswordCost, Principal, TokenKeys, hash_password};
use martlet_query::{Engine, EngineOptions, SystemRecords};
use martlet_store::{CommitOutcome, Store};
use tempfile::TempDir;

use crate::command::exit::Failure;
use crate::command::mart;
use crate::command::serve::draw_key;

/// The copy; it is removed when this is dropped.
pub(super) struct Overlay {
    pub(super) store: Store,
    password: String,
    _folder: TempDir,
}

impl Overlay {
    /// Links every object of a mart that lies in a folder.
    pub(super) fn over(mart: &str) -> Result<Self, Failure> {
        let folder = mart::folder_of(mart).ok_or_else(|| {
            Failure::invalid(format!("`{mart}` does not lie in a local folder"))
                .advise("advise on a copy of the mart in a folder")
        })?;
        let real = std::fs::canonicalize(&folder)
            .map_err(|error| Failure::file("reading the mart's folder", &folder, &error))?;
        let beside = real.parent().unwrap_or(&real);
        let copy = tempfile::Builder::new()
            .prefix("martlet-advice-")
            .tempdir_in(beside)
            .map_err(|error| Failure::file("making a folder beside the mart in", beside, &error))?;
        link_all(&real, copy.path())
            .map_err(|error| Failure::file("linking the mart's objects in", &real, &error))?;
        let store = Store::open(&copy.path().to_string_lossy())?;
        let password: String = draw_key()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { store, password, _folder: copy })
    }

    /// Gives these people the copy's password.
    pub(super) async fn admit(&self, names: &BTreeSet<&str>) -> Result<(), Failure> {
        let latest = self.store.latest().await?;
        let Some(principals) = latest.principals() else {
            return Err(Failure::new(ErrorKind::NotFound, "the mart has no principals")
                .advise("martlet policy apply --principals gives it some"));
        };
        let feed = self.store.read(principals).await?;
        let mut salt = [0; 16];
        salt.copy_from_slice(&draw_key()?[..16]);
        let hash = hash_password(&self.password, salt, PasswordCost::Test);
        let feed = with_password(&feed, names, &hash).ok_or_else(|| {
            Failure::new(ErrorKind::Damaged, "the mart's principals cannot be read")
        })?;
        let mut commit = self.store.begin(&latest);
        commit.set_principals(feed.into());
        match commit.publish().await? {
            CommitOutcome::Committed(_) => Ok(()),
            CommitOutcome::Conflicted(_) => {
                Err(Failure::new(ErrorKind::Bug, "somebody else writes the advisor's copy"))
            }
        }
    }

    /// An engine over the copy as it is now.
    pub(super) async fn engine(&self) -> Result<Engine, Failure> {
        let keys = TokenKeys::from_master(&draw_key()?);
        let options = EngineOptions::default();
        Ok(Engine::open(self.store.clone(), options, Arc::new(NoRecords), keys).await?)
    }

    /// One of the admitted people, if the mart still knows them.
    pub(super) fn principal(&self, engine: &Engine, name: &str) -> Option<Principal> {
        let mart = engine.mart();
        let signed_in = mart.directory().sign_in(name, &self.password).ok()?;
        mart.directory().principal(&signed_in)
    }
}

/// The advisor looks at no audit record.
#[derive(Debug)]
struct NoRecords;

impl SystemRecords for NoRecords {
    fn audit_records(&self, _limit: usize) -> Result<RecordBatch, String> {
        Ok(RecordBatch::new_empty(martlet_query::system::audit_record_schema()))
    }
}

/// Links every file below `from` to the same place below `to`. Objects never change, so a link
/// is as good as a copy.
fn link_all(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir(&target)?;
            link_all(&entry.path(), &target)?;
        } else {
            match std::fs::hard_link(entry.path(), &target) {
                // A retired object or a writer's working file may go at any moment.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                linked => linked?,
            }
        }
    }
    Ok(())
}

/// The feed of principals with another password for some; `None` if it is no such feed.
fn with_password(feed: &[u8], names: &BTreeSet<&str>, hash: &str) -> Option<Vec<u8>> {
    let mut reader = csv::Reader::from_reader(feed);
    let headers = reader.headers().ok()?.clone();
    let position = |wanted: &str| headers.iter().position(|header| header.trim() == wanted);
    let (name_at, password_at) = (position("name")?, position("password")?);
    // The advisor has no second factor of theirs.
    let totp_at = position("totp");
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headers).ok()?;
    for record in reader.records() {
        let record = record.ok()?;
        let is_wanted = record.get(name_at).is_some_and(|name| names.contains(name.trim()));
        let fields = record.iter().enumerate();
        let changed = fields.map(|(at, field)| match is_wanted {
            true if at == password_at => hash,
            true if Some(at) == totp_at => "",
            _ => field,
        });
        writer.write_record(changed).ok()?;
    }
    writer.into_inner().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_are_named_get_the_password() {
        let feed = b"name,roles,node,password\nann,a;b,n,\"$x,y$\"\nbob,a,n,\n";
        let changed = with_password(feed, &BTreeSet::from(["bob"]), "$h,1$").unwrap();
        let expected = "name,roles,node,password\nann,a;b,n,\"$x,y$\"\nbob,a,n,\"$h,1$\"\n";
        assert_eq!(String::from_utf8(changed).unwrap(), expected);
        let feed = b"name,totp,password\nann,SECRET,x\nbob,SECRET,y\n";
        let changed = with_password(feed, &BTreeSet::from(["bob"]), "h").unwrap();
        assert_eq!(changed, b"name,totp,password\nann,SECRET,x\nbob,,h\n");
        assert_eq!(with_password(b"nothing\n", &BTreeSet::new(), ""), None);
    }

    #[test]
    fn what_is_written_to_the_copy_stays_out_of_the_mart() {
        let folder = tempfile::tempdir().unwrap();
        let mart = folder.path().join("mart");
        std::fs::create_dir_all(mart.join("a/b")).unwrap();
        std::fs::write(mart.join("a/b/object"), "bytes").unwrap();
        let overlay = Overlay::over(mart.to_str().unwrap()).unwrap();
        let copy = overlay._folder.path().to_owned();
        assert_eq!(std::fs::read(copy.join("a/b/object")).unwrap(), b"bytes");
        std::fs::write(copy.join("a/b/other"), "new").unwrap();
        drop(overlay);
        assert!(!copy.exists());
        assert_eq!(std::fs::read_dir(mart.join("a/b")).unwrap().count(), 1);
    }
}
