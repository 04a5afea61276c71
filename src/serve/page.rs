//! The files of the page, embedded in the program.
//!
//! `/` is `index.html`. Every file has an `ETag` of its content, so a browser loads it once. A new
//! file is one line in the list of [`FILES`]; a test compares the list with the folder.

use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::guard::PAGE_POLICY;

/// A file of the page.
#[derive(Debug)]
struct File {
    path: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(File { path: $path, bytes: include_bytes!(concat!("page/", $path)) }),*]
    };
}

/// The files, by path below `src/serve/page`.
const FILES: &[File] = files![
    "index.html",
    "centres.json",
    "charts/base.js",
    "charts/map.js",
    "charts/sparks.js",
    "charts/years.js",
    "core/alerts.js",
    "core/api.js",
    "core/data.js",
    "core/dom.js",
    "core/figure.js",
    "core/format.js",
    "core/home.js",
    "core/news.js",
    "core/picture.js",
    "core/search.js",
    "core/state.js",
    "core/tables.js",
    "core/words.js",
    "icon.svg",
    "main.js",
    "style.css",
    "vendor/LICENSES.txt",
    "vendor/plot.js",
    "views/cities.js",
    "views/destinations.js",
    "views/estimates.js",
    "views/explain.js",
    "views/feed.js",
    "views/overview.js",
    "views/report.js",
    "views/revisions.js",
    "views/shared.js",
    "views/sources.js",
    "views/units.js",
];

/// The entity tags of the files, in their order.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    FILES.iter().map(|file| format!("\"{}\"", &blake3::hash(file.bytes).to_hex()[..16])).collect()
});

/// The media type of a file, by the end of its name.
fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The answer for a path of the page; `None` if there is no such file.
#[must_use]
pub fn answer(path: &str, asked: &HeaderMap) -> Option<Response<Body>> {
    let name = path.strip_prefix('/')?;
    let name = if name.is_empty() { "index.html" } else { name };
    let at = FILES.iter().position(|file| file.path == name)?;
    let (file, tag) = (&FILES[at], &TAGS[at]);
    let mut answer = Response::new(Body::empty());
    let headers = answer.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_str(tag).ok()?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    if matches_tag(asked, tag) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        return Some(answer);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(file.path)));
    *answer.body_mut() = Body::from(Bytes::from_static(file.bytes));
    Some(answer)
}

/// True if a request has the answer with a tag already.
#[must_use]
pub fn matches_tag(asked: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let wanted = opaque(tag);
    let given = asked.get_all(header::IF_NONE_MATCH).iter();
    given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim() == "*" || opaque(one) == wanted)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn below(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{prefix}{}", entry.file_name().to_str().expect("UTF-8"));
            if entry.file_type().expect("a type").is_dir() {
                below(&entry.path(), &format!("{name}/"), found);
            } else {
                found.insert(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_embedded_with_a_media_type() {
        let mut found = BTreeSet::new();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/serve/page");
        below(&folder, "", &mut found);
        let listed: BTreeSet<String> = FILES.iter().map(|file| file.path.to_owned()).collect();
        assert_eq!(listed, found, "the list of src/serve/page.rs is that of the folder");
        for path in &listed {
            assert_ne!(media_type(path), "application/octet-stream", "{path} has no media type");
        }
    }

    #[test]
    fn a_file_is_sent_once_and_its_root_is_the_index() {
        let first = answer("/", &HeaderMap::new()).expect("the index");
        assert_eq!(first.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        let policy = first.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("a text");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        let mut asked = HeaderMap::new();
        let tag = first.headers()[header::ETAG].clone();
        asked.insert(header::IF_NONE_MATCH, tag);
        let again = answer("/index.html", &asked).expect("the same file");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        for none in ["/page.rs", "/../page.rs", "//index.html", "/index.html/", "index.html"] {
            assert!(answer(none, &HeaderMap::new()).is_none(), "{none}");
        }
    }
}
