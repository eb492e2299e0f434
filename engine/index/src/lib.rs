//! martlet-index
