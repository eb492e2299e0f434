//! Sorted runs to one sorted sequence of rows.
//!
//! Owns the merge: a heap of runs by the key of their next row. It moves no row: it tells of
//! each segment which slices of which blocks it is made of. Rows of one run that stand together
//! in the result are found by searching, not one by one. Holds one block of every run, and
//! those that a segment being told points into.

use std::cmp::Ordering;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};

use super::Run;
use super::order::{Keys, Order};
use super::packed::{Slice, Unpacking, origins};
use super::scratch::{Place, Scratch};
use crate::error::IngestError;

/// Rows of a run that are looked at together: few, because every run has a block in memory.
pub(super) const BLOCK_ROWS: usize = 2 * 1024;

/// Runs that are being merged.
pub(super) struct Merge {
    blocks: Blocks,
    heads: Vec<Head>,
    /// A binary heap of positions in `heads`, the least key first.
    heap: Vec<usize>,
    dropped: HashSet<u64>,
    /// Segments told so far.
    told: u64,
}

impl std::fmt::Debug for Merge {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Merge").field("runs", &self.heads.len()).finish_non_exhaustive()
    }
}

/// How blocks are got at.
struct Blocks {
    order: Order,
    unpacking: Arc<Unpacking>,
    scratch: Scratch,
}

/// What of a run was not yet looked at.
enum Rest {
    Held(RecordBatch),
    Spilled(VecDeque<Place>),
}

/// A block of a run and its next row.
struct Head {
    rest: Rest,
    block: RecordBatch,
    keys: Keys,
    row: usize,
    /// The segment that points into the block, and the block's place among its batches.
    pointed: Option<(u64, usize)>,
}

impl Blocks {
    fn next(&self, rest: &mut Rest) -> Result<Option<(RecordBatch, Keys)>, IngestError> {
        let block = match rest {
            Rest::Held(rows) if rows.num_rows() == 0 => return Ok(None),
            Rest::Held(rows) => {
                let length = rows.num_rows().min(BLOCK_ROWS);
                let block = rows.slice(0, length);
                *rows = rows.slice(length, rows.num_rows() - length);
                block
            }
            Rest::Spilled(places) => match places.pop_front() {
                Some(place) => self.scratch.read(place)?,
                None => return Ok(None),
            },
        };
        let all = [Slice { batch: 0, start: 0, rows: block.num_rows() }];
        let key: Vec<ArrayRef> = self
            .order
            .columns()
            .iter()
            .map(|at| self.unpacking.column(*at, std::slice::from_ref(&block), &all))
            .collect::<Result<_, _>>()?;
        let keys = self.order.keys(&key)?;
        Ok(Some((block, keys)))
    }
}

impl Head {
    fn open(blocks: &Blocks, run: Run) -> Result<Option<Self>, IngestError> {
        let mut rest = match run {
            Run::Held(rows) => Rest::Held(rows),
            Run::Spilled(places) => Rest::Spilled(places.into()),
        };
        let first = blocks.next(&mut rest)?;
        Ok(first.map(|(block, keys)| Self { rest, block, keys, row: 0, pointed: None }))
    }

    fn cmp_at(&self, row: usize, other: &Self) -> Ordering {
        self.keys
            .of(row)
            .cmp(other.keys.of(other.row))
            .then_with(|| origins(&self.block)[row].cmp(&origins(&other.block)[other.row]))
    }

