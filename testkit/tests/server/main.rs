//! What a client may rely on, from outside: each file is one scenario, told against a running `grtc-server`.
//!
//! They share one executable, since each needs the whole server in it.

#![allow(clippy::too_many_lines, reason = "a scenario is told from beginning to end")]

mod a_backup_is_whole;
mod a_full_disk_can_be_read;
mod a_key_does_a_request_once;
mod a_log_that_nobody_reads;
mod a_lost_connection_is_resumed;
mod a_proxy_may_speak_the_proxy_protocol;
mod a_proxy_may_stand_in_front;
mod a_relay_is_reached_by_streams;
mod a_relay_knows_who_asks;
mod a_relay_stays_within_its_room;
mod a_restart_refuses_nobody;
mod a_schema_is_brought_up_to_date;
mod a_stop_is_graceful;
mod a_stop_leaves_one_file;
mod a_webhook_is_set_up;
mod acknowledged_writes_survive;
mod administrators_see_and_act;
mod an_authority_gives_the_certificate;
mod an_export_goes_into_another_database;
mod an_unusable_database_is_named;
mod bodies_have_a_bound;
mod bulks_are_all_or_none;
mod callers_have_limits;
mod certificates_change;
mod changes_are_seen_live;
mod common;
mod connections_have_a_cap;
mod cut_sockets_lose_nothing;
mod entity_tags_guard_changes;
mod every_error_is_a_problem;
mod hook;
mod hostile_requests_are_refused;
mod http2_floods_cost_nothing;
mod http2_is_spoken;
mod ids_are_never_used_again;
mod ids_have_one_owner;
mod items_are_made_read_changed_and_deleted;
mod jobs_are_delivered;
mod jobs_are_done_in_the_background;
mod jobs_are_listed_and_tried_again;
mod lists_are_filtered_sorted_and_counted;
mod messages_arrive_unchanged_and_in_order;
mod mistakes_are_answered;
mod names_are_checked;
mod only_known_origins_come_in;
mod others_keep_their_service;
mod paths_answer_with_and_without_a_slash;
mod peers_come_and_go;
mod plain_http_is_sent_to_https;
mod prometheus_sees_inside;
mod readers_have_limits;
mod readers_of_answers_have_limits;
mod requests_follow_rfc_9112;
mod senders_have_limits;
mod texts_are_found_in_every_form;
mod the_clock_may_jump;
mod the_command_line_helps;
mod the_log_keeps_secrets;
mod the_log_names_requests;
mod tls_is_spoken;
mod tokens;
mod tokens_decide_who_may_do_what;
