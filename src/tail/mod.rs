//! (filled by the steps that follow)

pub mod beneath;
mod folder;
mod stat;
