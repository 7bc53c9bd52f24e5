//! What can be seen of a text, by Unicode's own data: the one rule behind names and behind what a terminal shows.
//!
//! Characters without a glyph can hide, reorder or forge text. Some of them are part of how a language or an emoji is
//! written; those are told by where they stand:
//!
//! | character | where it is part of the text |
//! |---|---|
//! | U+200C ZERO WIDTH NON-JOINER | between letters that would join (UAX #31, A1), in a conjunct (A2) |
//! | U+200D ZERO WIDTH JOINER | after a virama (B), between two emoji (UTS #51, ED-16) |
//! | U+FE0E, U+FE0F | after an emoji; in a keycap |
//! | other variation selectors | after an ideograph; after a Mongolian letter |
//! | tag characters | in the flags of England, Scotland and Wales |

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{
        CanonicalCombiningClass, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic, GeneralCategory,
        GeneralCategoryGroup, IndicSyllabicCategory, JoiningType, PrependedConcatenationMark, Script, UnifiedIdeograph,
        WhiteSpace,
    },
};

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
const EMOJI_STYLE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
/// The flags that are written with tag characters (RGI_Emoji_Tag_Sequence).
const TAGGED_FLAG: char = '\u{1f3f4}';
const TAGGED_FLAGS: [&str; 3] = ["gbeng\u{7f}", "gbsct\u{7f}", "gbwls\u{7f}"];
const FLAG_TAGS: usize = 6;
/// Characters whose glyph is empty although no property says so: the blanks of braille, music and hieroglyphs, and the
/// place of an object that a plain text has not.
const EMPTY_GLYPHS: [char; 5] = ['\u{2800}', '\u{fffc}', '\u{13441}', '\u{13442}', '\u{1d159}'];

/// The characters that have no glyph and no business where they stand, with their byte positions.
pub fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    text.char_indices().filter(|(at, c)| {
        conceals(*c) && {
            let (before, rest) = text.split_at(*at);
            !belongs(before, *c, rest.strip_prefix(*c).unwrap_or_default())
        }
    })
}

/// Whether nothing of a text can be seen: it has only blanks, marks and characters without a glyph.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        !c.is_ascii_graphic()
            && (CodePointSetData::new::<WhiteSpace>().contains(c)
                || is(c, GeneralCategoryGroup::Mark)
                || conceals(c)
                || EMPTY_GLYPHS.contains(&c))
    })
}

pub(crate) fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

pub(crate) fn is(c: char, group: GeneralCategoryGroup) -> bool {
    group.contains(category(c))
}

/// A mark that takes no space of its own.
pub(crate) fn is_stacked(c: char) -> bool {
    matches!(category(c), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// Signs of Arabic, Syriac and Kaithi around the digits after them: format characters, but they can be seen.
pub(crate) fn is_prepended_sign(c: char) -> bool {
    CodePointSetData::new::<PrependedConcatenationMark>().contains(c)
}

/// Whether a character has no glyph, wherever it stands.
fn conceals(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    match category(c) {
        Control | LineSeparator | ParagraphSeparator => true,
        Format => !is_prepended_sign(c),
        _ => CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c),
    }
}

/// Whether a character without a glyph is part of how the text around it is written.
fn belongs(before: &str, c: char, after: &str) -> bool {
    let last = before.chars().next_back();
    match c {
        NON_JOINER => {
            between_joining_letters(before, after)
                || (after_virama(before)
                    && after.trim_start_matches(is_reordered).starts_with(|c| is(c, GeneralCategoryGroup::Letter)))
        }
        JOINER => {
            (after_virama(before) && !after.starts_with(is_dependent_vowel))
                || (ends_with_emoji(before) && after.starts_with(is_emoji))
        }
        EMOJI_STYLE if after.starts_with(KEYCAP) => {
            last.is_some_and(|base| matches!(base, '0'..='9' | '#' | '*')) || last.is_some_and(is_emoji)
        }
        '\u{fe0e}' | EMOJI_STYLE => last.is_some_and(is_emoji),
        '\u{fe00}'..='\u{fe0d}' | '\u{e0100}'..='\u{e01ef}' => {
            last.is_some_and(|base| CodePointSetData::new::<UnifiedIdeograph>().contains(base))
        }
        '\u{180b}'..='\u{180d}' | '\u{180f}' => last.is_some_and(|base| {
            is(base, GeneralCategoryGroup::Letter) && CodePointMapData::<Script>::new().get(base) == Script::Mongolian
        }),
        '\u{e0020}'..='\u{e007f}' => in_flag(before, c, after),
        _ => false,
    }
}

/// UAX #31, A1.
fn between_joining_letters(before: &str, after: &str) -> bool {
    let joins = |c: char, types: [JoiningType; 2]| types.contains(&CodePointMapData::<JoiningType>::new().get(c));
    let transparent =
        |c: &char| !conceals(*c) && CodePointMapData::<JoiningType>::new().get(*c) == JoiningType::Transparent;
    let left = before.chars().rev().find(|c| !transparent(c));
    let right = after.chars().find(|c| !transparent(c));
    left.is_some_and(|c| joins(c, [JoiningType::DualJoining, JoiningType::LeftJoining]))
        && right.is_some_and(|c| joins(c, [JoiningType::DualJoining, JoiningType::RightJoining]))
}

/// UAX #31, A2 and B: a letter, a virama, and nothing but marks with them.
fn after_virama(before: &str) -> bool {
    let is_virama = |c| combining_class(c) == CanonicalCombiningClass::Virama;
    let stem = before.trim_end_matches(|c| is_reordered(c) && !is_virama(c));
    let Some(stem) = stem.strip_suffix(is_virama) else { return false };
    let stem = stem.trim_end_matches(|c| category(c) == GeneralCategory::NonspacingMark && !conceals(c));
    stem.ends_with(|c| is(c, GeneralCategoryGroup::Letter))
}

fn combining_class(c: char) -> CanonicalCombiningClass {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c)
}

