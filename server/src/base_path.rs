//! Below which path the server is, as its clients see it.
//!
//! A proxy that puts it below a path either takes that path away from each request, or hands it on: then `--base-path`
//! says what it is. The page's and the description's URLs are relative, so that only `Location` is left to be set right.

use std::{fmt, str::FromStr};

use hyper::{
    HeaderMap,
    header::{FORWARDED, HeaderName, HeaderValue, LOCATION, VIA},
};
use serde::{Serialize, Serializer};
use warp::{Filter, filters::BoxedFilter};

use crate::gate::Head;

/// A path such as `/grtc`; `/` is the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(Vec<String>);

/// A text that is no such path.
#[derive(Debug, thiserror::Error)]
#[error("a base path is like /grtc or /tools/grtc, of letters, digits, hyphens, dots and underscores")]
pub struct InvalidBasePath;

impl FromStr for BasePath {
    type Err = InvalidBasePath;

    fn from_str(text: &str) -> Result<Self, InvalidBasePath> {
        let path = text.strip_prefix('/').ok_or(InvalidBasePath)?;
        if path.is_empty() {
            return Ok(Self::default());
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_plain = |segment: &str| {
            !segment.is_empty()
                && segment.bytes().any(|byte| byte != b'.')
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        };
        let segments = path.split('/');
        if segments.clone().all(is_plain) {
            Ok(Self(segments.map(str::to_owned).collect()))
        } else {
            Err(InvalidBasePath)
        }
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.0.join("/"))
    }
}

impl Serialize for BasePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a proxy adds to a request, whatever it is configured to.
const TRACES: [HeaderName; 6] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-real-ip"),
];

impl BasePath {
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// `routes`, below this path.
    pub(crate) fn below<T: Send + 'static>(&self, routes: BoxedFilter<(T,)>) -> BoxedFilter<(T,)> {
        self.0.iter().rev().fold(routes, |routes, segment| warp::path(segment.clone()).and(routes).boxed())
    }

    /// Sets a `Location` right that names a path from the root: this path comes before it. Where it is not known and a
    /// proxy may have taken one away, the location becomes relative to what was asked for, which is right below any.
    pub(crate) fn locate(&self, head: &Head, answer: &mut HeaderMap) {
        let Some(path) = answer.get(LOCATION).and_then(|location| location.to_str().ok()) else { return };
        let location = if !self.is_root() {
            format!("{self}{path}")
        } else if TRACES.iter().any(|name| head.headers.contains_key(name)) {
            relative(head.uri.path(), path)
        } else {
            return;
        };
        if let Ok(location) = HeaderValue::try_from(location) {
            answer.insert(LOCATION, location);
        }
    }
}

/// The reference that leads from one path to another (RFC 3986 section 4.2).
fn relative(from: &str, to: &str) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (from.split('/').collect(), to.split('/').collect());
    // The last segment of each is what is asked for, not a folder on the way.
    let folders = from.len().min(to.len()).saturating_sub(1);
    let common = from.iter().zip(&to).take(folders).take_while(|(from, to)| from == to).count();
    let up = "../".repeat(from.len().saturating_sub(common + 1));
    let down = to.get(common..).unwrap_or_default().join("/");
    match up.is_empty() && (down.is_empty() || down.contains(':')) {
        true => format!("./{down}"),
        false => up + &down,
    }
}

#[cfg(test)]
mod tests {
    use hyper::Uri;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_a_path() {
        for (text, said) in [("/", "/"), ("/grtc", "/grtc"), ("/grtc/", "/grtc"), ("/a/b-c.d_e", "/a/b-c.d_e")] {
            assert_eq!(text.parse::<BasePath>().unwrap().to_string(), said);
        }
        for text in ["", "grtc", "//", "/a//b", "/..", "/a/./b", "/a b", "/ä", "/a%20b", "/a?b", "http://x/grtc"] {
            assert!(text.parse::<BasePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_location_leads_there_below_any_path() {
        for (from, to, reference) in [
            ("/api/items/", "/api/items/7", "7"),
            ("/api/items", "/api/items/7", "items/7"),
            ("/api/items/7/process", "/api/jobs/1", "../../jobs/1"),
            ("/api/items/7/process/", "/api/jobs/1", "../../../jobs/1"),
            ("/docs", "/docs/", "docs/"),
        ] {
            assert_eq!(relative(from, to), reference, "{from} to {to}");
        }
    }

    proptest! {
        #[test]
        fn what_is_relative_resolves(from in "(/[a-c]{0,2}){1,4}", to in "(/[a-c]{1,2}){1,4}/?") {
            let reference = relative(&from, &to);
            let folder = from.rsplit_once('/').unwrap().0;
            let mut path: Vec<&str> = folder.split('/').collect();
            for segment in reference.split('/').filter(|segment| *segment != ".") {
                if segment == ".." {
                    path.pop();
                } else {
                    path.push(segment);
                }
            }
            prop_assert_eq!(path.join("/"), to.clone());
            prop_assert!(Uri::try_from(to).is_ok());
        }
    }
}
