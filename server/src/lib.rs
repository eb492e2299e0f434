//! martlet-server
