//! martlet-ingest
