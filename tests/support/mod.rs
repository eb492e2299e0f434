//! What several tests need: a mart made of text files, a running server, stock clients.

pub(crate) mod client;
pub(crate) mod mart;
pub(crate) mod sniff;

pub(crate) use client::Client;
pub(crate) use mart::{Bundle, TestMart};
