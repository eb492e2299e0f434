//! Measures questions with and without indexes, on snapshots that differ in nothing else.
//!
//! All indexes that are to be compared are built once; a variant of the mart is a snapshot whose
//! descriptors tell of some of them only, which costs a few bytes and no index. Both variants are
//! asked in turn, so that what else the machine does weighs on both.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use martlet_core::ErrorKind;
use martlet_index::Descriptor;
use martlet_query::{Engine, Mart};
use martlet_store::{Commit, CommitOutcome, Snapshot, Store, TableVersion};

use super::candidates::Place;
use super::workload::Question;
use crate::command::exit::Failure;

/// The bench on which variants are compared.
pub(super) struct Bench {
    store: Store,
    engine: Engine,
    /// The snapshot that has every index.
    full: Snapshot,
    runs: usize,
}

/// What asking questions cost on two variants, weighted by how often they were asked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Compared {
    pub(super) one: Duration,
    pub(super) other: Duration,
}

impl Bench {
    pub(super) const fn new(store: Store, engine: Engine, full: Snapshot, runs: usize) -> Self {
        Self { store, engine, full, runs }
    }

    /// The mart as if these indexes were not there.
    pub(super) async fn without(&self, hidden: &BTreeSet<Place>) -> Result<Arc<Mart>, Failure> {
        let latest = self.store.latest().await?;
        let mut commit = self.store.begin(&latest);
        for table in self.full.tables().values() {
            hide(&mut commit, table, hidden)?;
        }
        match commit.publish().await? {
            CommitOutcome::Committed(snapshot) => {
                Ok(self.engine.mart_at(snapshot.number()).await?)
            }
            CommitOutcome::Conflicted(_) => {
                Err(Failure::new(ErrorKind::Bug, "somebody else writes the advisor's copy"))
            }
        }
    }

    /// Asks every question on both variants. Answers have to have the same number of rows: an
    /// index that changes an answer is no advice but a bug.
    pub(super) async fn compare(
        &self,
        questions: &[&Question],
        one: &Arc<Mart>,
        other: &Arc<Mart>,
    ) -> Result<Compared, Failure> {
        let mut sum = Compared::default();
        for question in questions {
            let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
            // The first round warms what can be warm, and is not counted.
            for round in 0..=self.runs {
                let (time, rows) = self.timed(question, one).await?;
                let (other_time, other_rows) = self.timed(question, other).await?;
                if rows != other_rows {
                    return Err(Failure::new(
                        ErrorKind::Bug,
                        format!("an index changed the number of rows of: {}", question.asked.form),
                    ));
                }
                if round > 0 {
                    of_one.push(time);
                    of_other.push(other_time);
                }
            }
            let times = u32::try_from(question.asked.times).unwrap_or(u32::MAX);
            sum.one += median(of_one).saturating_mul(times);
            sum.other += median(of_other).saturating_mul(times);
        }
        Ok(sum)
    }

    async fn timed(
        &self,
        question: &Question,
        mart: &Arc<Mart>,
    ) -> Result<(Duration, u64), Failure> {
        let start = Instant::now();
        let rows = question.ask(&self.engine, mart).await?;
        Ok((start.elapsed(), rows))
    }
}

fn hide(
    commit: &mut Commit,
    table: &TableVersion,
    hidden: &BTreeSet<Place>,
) -> Result<(), Failure> {
    let name = table.schema().name();
    for segment in table.segments() {
        let mut attachments = Vec::with_capacity(segment.attachments().len());
        for attachment in segment.attachments() {
            let descriptor = Descriptor::decode(attachment.descriptor())?.hiding(|section| {
                let (column, kind) = (section.column, section.kind);
                hidden.contains(&Place { table: name.clone(), column, kind })
            });
            attachments.push(attachment.described_as(descriptor.encode()));
        }
        commit.replace_attachments(name, segment.id(), attachments)?;
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        let millis = |list: &[u64]| list.iter().map(|ms| Duration::from_millis(*ms)).collect();
        assert_eq!(median(millis(&[9, 1, 5])), Duration::from_millis(5));
        assert_eq!(median(Vec::new()), Duration::ZERO);
    }
}
