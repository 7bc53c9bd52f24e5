//! The one form in which texts are compared: in the search index, and of what is asked.
//!
//! It is Unicode's compatibility caseless matching (The Unicode Standard, D146) with full case folding: upper and lower
//! case, composed and decomposed characters, ligatures, wide and narrow forms are the same, and ß is ss. Letters that
//! differ by a mark differ, and so does the dotless ı from i. Titles and descriptions themselves keep their bytes.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizer, DecomposingNormalizer};

/// The text as it is compared.
pub(super) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mapper = CaseMapper::new();
    let canonical = DecomposingNormalizer::new_nfd().normalize(text);
    let folded = mapper.fold_string(&canonical);
    let compatible = DecomposingNormalizer::new_nfkd().normalize(&folded);
    let folded = mapper.fold_string(&compatible);
    ComposingNormalizer::new_nfkc().normalize(&folded).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text in each normal form, and each of them in each case.
    fn spellings(text: &str) -> Vec<String> {
        let (nfd, nfkd) = (DecomposingNormalizer::new_nfd(), DecomposingNormalizer::new_nfkd());
        let (nfc, nfkc) = (ComposingNormalizer::new_nfc(), ComposingNormalizer::new_nfkc());
        let forms = [nfd.normalize(text), nfkd.normalize(text), nfc.normalize(text), nfkc.normalize(text)];
        forms.iter().flat_map(|form| [form.to_string(), form.to_uppercase(), form.to_lowercase(), fold(form)]).collect()
    }

    /// The dotless i has the capital of i.
    const DOTLESS: char = 'ı';

    #[test]
    fn every_character_is_itself_in_every_form_and_case() {
        // All that has case or another form stands in the first two planes, or is a compatibility ideograph.
        let characters = ('\0'..='\u{1ffff}').chain('\u{2f800}'..='\u{2fa1f}');
        for character in characters {
            let text = format!("a{character}b");
            let folded = fold(&text);
            if folded.contains(DOTLESS) {
                continue;
            }
            if folded != text || text.to_uppercase() != text.to_lowercase() {
                for spelling in spellings(&text) {
                    assert_eq!(fold(&spelling), folded, "{text:?} as {spelling:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_text_is_itself_in_every_form_and_case(text in any::<String>()) {
            // A subscript iota before another mark has a capital that is a letter: the mark is on that one then.
            let decomposed = DecomposingNormalizer::new_nfkd().normalize(&text).into_owned();
            prop_assume!(!decomposed.contains([DOTLESS, '\u{345}']));
            for spelling in spellings(&text) {
                prop_assert_eq!(fold(&spelling), fold(&text), "{:?}", spelling);
            }
        }

        #[test]
        fn a_part_is_found_in_the_whole(before in "[a-zß-ÿα-ω ]{0,4}", part in "[A-Za-zÀ-ÿΑ-ω]{1,6}", after in "[a-zà-ÿ ]{0,4}") {
            let whole = format!("{before}{part}{after}");
            for spelling in spellings(&part) {
                prop_assert!(fold(&whole).contains(&fold(&spelling)), "{:?} in {:?}", spelling, whole);
            }
        }
    }

    #[test]
    fn what_is_the_same_and_what_is_not() {
        for (one, other) in [
            ("Straße", "STRASSE"),
            ("ẞ", "ss"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("e\u{301}", "É"),
            ("ﬁn", "FIN"),
            ("ｶﾞ", "ガ"),
            ("１Ａ", "1a"),
            ("Ꭰ", "ꭰ"),
            ("İ", "i\u{307}"),
            ("한", "\u{1112}\u{1161}\u{11ab}"),
            ("K", "k"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        for (one, other) in [("e", "é"), ("ı", "i"), ("o", "ø"), ("か", "が"), ("а", "a")] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }
}