    /// The end of the rows that come before the other run's next one, at most `most` of them.
    /// The first of them does, as the heap knows.
    fn lead_over(&self, other: Option<&Self>, most: usize) -> usize {
        let end = self.block.num_rows().min(self.row + most);
        let Some(other) = other else { return end };
        let leads = |row: usize| self.cmp_at(row, other).is_lt();
        let mut step = 1;
        let mut known = self.row;
        while known + step < end && leads(known + step) {
            known += step;
            step *= 2;
        }
        let (mut low, mut high) = (known + 1, end.min(known + step));
        while low < high {
            let middle = low.midpoint(high);
            if leads(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Goes on to a row; false behind the last.
    fn advance(&mut self, to: usize, blocks: &Blocks) -> Result<bool, IngestError> {
        self.row = to;
        if to < self.block.num_rows() {
            return Ok(true);
        }
        let Some((block, keys)) = blocks.next(&mut self.rest)? else { return Ok(false) };
        (self.block, self.keys, self.row, self.pointed) = (block, keys, 0, None);
        Ok(true)
    }
}

impl Merge {
    pub(super) fn open(
        order: Order,
        unpacking: Arc<Unpacking>,
        runs: Vec<Run>,
        scratch: Scratch,
        dropped: HashSet<u64>,
    ) -> Result<Self, IngestError> {
        let blocks = Blocks { order, unpacking, scratch };
        let mut heads = Vec::with_capacity(runs.len());
        for run in runs {
            heads.extend(Head::open(&blocks, run)?);
        }
        let heap: Vec<usize> = (0..heads.len()).collect();
        let mut merge = Self { blocks, heads, heap, dropped, told: 0 };
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sift_down(at);
        }
        Ok(merge)
    }

    /// Where the next rows are, at most so many; `None` behind the last.
    pub(super) fn next(&mut self, rows: usize) -> Result<Option<Told>, IngestError> {
        let mut telling = Told { batches: Vec::new(), slices: Vec::new(), rows: 0 };
        while telling.rows < rows {
            let Some(&least) = self.heap.first() else { break };
            let end = self.heads[least].lead_over(self.second(), rows - telling.rows);
            telling.add(&mut self.heads[least], end, self.told, &self.dropped);
            if !self.heads[least].advance(end, &self.blocks)? {
                self.heap.swap_remove(0);
            }
            self.sift_down(0);
        }
        self.told += 1;
        Ok((telling.rows > 0).then_some(telling))
    }

    /// The run that comes next behind the first.
    fn second(&self) -> Option<&Head> {
        let at = match self.heap.len() {
            0 | 1 => return None,
            2 => 1,
            _ if self.is_less(2, 1) => 2,
            _ => 1,
        };
        Some(&self.heads[self.heap[at]])
    }

    fn sift_down(&mut self, mut at: usize) {
        loop {
            let least = [2 * at + 1, 2 * at + 2]
                .into_iter()
                .filter(|child| *child < self.heap.len())
                .fold(at, |least, child| if self.is_less(child, least) { child } else { least });
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    fn is_less(&self, left: usize, right: usize) -> bool {
        let right = &self.heads[self.heap[right]];
        let left = &self.heads[self.heap[left]];
        left.cmp_at(left.row, right).is_lt()
    }
}

/// Where the rows of a segment are, and in which order.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) batches: Vec<RecordBatch>,
    pub(super) slices: Vec<Slice>,
    rows: usize,
}

impl Told {
    /// Adds the rows of a head up to `end`, without the dropped ones.
    fn add(&mut self, head: &mut Head, end: usize, segment: u64, dropped: &HashSet<u64>) {
        let batch = match head.pointed {
            Some((told, batch)) if told == segment => batch,
            _ => {
                self.batches.push(head.block.clone());
                self.batches.len() - 1
            }
        };
        head.pointed = Some((segment, batch));
        if dropped.is_empty() {
            self.push(batch, head.row, end);
            return;
        }
        let origins = origins(&head.block);
        for row in (head.row..end).filter(|row| !dropped.contains(&origins[*row])) {
            self.push(batch, row, row + 1);
        }
    }

    fn push(&mut self, batch: usize, start: usize, end: usize) {
        self.rows += end - start;
        match self.slices.last_mut() {
            Some(last) if last.batch == batch && last.start + last.rows == start => {
                last.rows += end - start;
            }
            _ => self.slices.push(Slice { batch, start, rows: end - start }),
        }
    }
}
