//! Harness and data that the three languages share.
