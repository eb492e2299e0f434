//! martlet-policy
