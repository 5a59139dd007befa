//! What went wrong elsewhere, and the tests that play it here: those of this program (`handshake.rs`, ...), of the others
//! in `tests/`, and unit tests where no socket is needed.

use std::fs;
use std::path::Path;

use Lesson::{NotHere, Played};

/// What became of a lesson.
enum Lesson {
    /// These tests play it: where they are, and what they are called.
    Played(&'static [(&'static str, &'static str)]),
    /// It cannot happen here, for this reason.
    NotHere(&'static str),
}

const ABSENT: &str = "tests/hostile/absent.rs";
const CROWDS: &str = "tests/hostile/crowds.rs";
const DEFLATE: &str = "tests/hostile/deflate.rs";
const FLOODS: &str = "tests/hostile/floods.rs";
const FRAMES: &str = "tests/hostile/frames.rs";
const HANDSHAKE: &str = "tests/hostile/handshake.rs";
const UNREAD: &str = "tests/hostile/unread.rs";
const RULES_OF_HANDSHAKE: &str = "tests/rfc6455/handshake.rs";
const RULES_OF_FRAMES: &str = "tests/rfc6455/frames.rs";
const RULES_OF_MESSAGES: &str = "tests/rfc6455/messages.rs";
const OTHER_CROWDS: &str = "tests/crowds.rs";
const WATCHING: &str = "tests/watching.rs";

#[rustfmt::skip]
const LESSONS: &[(&str, Lesson)] = &[
    // --- the head of a request -------------------------------------------------------------------------------------------
    ("tungstenite, CVE-2023-43669: a head of 20 MB was parsed anew at each read, for minutes",
        Played(&[(HANDSHAKE, "twenty_megabytes_of_head_are_refused_after_eight_kibibytes")])),
    ("tungstenite, after that: an honest handshake that comes byte by byte was taken for an attack",
        Played(&[(RULES_OF_HANDSHAKE, "the_handshake_may_come_byte_by_byte"),
            (HANDSHAKE, "the_longest_head_that_is_allowed_may_come_byte_by_byte")])),
    ("ws, CVE-2024-37890: fields beyond the parser's limit were dropped, and with them Upgrade",
        Played(&[(HANDSHAKE, "the_last_field_that_is_allowed_counts_and_one_more_is_refused")])),
    ("ws, CVE-2021-32640: spaces in Sec-WebSocket-Protocol made a pattern backtrack",
        Played(&[(HANDSHAKE, "a_name_is_data_whatever_it_says_and_however_long_it_is")])),
    ("ws 3.3.1: an extension called constructor ended the server",
        Played(&[(RULES_OF_HANDSHAKE, "s9_1_extensions_are_read_by_their_grammar_and_unknown_ones_left_out"),
            (HANDSHAKE, "a_name_is_data_whatever_it_says_and_however_long_it_is")])),
    ("websockets: pings in the same segment as the request were answered before the 101",
        Played(&[(RULES_OF_HANDSHAKE, "frames_in_the_same_piece_as_the_request_are_answered_behind_the_101"),
            (HANDSHAKE, "a_thousand_frames_behind_the_request_are_answered_behind_the_101_in_order")])),
    ("websockets: another version was refused without being told ours",
        Played(&[(RULES_OF_HANDSHAKE, "s4_4_another_version_is_told_that_we_speak_13")])),
    ("websocket-driver, CVE-2026-54466: the length of an old draft lost precision",
        Played(&[(RULES_OF_HANDSHAKE, "s4_4_another_version_is_told_that_we_speak_13")])),
    ("websockets, ws, tungstenite: no Host, and two of them, were accepted",
        Played(&[(RULES_OF_HANDSHAKE, "s4_2_1_there_must_be_one_host")])),
    ("tungstenite: any key was accepted, also an empty one and two",
        Played(&[(RULES_OF_HANDSHAKE, "s4_2_1_the_key_must_be_16_bytes_in_base64_once")])),
    ("tungstenite: Connection over two lines was refused",
        Played(&[(RULES_OF_HANDSHAKE, "s4_2_1_connection_must_name_upgrade")])),
    ("tungstenite: a body behind the request was not looked at",
        Played(&[(RULES_OF_HANDSHAKE, "a_request_with_a_body_is_refused"),
            (HANDSHAKE, "what_lies_behind_a_refused_request_is_not_a_request")])),
    ("folded lines, bare line ends, NUL: two parsers see two different requests",
        Played(&[(RULES_OF_HANDSHAKE, "lines_end_in_cr_and_lf_and_are_not_folded"),
            (HANDSHAKE, "what_is_no_request_is_told_so_and_sent_away")])),
    ("slow heads hold connections for ever, a byte now and then",
        Played(&[(HANDSHAKE, "whoever_does_not_finish_a_request_is_gone_five_seconds_later"),
            (WATCHING, "a_request_that_trickles_in_is_refused_five_seconds_after_it_was_accepted")])),
    ("a limit for each head is none for their sum",
        Played(&[(OTHER_CROWDS, "ten_thousand_half_open_handshakes_leave_room_and_are_gone_after_the_deadline"),
            (CROWDS, "ten_thousand_who_send_all_but_the_end_of_the_longest_head_cost_64_mib_at_most")])),
    ("daphne, CVE-2026-44545: the library had a limit, and nobody set it",
        Played(&[(FRAMES, "a_viewer_may_say_sixteen_kibibytes_in_sixty_four_fragments_and_no_more")])),

    // --- frames and messages ---------------------------------------------------------------------------------------------
    ("gorilla/websocket, CVE-2020-27813: a length of 64 bits in a signed number passed the limit",
        Played(&[(FRAMES, "a_length_that_lies_is_refused_from_the_header_and_reserves_nothing")])),
    ("Tomcat, CVE-2020-13935: an impossible length was parsed for ever",
        Played(&[(FRAMES, "a_length_that_lies_is_refused_from_the_header_and_reserves_nothing")])),
    ("re, nopoll, ios-webkit-debug-proxy: the length of a header was added, and wrapped",
        Played(&[(FRAMES, "a_length_that_lies_is_refused_from_the_header_and_reserves_nothing")])),
    ("CWIST, ds4, libhv: what a header claimed was allocated",
        Played(&[(FRAMES, "what_is_only_claimed_is_not_reserved")])),
    ("the same: a limit for each frame, and none for a message",
        Played(&[(RULES_OF_MESSAGES, "s10_4_the_limit_is_on_the_sum_of_the_fragments")])),
    ("facil.io: a frame that was not masked was delivered before the connection was failed",
        Played(&[(RULES_OF_FRAMES, "s5_1_an_unmasked_frame_fails_the_connection"),
            (FRAMES, "nothing_is_heard_any_more_behind_a_sin")])),
    ("ws, CVE-2026-48779: fragments of one byte cost fifteen times that, and empty ones were not counted",
        Played(&[(FRAMES, "fragments_cost_what_is_in_them_and_no_more"),
            (RULES_OF_MESSAGES, "s10_4_empty_fragments_are_not_for_nothing")])),
    ("websockets: a hundred connections with 20,000 fragments each took 309 MiB",
        Played(&[(FRAMES, "fragments_cost_what_is_in_them_and_no_more")])),
    ("ws 8.20.1: memory that was never written went out with a close frame",
        Played(&[(FRAMES, "an_answer_to_a_close_holds_the_code_and_not_a_byte_more")])),
    ("reserved bits and opcodes, control frames too long and in pieces",
        Played(&[(FRAMES, "every_first_byte_is_understood_or_fails_the_connection"),
            (RULES_OF_FRAMES, "s5_5_a_control_frame_must_not_have_more_than_125_bytes"),
            (RULES_OF_FRAMES, "s5_5_a_control_frame_must_not_be_fragmented")])),
    ("text that is not UTF-8, noticed late or never",
        Played(&[(RULES_OF_MESSAGES, "s8_1_text_that_is_not_utf8_fails_the_connection"),
            (RULES_OF_MESSAGES, "s8_1_text_is_judged_before_its_frame_ends")])),
    ("whoever does not close after the end is waited for",
        Played(&[(FRAMES, "whoever_does_not_leave_after_the_end_is_left")])),

    // --- what is not read ------------------------------------------------------------------------------------------------
    ("ws before 8.23, curl, websockets: pongs that nobody reads were queued, 121 MiB of them",
        Played(&[(UNREAD, "a_hundred_megabytes_of_pings_whose_pongs_nobody_reads_cost_nothing")])),
    ("the crate ws: what waits to be sent had no bound",
        Played(&[(UNREAD, "an_echo_that_nobody_reads_stops_listening"),
            (UNREAD, "a_message_that_nobody_reads_is_kept_once"),
            (OTHER_CROWDS, "requests_sent_far_ahead_of_the_answers_cost_no_memory")])),
    ("Crow, factory-factory: a slow reader of a log made the server grow",
        Played(&[(OTHER_CROWDS, "a_viewer_that_never_reads_costs_no_memory_and_the_others_nothing"),
            (OTHER_CROWDS, "a_viewer_that_shouts_and_never_reads_is_not_answered_without_end"),
            (UNREAD, "forty_viewers_who_never_read_cost_no_memory_while_the_log_grows")])),
    ("a limit for each message is none for their sum",
        Played(&[(OTHER_CROWDS, "all_echoes_together_hold_a_quarter_of_a_gigabyte_and_no_more")])),
    ("peers that are gone without a word stay connected for ever",
        Played(&[(ABSENT, "whoever_falls_silent_is_asked_after_15_seconds_and_gone_after_25")])),

    // --- floods and crowds -----------------------------------------------------------------------------------------------
    ("who shouts loudest is heard, and nobody else",
        Played(&[(FLOODS, "under_four_flooding_peers_a_fifth_is_answered_within_50_ms")])),
    ("libuv, bun, node, ponyc: accepting without a descriptor left spun, or went deaf",
        Played(&[(CROWDS, "when_all_descriptors_are_in_good_use_newcomers_are_told_and_nothing_spins"),
            (CROWDS, "when_descriptors_run_out_the_oldest_half_open_ones_make_room"),
            (CROWDS, "a_file_for_which_no_descriptor_was_left_is_opened_when_there_is_one")])),
    ("jetty: sessions of connections that closed early were kept",
        Played(&[(CROWDS, "thousands_who_come_and_go_leave_nothing_behind")])),
    ("one address takes all connections there are",
        Played(&[("src/net/crowd.rs", "an_address_may_have_so_many_and_when_one_leaves_another_may_come")])),

    // --- compression -----------------------------------------------------------------------------------------------------
    ("websockets, CVE-2018-1000518, undici, CVE-2026-1526, tornado, netdata: the limit was held before inflating",
        Played(&[(DEFLATE, "a_bomb_is_inflated_to_the_limit_and_not_a_step_further"),
            (DEFLATE, "many_messages_that_are_each_within_the_limit_are_heard_one_after_the_other"),
            (DEFLATE, "a_message_of_nothing_in_many_words_is_refused_from_its_header")])),
    ("jetty: compressors leaked, and the last message stayed",
        Played(&[(DEFLATE, "half_a_compressed_message_costs_an_inflater_and_a_whole_one_nothing"),
            (DEFLATE, "contexts_that_echoes_keep_are_bounded_all_together")])),
    ("blocks that are broken, and contexts that were promised not to be used",
        Played(&[(DEFLATE, "blocks_that_are_broken_fail_with_1007_and_nothing_is_heard_behind_them"),
            (DEFLATE, "a_viewer_that_has_promised_not_to_refer_back_cannot")])),
    ("RSV1 where it may not be",
        Played(&[("tests/conversation/deflate.rs",
                "rfc7692_s6_the_bit_belongs_to_the_first_frame_of_a_message_and_to_those_who_agreed"),
            (RULES_OF_FRAMES, "s5_2_a_reserved_bit_fails_the_connection")])),

    // --- who may ask -----------------------------------------------------------------------------------------------------
    ("Komari, webpack-dev-server, adk-java: any page in the browser read the stream of a local tool",
        Played(&[(HANDSHAKE, "another_sites_page_opens_no_stream_whatever_it_says_about_itself")])),
    ("webpack-dev-server: origins that are IP addresses were always allowed",
        Played(&[(HANDSHAKE, "another_sites_page_opens_no_stream_whatever_it_says_about_itself")])),
    ("DNS rebinding: Origin and Host agree with each other, and both are foreign",
        Played(&[(HANDSHAKE, "another_sites_page_opens_no_stream_whatever_it_says_about_itself")])),
    ("Actual-sync, awx: the page was protected, the stream was not",
        Played(&[(WATCHING, "foreign_hosts_and_origins_are_refused_everywhere")])),
    ("frontail: the refusal of a wrong password set the cookie that opened the stream; its secret could be guessed",
        NotHere("there are neither passwords nor sessions: without --open-to-network only this machine may ask")),
    ("tailon: listens on all addresses unless told otherwise",
        Played(&[("tests/command_line.rs", "open_to_network_binds_wide_and_says_so")])),
    ("tailon: runs commands that come from the page",
        NotHere("the server starts no process, whoever asks")),
    ("frontail: an old parser of somebody else's ended with one packet",
        Played(&[("tests/packages.rs", "the_number_of_packages_is_known")])),

    // --- what is in a log, and where it is ---------------------------------------------------------------------------------
    ("logtrail, logsniffer, logviewer: a request for <script>, logged, ran in the viewer",
        Played(&[("tests/browser/main.rs", "log_text_stays_text"),
            (HANDSHAKE, "a_name_is_data_whatever_it_says_and_however_long_it_is")])),
    ("ansi_up, CVE-2021-3377, ansi2html, CVE-2026-92973: links in escape sequences broke out of the markup",
        Played(&[("tests/www/ansi.test.mjs", "other escapes are dropped: cursor moves, titles, links"),
            ("src/cli/cat/printer.rs", "a_log_cannot_drive_the_terminal_wherever_it_is_cut")])),
    ("blog-demo: /logs opened /logs-secret, and links were followed",
        Played(&[(WATCHING, "only_what_is_listed_can_be_asked_for"), (WATCHING, "a_link_that_leads_out_is_not_followed")])),
    ("dagster, TradingAgents, laravel-log-viewer, piSignage: ../ in a name, escaped or not",
        Played(&[(WATCHING, "only_what_is_listed_can_be_asked_for")])),
    ("a FIFO in the place of a log blocks whoever opens it",
        Played(&[("src/tail/beneath/mod.rs", "only_regular_files_are_opened_and_none_is_waited_for"),
            ("tests/following.rs", "what_is_no_regular_file_is_neither_read_nor_waited_upon")])),
];

#[test]
fn every_lesson_is_played_by_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (lesson, played) in LESSONS {
        match played {
            Played([]) | NotHere("") => wrong.push(format!("nobody plays this: {lesson}")),
            Played(tests) => {
                for (file, test) in *tests {
                    let code = fs::read_to_string(root.join(file)).unwrap_or_default();
                    if !code.contains(&format!("#[test]\nfn {test}()"))
                        && !code.contains(&format!("#[test]\n    fn {test}()"))
                        && !code.contains(&format!("test('{test}'"))
                    {
                        wrong.push(format!("{file} has no test {test}, for: {lesson}"));
                    }
                }
            }
            NotHere(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
