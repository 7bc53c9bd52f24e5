//! What a client may rely on, from outside: each file is one scenario, told against a running `grtc-server`.
//!
//! They share one executable, since each needs the whole server in it.

#![allow(clippy::too_many_lines, reason = "a scenario is told from beginning to end")]

mod a_full_disk_can_be_read;
mod a_key_does_a_request_once;
mod a_log_that_nobody_reads;
mod a_lost_connection_is_resumed;
mod a_proxy_may_stand_in_front;
mod a_stop_is_graceful;
mod a_stop_leaves_one_file;
mod acknowledged_writes_survive;
mod an_unusable_database_is_named;
mod bodies_have_a_bound;
mod bulks_are_all_or_none;
mod changes_are_seen_live;
mod common;
mod connections_have_a_cap;
mod entity_tags_guard_changes;
mod every_error_is_a_problem;
mod hostile_requests_are_refused;
mod ids_are_never_used_again;
mod ids_have_one_owner;
mod items_are_made_read_changed_and_deleted;
mod jobs_are_done_in_the_background;
mod lists_are_filtered_sorted_and_counted;
mod messages_arrive_unchanged_and_in_order;
mod mistakes_are_answered;
mod names_are_checked;
mod only_known_origins_come_in;
mod paths_answer_with_and_without_a_slash;
mod peers_come_and_go;
mod readers_have_limits;
mod readers_of_answers_have_limits;
mod requests_follow_rfc_9112;
mod senders_have_limits;
mod texts_are_found_in_every_form;
mod the_command_line_helps;
mod the_log_keeps_secrets;
mod the_log_names_requests;
