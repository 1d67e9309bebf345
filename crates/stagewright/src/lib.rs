//! Stages, cache and sizes of a Dockerfile, before it is built.
