//! The name of the route that a path leads to, for the log: it has the place of an id or a name, and never the id.

/// As `/api/items/{id}`; `other` for what leads nowhere.
pub(crate) fn name(path: &str) -> &'static str {
    let mut segments = [""; 5];
    let mut count = 0;
    for segment in path.split('/').skip(1).filter(|segment| !segment.is_empty()) {
        if count == segments.len() {
            // Only the page's files lie deeper.
            break;
        }
        segments[count] = segment;
        count += 1;
    }
    match segments[..count] {
        [] => "/",
        ["ws", _] => "/ws/{room_id}",
        ["api", "items"] => "/api/items/",
        ["api", "items", "events"] => "/api/items/events",
        ["api", "items", "bulk"] => "/api/items/bulk",
        ["api", "items", "bulk", "status"] => "/api/items/bulk/status",
        ["api", "items", _, "process"] => "/api/items/{item_id}/process",
        ["api", "items", _] => "/api/items/{item_id}",
        ["api", "jobs"] => "/api/jobs",
        ["api", "jobs", _] => "/api/jobs/{job_id}",
        ["api", "jobs", _, "retry"] => "/api/jobs/{job_id}/retry",
        ["api", "ice-servers"] => "/api/ice-servers",
        ["rooms"] => "/rooms",
        ["rooms", _, "peers"] => "/rooms/{room_id}/peers",
        ["health"] => "/health",
        ["health", "live"] => "/health/live",
        ["health", "ready"] => "/health/ready",
        ["openapi.json"] => "/openapi.json",
        ["favicon.ico"] => "/favicon.ico",
        ["docs", ..] => "/docs/…",
        ["static", ..] => "/static/…",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_has_no_id_in_it() {
        for (path, expected) in [
            ("/", "/"),
            ("/api/items", "/api/items/"),
            ("/api/items/7/", "/api/items/{item_id}"),
            ("/api/items/7/process", "/api/items/{item_id}/process"),
            ("/ws/secret", "/ws/{room_id}"),
            ("/rooms/secret/peers/", "/rooms/{room_id}/peers"),
            ("/static/js/ui/chat-panel.js", "/static/…"),
            ("/a/b/c/d/e/f/g", "other"),
            ("*", "/"),
            ("", "/"),
        ] {
            assert_eq!(name(path), expected, "{path}");
        }
    }
}
