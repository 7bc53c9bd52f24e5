//! Items as they come in a body: every field is checked, and everything that is wrong is said at once.

use grtc_protocol::json::{not_a_string, not_json, present, string};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::{ApiError, FieldError, Loc},
    limits::{BULK_ITEMS, DESCRIPTION_CHARS, FIELD_ERRORS, TITLE_CHARS},
    store::model::{NewItem, Patch, Status},
};

/// The keys of an item; others are ignored.
#[derive(Deserialize)]
struct RawItem<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    title: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    description: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    status: Option<&'a RawValue>,
}

/// The item of a `POST`.
pub(super) fn new_item(body: &[u8]) -> Result<NewItem, ApiError> {
    let mut reader = Reader::default();
    let item = reader.object(json(body)?)?.and_then(|raw| reader.new_item(&raw));
    reader.finish(item)
}

/// The change of a `PUT`.
pub(super) fn patch(body: &[u8]) -> Result<Patch, ApiError> {
    let mut reader = Reader::default();
    let patch = reader.object(json(body)?)?.and_then(|raw| reader.patch(&raw));
    reader.finish(patch)
}

/// The items of a bulk.
pub(super) fn new_items(body: &[u8]) -> Result<Vec<NewItem>, ApiError> {
    let mut reader = Reader::default();
    let mut items = Vec::new();
    for (index, raw) in bulk(body)?.into_iter().enumerate() {
        reader.place.push(Loc::Index(index));
        items.extend(reader.object(raw)?.and_then(|raw| reader.new_item(&raw)));
        reader.place.pop();
    }
    reader.finish(Some(items))
}

/// The ids of a bulk. Those that are too large for an id are of no item.
pub(super) fn ids(body: &[u8]) -> Result<Vec<i64>, ApiError> {
    let mut reader = Reader::default();
    let mut ids = Vec::new();
    for (index, raw) in bulk(body)?.into_iter().enumerate() {
        let text = raw.get();
        // 1.0 is an integer, as JSON Schema has it.
        let text = text
            .split_once('.')
            .filter(|(_, zeros)| zeros.bytes().all(|byte| byte == b'0'))
            .map_or(text, |(whole, _)| whole);
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            ids.extend(text.parse::<i64>());
        } else {
            reader.refuse_at(Loc::Index(index), "has to be an integer".to_owned());
        }
    }
    reader.finish(Some(ids))
}

/// A body that nothing is read from: none, or any JSON.
pub(super) fn nothing(body: &[u8]) -> Result<(), ApiError> {
    if body.is_empty() { Ok(()) } else { json(body).map(drop) }
}

fn json(body: &[u8]) -> Result<&RawValue, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let why = not_json(body).map_or_else(|| error.to_string(), str::to_owned);
        ApiError::bad_request("bad_json", format!("the body is not JSON: {why}"))
    })
}

fn bulk(body: &[u8]) -> Result<Vec<&RawValue>, ApiError> {
    let raw = json(body)?;
    let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        let place = vec![Loc::from("body")];
        return Err(ApiError::invalid(vec![FieldError { loc: place, msg: "has to be an array".to_owned() }]));
    };
    if rows.is_empty() || rows.len() > BULK_ITEMS {
        let text = format!("a bulk has 1 to {BULK_ITEMS} entries, this one has {}", rows.len());
        return Err(ApiError::bad_request("bulk_size", text));
    }
    Ok(rows)
}

/// Reads fields and gathers what is wrong with them.
struct Reader {
    place: Vec<Loc>,
    errors: Vec<FieldError>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { place: vec![Loc::from("body")], errors: Vec::new() }
    }
}

