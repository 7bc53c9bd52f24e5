//! `fixtures/names.json`, which the page's tests read too: each text is a name, or is refused for this reason. And the
//! page's copy of what its language does not know of Unicode.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::{fmt::Write, fs};

use grtc_protocol::{PeerId, id::InvalidName};
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{CanonicalCombiningClass, DefaultIgnorableCodePoint, GeneralCategory, IndicSyllabicCategory, JoiningType},
};
use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn what_is_a_name_and_what_is_none() {
    let cases: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(format!("{ROOT}/fixtures/names.json")).unwrap()).unwrap();
    for case in cases {
        let text = case["name"].as_str().unwrap();
        let (what, character) = (&case["what"], case["character"].as_str());
        match (text.parse::<PeerId>(), case["refused"].as_str()) {
            (Ok(name), None) => assert_eq!(name.as_str(), case["nfc"].as_str().unwrap_or(text), "{what}"),
            (Err(InvalidName::Character(c)), Some("character")) => {
                assert_eq!(Some(format!("U+{:04X}", u32::from(c)).as_str()), character, "{what}");
            }
            (Err(error), Some(refused)) => assert_eq!(word(error), refused, "{what}"),
            (is, _) => panic!("{what}: {is:?}"),
        }
    }
}

fn word(error: InvalidName) -> &'static str {
    match error {
        InvalidName::Empty => "empty",
        InvalidName::TooLong => "too_long",
        InvalidName::Character(_) => "character",
        InvalidName::Dots => "dots",
        InvalidName::Marks => "marks",
        InvalidName::Blank => "blank",
    }
}

/// `UPDATE=1 cargo test -p grtc-protocol --test names` writes it anew.
#[test]
#[allow(clippy::disallowed_methods, reason = "a switch of the test's own")]
fn the_page_knows_the_same_of_unicode() {
    let path = format!("{ROOT}/../web/js/unicode.js");
    let module = module();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &module).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), module);
}

fn module() -> String {
    let joining = CodePointMapData::<JoiningType>::new();
    let class = CodePointMapData::<CanonicalCombiningClass>::new();
    let category = CodePointMapData::<GeneralCategory>::new();
    let conceals = |c| {
        category.get(c) == GeneralCategory::Format || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
    };
    let syllabic = CodePointMapData::<IndicSyllabicCategory>::new();
    let sides = |types: [JoiningType; 2]| ranges(move |c| types.contains(&joining.get(c)));
    let unmoved = CanonicalCombiningClass::NotReordered;
    let virama = CanonicalCombiningClass::Virama;
    let tables = [
        ("JOINS_LEFT", "Joining_Type D or L.", sides([JoiningType::DualJoining, JoiningType::LeftJoining])),
        ("JOINS_RIGHT", "Joining_Type D or R.", sides([JoiningType::DualJoining, JoiningType::RightJoining])),
        (
            "TRANSPARENT",
            "Joining_Type T, without characters that can't be seen.",
            ranges(|c| joining.get(c) == JoiningType::Transparent && !conceals(c)),
        ),
        ("VIRAMA", "Canonical_Combining_Class 9.", ranges(|c| class.get(c) == virama)),
        (
            "REORDERED",
            "Nonspacing marks of another Canonical_Combining_Class than 0.",
            ranges(|c| category.get(c) == GeneralCategory::NonspacingMark && class.get(c) != unmoved),
        ),
        (
            "DEPENDENT_VOWEL",
            "Indic_Syllabic_Category Vowel_Dependent.",
            ranges(|c| syllabic.get(c) == IndicSyllabicCategory::VowelDependent),
        ),
    ];
    let mut module = "/**\n * Properties of Unicode that regular expressions don't have, as ranges of a character class. Written by\n \
                      * `UPDATE=1 cargo test -p grtc-protocol --test names`.\n */\n"
        .to_owned();
    for (name, what, ranges) in tables {
        write!(module, "\n/** {what} */\nexport const {name} =\n  '{ranges}';\n").unwrap();
    }
    module
}

fn ranges(has: impl Fn(char) -> bool) -> String {
    let mut all: Vec<(char, char)> = Vec::new();
    // All of them are in the first two planes, or are variation selectors.
    for c in ('\0'..='\u{1ffff}').chain('\u{e0100}'..='\u{e01ef}').filter(|c| has(*c)) {
        match all.last_mut() {
            Some((_, last)) if u32::from(*last) + 1 == u32::from(c) => *last = c,
            _ => all.push((c, c)),
        }
    }
    let code = |c: char| format!("\\\\u{{{:x}}}", u32::from(c));
    let range = |(first, last): (char, char)| match first == last {
        true => code(first),
        false => format!("{}-{}", code(first), code(last)),
    };
    all.into_iter().map(range).collect()
}
