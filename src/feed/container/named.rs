//! A file, with the member to read if it is an archive.

use std::path::Path;

use crate::feed::layout::Compression;
use crate::feed::pattern::MemberPattern;

/// A file, with the member to read if it is an archive.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The path in messages.
    pub shown: &'a Path,
    /// The path of the bytes.
    pub on_disk: &'a Path,
    /// The packing.
    pub compression: Compression,
    /// The member to read.
    pub member: Member<'a>,
}

/// The member of an archive to read.
#[derive(Clone, Copy, Debug)]
pub enum Member<'a> {
    /// The only member.
    Only,
    /// The only member that matches this pattern.
    Like(&'a MemberPattern),
    /// The member of this name.
    Called(&'a str),
}

impl<'a> Named<'a> {
    /// A file outside of any feed: any packing, only one member.
    #[must_use]
    pub fn path(path: &'a Path) -> Self {
        let (compression, member) = (Compression::Auto, Member::Only);
        Self { shown: path, on_disk: path, compression, member }
    }
}
