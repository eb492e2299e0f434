//! Minimum group sizes: what is answered, what is not, and that no combination of answers speaks of
//! few persons.

mod bank;
mod differences;
mod random;
mod refused;
mod told;
