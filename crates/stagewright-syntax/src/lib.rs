//! Dockerfile text and typed instructions.
