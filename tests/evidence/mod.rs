//! Which of a bank's controls are shown by which tests, what the proof came to, and the page of it all.

pub mod controls;
pub mod page;
pub mod proof;
pub mod run;
