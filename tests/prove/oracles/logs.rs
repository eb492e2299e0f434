//! Everything that the program logs while it is asked.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Every event of Martlet's own, and warnings of everybody else.
const WANTED: &str = "warn,martlet_core=trace,martlet_policy=trace,martlet_store=trace,\
    martlet_index=trace,martlet_query=trace,martlet_ingest=trace,martlet_server=trace";

/// What was logged and not looked at yet.
#[derive(Debug, Clone, Default)]
pub struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    /// Begins to listen. Somebody who listens already keeps the logs for themselves.
    #[must_use]
    pub fn listen() -> Self {
        let logged = Self::default();
        let taken = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(WANTED))
            .with_ansi(false)
            .with_writer(logged.clone())
            .try_init();
        drop(taken);
        logged
    }

    /// What was logged since the last time.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
