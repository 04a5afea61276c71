//! The members of a zip archive: selects the feed's files among them.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::measured::{Measured, refusal};
use super::named::{Member, Named};
use crate::domain::types::Period;
use crate::feed::pattern::{MemberPattern, NameMatch};
use crate::feed::refused::Refused;
use crate::files;

/// The largest number of members of an archive; each costs memory before any is read.
const MEMBERS_MAX: usize = 100_000;

/// The members of an archive whose names match a pattern with a month; empty if the file is not a
/// readable archive. Reading such a file reports the problem.
#[must_use]
pub fn dated_members(path: &Path, pattern: &MemberPattern) -> Vec<(Period, String)> {
    let archive = files::open(path).ok().and_then(|file| ZipArchive::new(file).ok());
    let names = archive.and_then(|mut archive| candidates(&mut archive).ok()).unwrap_or_default();
    let dated = |(_, name): (usize, String)| match pattern.month_of(base_name(&name)) {
        NameMatch::Period(period) => Some((period, name)),
        NameMatch::No | NameMatch::NotAPeriod => None,
    };
    names.into_iter().filter_map(dated).collect()
}

/// The member with the sheets of a workbook; `None` if a zip archive is not a workbook. Leaves the
/// file at its start.
pub fn workbook(file: &mut File) -> Option<&'static str> {
    let archive = ZipArchive::new(&mut *file).ok();
    let has = |name: &str| archive.as_ref().is_some_and(|it| it.index_for_name(name).is_some());
    let of_excel = ["xl/workbook.xml", "xl/workbook.bin"].into_iter().find(|name| has(name));
    let is_open_document = has("mimetype") && has("content.xml");
    let workbook = of_excel.or(is_open_document.then_some("content.xml"));
    file.rewind().ok()?;
    workbook
}

/// Unpacks the members of a workbook once: its readers can then trust their sizes.
///
/// # Errors
/// [`Refused::TooLarge`], [`Refused::Bomb`], [`Refused::Zip`], [`Refused::Read`]
pub fn check_sizes(shown: &Path, file: &mut File, max_bytes: u64) -> Result<(), Refused> {
    let failed = |error| refusal(shown, error);
    let zip_error = |source| Refused::Zip { file: shown.to_owned(), source };
    let packed_bytes = file.metadata().map_err(failed)?.len();
    let mut archive = ZipArchive::new(&mut *file).map_err(zip_error)?;
    let mut n_left = max_bytes;
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).map_err(zip_error)?;
        let mut measured = Measured::new(&mut member, packed_bytes, n_left);
        n_left -= io::copy(&mut measured, &mut io::sink()).map_err(failed)?;
    }
    file.rewind().map_err(failed)
}

/// Passes the bytes of the feed's member to `consume`.
pub(super) fn unzipped<T, E: From<Refused>>(
    named: Named<'_>,
    file: File,
    consume: impl FnOnce(&mut (dyn Read + Send)) -> Result<T, E>,
) -> Result<T, E> {
    let path = || named.shown.to_owned();
    let zip_error = |source: ZipError| match source {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            Refused::Password { file: path() }
        }
        source => Refused::Zip { file: path(), source },
    };
    let mut archive = ZipArchive::new(file).map_err(zip_error)?;
    let all = candidates(&mut archive).map_err(zip_error)?;
    let called =
        |members: &[(usize, String)]| members.iter().map(|(_, name)| name.clone()).collect();
    let meant: Vec<(usize, String)> = match named.member {
        Member::Only => all.clone(),
        Member::Like(pattern) => all
            .iter()
            .filter(|(_, n)| pattern.month_of(base_name(n)) != NameMatch::No)
            .cloned()
            .collect(),
        Member::Called(called) => all.iter().filter(|(_, name)| name == called).cloned().collect(),
    };
    match (&meant[..], named.member) {
        ([(at, _)], _) => consume(&mut archive.by_index(*at).map_err(zip_error)?),
        ([], Member::Like(pattern)) => {
            let pattern = pattern.to_string();
            Err(Refused::NoMember { file: path(), pattern, names: called(&all) }.into())
        }
        // The archive has changed since its members were listed.
        ([], Member::Called(called_then)) => {
            let pattern = called_then.to_owned();
            Err(Refused::NoMember { file: path(), pattern, names: called(&all) }.into())
        }
        ([], Member::Only) => Err(Refused::NoTable { file: path() }.into()),
        _ => Err(Refused::ZipMembers { file: path(), names: called(&meant) }.into()),
    }
}

/// The members that may be tables: not folders, not additions of archivers and systems, not
/// readmes.
fn candidates<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
) -> Result<Vec<(usize, String)>, ZipError> {
    if archive.len() > MEMBERS_MAX {
        return Err(ZipError::UnsupportedArchive("more members than an archive of tables has"));
    }
    let mut members = Vec::new();
    for at in 0..archive.len() {
        let member = archive.by_index_raw(at)?;
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        if !member.is_dir() && !is_aside(&name) {
            members.push((at, name));
        }
    }
    Ok(members)
}

/// True if a member of an archive is not a table.
fn is_aside(name: &str) -> bool {
    let base = base_name(name).to_lowercase();
    let of_system = ["thumbs.db", "desktop.ini"].contains(&base.as_str());
    let of_readers = ["readme", "read_me", "read me", "leiame", "leia-me", "licence", "license"];
    name.split(['/', '\\']).any(|part| part == "__MACOSX")
        || base.starts_with('.')
        || of_system
        || of_readers.iter().any(|with| base.starts_with(with))
}

fn base_name(member: &str) -> &str {
    member.rsplit(['/', '\\']).next().unwrap_or(member)
}
