//! martlet-proto
