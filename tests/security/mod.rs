//! What must not leave does not leave, over a real socket, byte by byte.

mod canary;
mod doors;
mod hostile;
mod indexes;
mod lookups;
mod unshown;
