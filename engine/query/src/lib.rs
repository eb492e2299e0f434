//! martlet-query