/// A nonspacing mark that canonical ordering moves.
fn is_reordered(c: char) -> bool {
    category(c) == GeneralCategory::NonspacingMark && combining_class(c) != CanonicalCombiningClass::NotReordered
}

fn is_dependent_vowel(c: char) -> bool {
    CodePointMapData::<IndicSyllabicCategory>::new().get(c) == IndicSyllabicCategory::VowelDependent
}

fn is_emoji(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

/// An emoji, in a colour or a style or plain.
fn ends_with_emoji(before: &str) -> bool {
    let modifier = |c| c == EMOJI_STYLE || CodePointSetData::new::<EmojiModifier>().contains(c);
    before.strip_suffix(modifier).unwrap_or(before).ends_with(is_emoji)
}

/// Whether a tag character stands in one of the flags that are written with them.
fn in_flag(before: &str, c: char, after: &str) -> bool {
    let is_tag = |c: &char| matches!(c, '\u{e0020}'..='\u{e007f}');
    let plain = |c: char| char::from_u32(u32::from(c) - 0xe0000);
    let mut tags: Vec<char> = before.chars().rev().take(FLAG_TAGS).take_while(is_tag).collect();
    let base = before.chars().nth_back(tags.len());
    tags.reverse();
    tags.push(c);
    tags.extend(after.chars().take_while(is_tag).take(FLAG_TAGS));
    base == Some(TAGGED_FLAG) && {
        let tags: String = tags.into_iter().filter_map(plain).collect();
        TAGGED_FLAGS.contains(&tags.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<char> {
        hidden(text).map(|(_, c)| c).collect()
    }

    #[test]
    fn finds_what_hides_and_leaves_what_belongs() {
        for text in ["plain héllo", "👨‍👩‍👧", "ශ්‍රී", "نمی‌خواهم", "❤️ 1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\u{601}12"]
        {
            assert!(found(text).is_empty(), "{text}");
        }
        let flag = "🏴\u{e0067}\u{e0062}";
        assert_eq!(found("a\u{200d}b\u{ad}\u{202e}"), ['\u{200d}', '\u{ad}', '\u{202e}']);
        assert_eq!(found(flag), ['\u{e0067}', '\u{e0062}']);
    }

    #[test]
    fn takes_no_longer_for_a_text_made_to_be_slow() {
        let begin = std::time::Instant::now();
        for text in ["\u{e0061}", "\u{94d}\u{200d}", "\u{200c}", "\u{301}\u{200c}", "👩\u{200d}", "\u{301}"] {
            let _ = hidden(&text.repeat(65_536 / text.len())).count();
        }
        assert!(begin.elapsed() < std::time::Duration::from_secs(10), "not linear");
    }

    proptest! {
        #[test]
        fn only_characters_of_the_text_at_their_places(text in "[\\PC\u{200c}\u{200d}\u{fe0f}\u{94d}👩کن]{0,40}|.{0,40}") {
            for (at, c) in hidden(&text) {
                prop_assert_eq!(text[at..].chars().next(), Some(c));
                prop_assert!(!c.is_ascii_graphic());
            }
        }

        #[test]
        fn letters_between_spaces_hide_nothing(text in "[\\p{L}\\p{N}\\p{P} ]{0,40}") {
            prop_assert!(found(&text).iter().all(|c| CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(*c)));
        }
    }
}
