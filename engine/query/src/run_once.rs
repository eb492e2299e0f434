//! What every partition of a plan needs and one run gives: whoever asks first begins it, all wait for
//! the same, and a failure is everybody's.
//!
//! It must never run twice: a plan that was begun cannot be begun again. So a failure is kept as an
//! answer is, and whoever goes away while it runs leaves it to those who wait.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use datafusion::error::{DataFusionError, Result as DataFusionResult};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

type Outcome<T> = Result<Arc<T>, Arc<DataFusionError>>;

/// See the module.
pub(crate) struct RunOnce<T>(OnceLock<Shared<BoxFuture<'static, Outcome<T>>>>);

impl<T> Default for RunOnce<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> fmt::Debug for RunOnce<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RunOnce(..)")
    }
}

impl<T: Send + Sync + 'static> RunOnce<T> {
    /// What the run gives; `run` makes it if nobody has asked before.
    ///
    /// # Errors
    /// What it failed with, to everybody who asks.
    pub(crate) async fn get<F>(&self, run: impl FnOnce() -> F) -> DataFusionResult<Arc<T>>
    where
        F: Future<Output = DataFusionResult<T>> + Send + 'static,
    {
        let begin = || run().map(|made| made.map(Arc::new).map_err(Arc::new)).boxed().shared();
        self.0.get_or_init(begin).clone().await.map_err(DataFusionError::Shared)
    }
}

#[cfg(test)]
#[path = "run_once_tests.rs"]
mod tests;
