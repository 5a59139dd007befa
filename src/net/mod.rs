//! (filled by the steps that follow)
