//! The tasks that watch over a server while it answers.
//!
//! Owns noticing that one of them has ended, which none does of itself: a server whose rules,
//! sessions or alarms nobody looks after any more must not go on as if they were.

use std::collections::HashMap;
use std::future::Future;

use tokio::task::{Id, JoinSet};

/// Tasks that run as long as the server does; they end when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Guards {
    /// Begins a task, by a name for the log.
    pub(crate) fn post(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Waits until one of them has ended, and gives its name.
    pub(crate) async fn broken(&mut self) -> &'static str {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(broken)) => broken.id(),
            None => std::future::pending().await,
        };
        self.names.get(&id).copied().unwrap_or("a task")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whichever_ends_is_noticed_however_it_ends() {
        let mut guards = Guards::default();
        guards.post("one that stays", std::future::pending());
        guards.post("one that returns", async {});
        assert_eq!(guards.broken().await, "one that returns");
        guards.post("one that panics", async { panic!("as a bug would") });
        assert_eq!(guards.broken().await, "one that panics");
    }
}
