//! Benches and the side-by-side runs against peers; see `benches/`.