impl Reader {
    /// The keys of an object, if it is one.
    fn object<'a>(&mut self, raw: &'a RawValue) -> Result<Option<RawItem<'a>>, ApiError> {
        if !raw.get().starts_with('{') {
            self.errors.push(FieldError { loc: self.place.clone(), msg: "has to be an object".to_owned() });
            return Ok(None);
        }
        // It is JSON: what can be wrong is a key that is there twice.
        serde_json::from_str(raw.get())
            .map(Some)
            .map_err(|error| ApiError::bad_request("bad_json", format!("the body can't be read: {error}")))
    }

    fn new_item(&mut self, raw: &RawItem<'_>) -> Option<NewItem> {
        if raw.title.is_none() {
            self.refuse_at(Loc::from("title"), "is required".to_owned());
        }
        let Patch { title, description, status } = self.patch(raw)?;
        Some(NewItem { title: title?, description: description.flatten(), status: status.unwrap_or_default() })
    }

    /// What the fields say; nothing if one of them can't be.
    fn patch(&mut self, raw: &RawItem<'_>) -> Option<Patch> {
        let before = self.errors.len();
        let title = raw.title.and_then(|raw| self.text(raw, "title", 1, TITLE_CHARS));
        let description = raw.description.and_then(|raw| match raw.get() {
            "null" => Some(None),
            _ => self.text(raw, "description", 0, DESCRIPTION_CHARS).map(Some),
        });
        let status = raw.status.and_then(|raw| {
            let status = string(raw).and_then(|name| Status::from_name(&name));
            if status.is_none() {
                self.refuse_at(Loc::from("status"), format!("has to be {}", Status::NAMES));
            }
            status
        });
        (self.errors.len() == before).then_some(Patch { title, description, status })
    }

    fn text(&mut self, raw: &RawValue, field: &'static str, min: usize, max: usize) -> Option<String> {
        let Some(value) = string(raw) else {
            self.refuse_at(Loc::from(field), not_a_string(raw).to_owned());
            return None;
        };
        // A byte count is enough for most.
        let chars = if value.len() <= max { value.len().min(1) } else { value.chars().count() };
        if chars < min || chars > max {
            self.refuse_at(Loc::from(field), format!("has to have {min} to {max} characters"));
            return None;
        }
        Some(value.into_owned())
    }

    fn refuse_at(&mut self, last: Loc, msg: String) {
        if self.errors.len() < FIELD_ERRORS {
            let loc = self.place.iter().cloned().chain([last]).collect();
            self.errors.push(FieldError { loc, msg });
        }
    }

    fn finish<T>(self, value: Option<T>) -> Result<T, ApiError> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(ApiError::invalid(self.errors)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn problem(error: ApiError) -> Value {
        let (status, errors) = error.parts();
        json!({ "status": status, "errors": errors })
    }

    #[test]
    fn an_item_needs_no_more_than_its_title() {
        let item = new_item(br#"{"title":"t","later":[1]}"#).unwrap();
        assert_eq!(item, NewItem { title: "t".into(), description: None, status: Status::Active });
        let item = new_item(r#"{"title":"\u00e9","description":"d","status":"pending"}"#.as_bytes()).unwrap();
        assert_eq!((item.title.as_str(), item.status), ("é", Status::Pending));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_its_place() {
        let errors = problem(new_item(br#"{"title":"","description":7,"status":"gone"}"#).unwrap_err());
        assert_eq!(
            errors,
            json!({ "status": 422, "errors": [
                { "loc": ["body", "title"], "msg": "has to have 1 to 200 characters" },
                { "loc": ["body", "description"], "msg": "has to be a string" },
                { "loc": ["body", "status"], "msg": "has to be active, inactive or pending" },
            ]})
        );
        let surrogate = problem(new_item(br#"{"title":"a\ud800"}"#).unwrap_err());
        assert!(surrogate["errors"][0]["msg"].as_str().unwrap().contains("surrogate"), "{surrogate}");
        let marked = new_item("\u{feff}{\"title\":\"t\"}".as_bytes()).unwrap_err();
        assert!(marked.detail().contains("byte order mark"), "{}", marked.detail());
        let errors = problem(new_items(br#"[{"title":"t"},{},7]"#).unwrap_err());
        assert_eq!(errors["errors"][0], json!({ "loc": ["body", 1, "title"], "msg": "is required" }));
        assert_eq!(errors["errors"][1], json!({ "loc": ["body", 2], "msg": "has to be an object" }));
    }

    #[test]
    fn tells_what_is_no_json_from_what_is_the_wrong_json() {
        for (body, status) in [
            (&b""[..], 400),
            (b"{", 400),
            (b"title=x", 400),
            (b"{\"title\":\"\xff\"}", 400),
            (br#"{"title":"a","title":"b"}"#, 400),
            (b"[]", 422),
            (b"null", 422),
            (b"\"title\"", 422),
            (br#"{"title":null}"#, 422),
            (br#"{"title":["t"]}"#, 422),
            (br#"{"title":"\ud800"}"#, 422),
            (br#"{"title":"t","status":null}"#, 422),
        ] {
            assert_eq!(problem(new_item(body).unwrap_err())["status"], status, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn counts_characters_and_not_bytes() {
        let title = |n| format!(r#"{{"title":"{}"}}"#, "é".repeat(n));
        assert!(new_item(title(200).as_bytes()).is_ok());
        assert!(new_item(title(201).as_bytes()).is_err());
    }

    #[test]
    fn a_patch_tells_null_from_nothing() {
        assert_eq!(patch(b"{}").unwrap(), Patch::default());
        assert_eq!(patch(br#"{"description":null}"#).unwrap().description, Some(None));
        assert!(patch(br#"{"title":null}"#).is_err());
    }

    #[test]
    fn a_bulk_has_a_size_and_ids_are_integers() {
        assert_eq!(ids(b"[1, 2.0,2,-1, 99999999999999999999]").unwrap(), [1, 2, 2, -1]);
        for (body, status) in [("[]", 400), ("{}", 422), ("[1.5]", 422), ("[\"1\"]", 422), ("[1e3]", 422), ("[1", 400)]
        {
            assert_eq!(problem(ids(body.as_bytes()).unwrap_err())["status"], status, "{body}");
        }
        let many = serde_json::to_vec(&vec![1; BULK_ITEMS + 1]).unwrap();
        assert_eq!(problem(ids(&many).unwrap_err())["status"], 400);
    }

    proptest! {
        #[test]
        fn never_panics(body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = (new_item(&body), patch(&body), new_items(&body), ids(&body));
        }

        #[test]
        fn keeps_every_text(title in "\\PC{1,200}", description in ".{0,300}") {
            let body = json!({ "title": title, "description": description }).to_string();
            let item = new_item(body.as_bytes()).unwrap();
            prop_assert_eq!((item.title, item.description), (title, Some(description)));
        }
    }
}
