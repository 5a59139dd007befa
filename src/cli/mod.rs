//! (filled by the steps that follow)

pub mod produce;
