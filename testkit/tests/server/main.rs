//! What a client may rely on, from outside: each file is one scenario, told against a running `grtc-server`.
//!
//! They share one executable, since each needs the whole server in it.

mod common;

mod a_key_does_a_request_once;
mod bulks_are_all_or_none;
mod changes_are_seen_live;
mod entity_tags_guard_changes;
mod every_error_is_a_problem;
mod ids_are_never_used_again;
mod items_are_made_read_changed_and_deleted;
mod jobs_are_done_in_the_background;
mod lists_are_filtered_sorted_and_counted;
mod paths_answer_with_and_without_a_slash;
