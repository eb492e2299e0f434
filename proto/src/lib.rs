//! Every byte layout that leaves the process: on disk and on the wire, as protobuf messages.
//!
//! The messages are generated from `schema/` and carry no meaning of their own: whoever owns a
//! layout converts it by hand, checks it, and hands on a type that carries the proof. Fields
//! are only ever added, with a new number; a number that was used is never used again. A
//! change that an older reader would misread raises the format version of its container.

/// What the store writes: snapshots and the parts of tables.
#[allow(missing_docs, reason = "generated; the documentation stands in the schema")]
pub mod store {
    include!(concat!(env!("OUT_DIR"), "/martlet.store.v1.rs"));
}

/// What the index writes beside a segment, and how a table part describes it.
#[allow(missing_docs, reason = "generated; the documentation stands in the schema")]
pub mod index {
    include!(concat!(env!("OUT_DIR"), "/martlet.index.v1.rs"));
}

/// What the server hands to a client and gets back: tickets and statement handles.
#[allow(missing_docs, reason = "generated; the documentation stands in the schema")]
pub mod flight {
    include!(concat!(env!("OUT_DIR"), "/martlet.flight.v1.rs"));
}
