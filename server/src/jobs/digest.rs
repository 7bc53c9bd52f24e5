//! The built-in work: a digest of an item's text.

use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::store::model::Item;

/// What is known of a text.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Digest {
    /// Parts separated by white space.
    words: usize,
    /// Unicode scalar values.
    characters: usize,
    /// Of the UTF-8 text, in hex.
    sha256: String,
}

impl Digest {
    fn of(text: &str) -> Self {
        let sha256 = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { words: text.split_whitespace().count(), characters: text.chars().count(), sha256 }
    }
}

/// The digest of the title and, if there is one, a line feed and the description.
pub(crate) fn digest(item: &Item) -> Result<Box<RawValue>, String> {
    let text = match &item.description {
        Some(description) => format!("{}\n{description}", item.title),
        None => item.title.clone(),
    };
    serde_json::value::to_raw_value(&Digest::of(&text)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_people_count() {
        let digest = Digest::of("Ñandú  two\nwords");
        assert_eq!((digest.words, digest.characters), (3, 16));
        // printf 'abc' | sha256sum
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of("abc").sha256, abc);
    }
}
