//! The replay simulator: a made-up bank works for some weeks, some of its people do what they
//! must not, and the product's own alarms are asked who.
//!
//! A seed determines everything: who works where, what everybody asks each day, who the
//! insiders are, what they do and when. Records are made in the form in which the server makes
//! them and are given to the server's own watch in the order of their times; the clock is that
//! of the records. Nothing here knows a threshold of a rule.
//!
//! Reads like this: [`bank`] makes the people, [`work`] an honest day of each, [`scripts`] the
//! deeds, [`run`] brings them together, [`report`] counts.

pub mod act;
pub mod bank;
pub mod report;
pub mod run;
pub mod scripts;
pub mod work;
