//! The `trustrig` program.

fn main() {}
