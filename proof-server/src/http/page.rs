//! The files of a web page that the gateway serves beside what can be asked. They are read once, when the server starts:
//! what was not in the folder then is not there, so that no address leads out of it, and no request touches the disk.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{self, HeaderValue},
};
use sha2::{Digest, Sha256};

/// The most that all files of a page may have, bytes: they stay in memory.
const LARGEST: u64 = 64 << 20;

/// What a page from here may do: it loads nothing from elsewhere, has no script in its markup, stands in nobody's frame,
/// and talks to whichever server its reader names.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; \
                      img-src 'self'; connect-src 'self' http: https:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// A page.
pub(crate) struct Page {
    /// By the path of their address.
    files: HashMap<String, File>,
}

struct File {
    kind: &'static str,
    bytes: Bytes,
    /// Another one where the bytes are others.
    tag: HeaderValue,
}

/// Why a folder is not served.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// It, or something in it, cannot be read.
    #[error("http-files: {}: {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Something in it is neither a file nor a folder. A link could lead anywhere.
    #[error("http-files: {}: neither a file nor a folder", .0.display())]
    Odd(PathBuf),
    /// It is no page's folder.
    #[error("http-files: {}: more than {} MiB: not the folder of a page", .0.display(), LARGEST >> 20)]
    TooLarge(PathBuf),
    /// There is nothing to begin with.
    #[error("http-files: {}: no index.html in it; `make web` makes such a folder", .0.display())]
    NoIndex(PathBuf),
}

impl Page {
    /// Reads a folder. What begins with a dot is not part of it.
    pub(crate) fn read(folder: &Path) -> Result<Self, PageError> {
        let mut page = Self { files: HashMap::new() };
        let mut left = LARGEST;
        page.add(folder, folder, "/", &mut left)?;
        match page.files.remove("/index.html") {
            Some(index) => page.files.insert("/".into(), index),
            None => return Err(PageError::NoIndex(folder.into())),
        };
        Ok(page)
    }

    fn add(&mut self, root: &Path, folder: &Path, address: &str, left: &mut u64) -> Result<(), PageError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| PageError::Read { path, source }
        };
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let entry = entry.map_err(failed(folder))?;
            let path = entry.path();
            let name = entry.file_name().into_string().map_err(|_| PageError::Odd(path.clone()))?;
            if name.starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(failed(&path))?;
            let address = format!("{address}{name}");
            if kind.is_dir() {
                self.add(root, &path, &format!("{address}/"), left)?;
            } else if kind.is_file() {
                let size = entry.metadata().map_err(failed(&path))?.len();
                *left = left.checked_sub(size).ok_or_else(|| PageError::TooLarge(root.into()))?;
                let bytes = fs::read(&path).map_err(failed(&path))?;
                self.files.insert(address, File::new(&path, bytes));
            } else {
                return Err(PageError::Odd(path));
            }
        }
        Ok(())
    }

    /// Answers with the file of an address, if there is one.
    pub(super) fn answer(&self, method: &Method, path: &str, asked: &HeaderMap) -> Option<Response<Body>> {
        let file = self.files.get(path).filter(|_| matches!(*method, Method::GET | Method::HEAD))?;
        let known = asked.get_all(header::IF_NONE_MATCH).iter().any(|tag| *tag == file.tag);
        // The body of an answer to HEAD is left out by hyper, its length is not.
        let mut response = Response::new(if known { Body::empty() } else { Body::from(file.bytes.clone()) });
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
        headers.insert(header::ETAG, file.tag.clone());
        // Asked for each time, and sent only where it is another.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        Some(response)
    }
}

impl File {
    fn new(path: &Path, bytes: Vec<u8>) -> Self {
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&bytes)[..16]));
        let tag =
            HeaderValue::from_str(&tag).expect("hexadecimal digits between quotes are a header's value");
        Self { kind: kind(path), bytes: bytes.into(), tag }
    }
}

/// What browsers take a file for, by its name. Scripts, styles and modules are taken under their own kind alone.
fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn what_is_in_the_folder_is_there_and_nothing_else() {
        let folder =
            folder(&[("index.html", "a"), ("js/main.js", "b"), (".secret", "c"), ("js/.git/config", "d")]);
        let page = Page::read(folder.path()).unwrap();
        let status =
            |method: Method, path: &str| page.answer(&method, path, &HeaderMap::new()).map(|it| it.status());
        for there in ["/", "/js/main.js"] {
            assert_eq!(status(Method::GET, there), Some(StatusCode::OK), "{there}");
            assert_eq!(status(Method::POST, there), None);
        }
        for other in
            ["/js", "/js/", "/.secret", "/js/.git/config", "/../etc/passwd", "/js/../index.html", "//", ""]
        {
            assert_eq!(status(Method::GET, other), None, "{other}");
        }
    }

    #[test]
    fn folders_that_are_no_page_are_refused_by_name() {
        let said = |folder: &Path| Page::read(folder).map(drop).unwrap_err().to_string();
        let empty = folder(&[("readme.txt", "")]);
        assert!(said(empty.path()).contains("no index.html"));
        assert!(said(&empty.path().join("nothing")).starts_with("http-files: "));
        let linked = folder(&[("index.html", "")]);
        std::os::unix::fs::symlink("/etc/passwd", linked.path().join("passwd")).unwrap();
        assert!(said(linked.path()).contains("passwd: neither a file nor a folder"));
        let large = folder(&[("index.html", "")]);
        fs::File::create(large.path().join("film")).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(said(large.path()).contains("more than 64 MiB"));
    }
}
