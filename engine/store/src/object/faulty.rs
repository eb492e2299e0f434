//! An object store that fails on command, for tests: the N-th call of a kind, before or after
//! it took effect. It counts and names every call, and tells a hook of each, so that a test can
//! stop the process at any step.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What is asked of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// An object is written, whatever stands there.
    Put,
    /// An object is written if there is none.
    Create,
    /// An object, a part of it or its size is read.
    Get,
    /// A folder is listed.
    List,
    /// An object is deleted.
    Delete,
    /// An object is copied.
    Copy,
}

impl Operation {
    /// Whether it changes what is stored.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Get | Self::List)
    }
}

/// When, with respect to the call's effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Nothing has happened yet: a request that was lost.
    Before,
    /// It has happened: a reply that was lost.
    After,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its place among all calls, from 1.
    pub number: usize,
    /// What was asked.
    pub operation: Operation,
    /// The object's or folder's path.
    pub path: String,
}

/// Which calls fail.
#[derive(Debug, Clone)]
pub struct Fault {
    operations: Vec<Operation>,
    path_prefix: String,
    skip: usize,
    times: usize,
    moment: Moment,
}

impl Fault {
    /// Every call of this operation fails at this moment, until narrowed.
    #[must_use]
    pub fn on(operation: Operation, moment: Moment) -> Self {
        Self {
            operations: vec![operation],
            path_prefix: String::new(),
            skip: 0,
            times: usize::MAX,
            moment,
        }
    }

    /// The n-th call that writes (from 1) fails at this moment.
    #[must_use]
    pub fn on_write(nth: usize, moment: Moment) -> Self {
        let operations =
            vec![Operation::Put, Operation::Create, Operation::Delete, Operation::Copy];
        Self { operations, ..Self::on(Operation::Put, moment) }.nth(nth)
    }

    /// Only for objects below this folder.
    #[must_use]
    pub fn below(mut self, folder: &str) -> Self {
        folder.clone_into(&mut self.path_prefix);
        self
    }

    /// Only the n-th of these calls, from 1.
    #[must_use]
    pub fn nth(mut self, nth: usize) -> Self {
        self.skip = nth.saturating_sub(1);
        self.times(1)
    }

    /// Only so many of these calls.
    #[must_use]
    pub const fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn strikes(&mut self, call: &Call, moment: Moment) -> bool {
        let meant = self.moment == moment
            && self.operations.contains(&call.operation)
            && call.path.starts_with(&self.path_prefix);
        if !meant || self.times == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

type Hook = Arc<dyn Fn(&Call, Moment) + Send + Sync>;

/// The store that fails on command.
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    faults: Vec<Fault>,
    hook: Option<Hook>,
}

impl FaultyStore {
    /// Stands before another store, and fails nothing yet.
    #[must_use]
    pub fn over(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { inner, state: Mutex::default() })
    }

    /// Adds a fault.
    pub fn fail(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Calls this before and after each call to the store; it may well end the process.
    pub fn on_call(&self, hook: impl Fn(&Call, Moment) + Send + Sync + 'static) {
        self.state().hook = Some(Arc::new(hook));
    }

    /// Every call so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, operation: Operation, path: &str) -> Call {
        let mut state = self.state();
        let call = Call { number: state.calls.len() + 1, operation, path: path.to_owned() };
        state.calls.push(call.clone());
        call
    }

    fn reach(&self, call: &Call, moment: Moment) -> Result<()> {
        let hook = self.state().hook.clone();
        if let Some(hook) = hook {
            hook(call, moment);
        }
        let struck = self.state().faults.iter_mut().any(|fault| fault.strikes(call, moment));
        if struck {
            let source = format!("injected fault {moment:?} call {}", call.number).into();
            return Err(Error::Generic { store: "faulty", source });
        }
        Ok(())
    }

    async fn through<T>(
        &self,
        operation: Operation,
        path: &str,
        effect: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let call = self.note(operation, path);
        self.reach(&call, Moment::Before)?;
        let done = effect.await?;
        self.reach(&call, Moment::After)?;
        Ok(done)
    }

    fn list_through(
        &self,
        prefix: Option<&Path>,
        listed: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let call = self.note(Operation::List, prefix.map_or("", |path| path.as_ref()));
        let failed = |error| stream::iter([Err(error)]).boxed();
        match self.reach(&call, Moment::Before).and_then(|()| self.reach(&call, Moment::After)) {
            Ok(()) => listed,
            Err(error) => failed(error),
        }
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FaultyStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "faulty {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let operation = match options.mode {
            PutMode::Create => Operation::Create,
            PutMode::Overwrite | PutMode::Update(_) => Operation::Put,
        };
        let effect = self.inner.put_opts(location, payload, options);
        self.through(operation, location.as_ref(), effect).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let effect = self.inner.put_multipart_opts(location, options);
        self.through(Operation::Put, location.as_ref(), effect).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let effect = self.inner.get_opts(location, options);
        self.through(Operation::Get, location.as_ref(), effect).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let effect = self.inner.get_ranges(location, ranges);
        self.through(Operation::Get, location.as_ref(), effect).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let call = self.note(Operation::Delete, "");
        match self.reach(&call, Moment::Before) {
            Ok(()) => self.inner.delete_stream(locations),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_through(prefix, self.inner.list(prefix).into_stream().boxed())
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_through(prefix, self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let effect = self.inner.list_with_delimiter(prefix);
        self.through(Operation::List, prefix.map_or("", |path| path.as_ref()), effect).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let effect = self.inner.copy_opts(from, to, options);
        self.through(Operation::Copy, to.as_ref(), effect).await
    }
}
