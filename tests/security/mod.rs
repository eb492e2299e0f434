//! What must not leave does not leave, over a real socket, byte by byte.

mod alarms;
mod approvals;
mod canary;
mod classes;
mod doors;
mod duties;
mod emergencies;
mod explain_policy;
mod first_rows;
mod groups;
mod hostile;
mod identities;
mod indexes;
mod lookups;
mod masked;
mod remembered_rows;
mod sessions;
mod unshown;
