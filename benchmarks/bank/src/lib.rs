//! martlet-bank
