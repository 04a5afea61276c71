//! A file, and which of its members is meant if it is an archive.

use std::path::Path;

use crate::feed::layout::Compression;
use crate::feed::pattern::MemberPattern;

/// A file, and which of its members is meant if it is an archive.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// What messages call it.
    pub shown: &'a Path,
    /// Where its bytes are.
    pub on_disk: &'a Path,
    /// How it is packed.
    pub compression: Compression,
    /// Which member is meant.
    pub member: Member<'a>,
}

/// Which member of an archive is meant.
#[derive(Clone, Copy, Debug)]
pub enum Member<'a> {
    /// The only one.
    Only,
    /// The only one that is called like this.
    Like(&'a MemberPattern),
    /// The one of this name.
    Called(&'a str),
}

impl<'a> Named<'a> {
    /// A file by itself.
    #[must_use]
    pub fn path(path: &'a Path) -> Self {
        let (compression, member) = (Compression::Auto, Member::Only);
        Self { shown: path, on_disk: path, compression, member }
    }
}
