//! Runnable programs that check their own output, in `examples/`.
