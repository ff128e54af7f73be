/* SPDX-License-Identifier: Apache-2.0
 *
 * Any program against any client: byte strings decode to programs that no person would write, and a client may send
 * anything. Whatever happens, the engine stays in its memory, comes to no loop, and runs twice the same.
 */
#include "engine_fixture.h"

#include "script/bytes.h"

enum { PROGRAMS = 600, MOST_BYTES = 600, MOVES = 60 };

static uint64_t dice_state;

static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t) (dice_state >> 33) % sides;
}

/* What the client does next: nothing, garbage, a request, an answer to the last thing that came, an empty message. */
static void client_moves(void) {
    uint8_t bytes[64];
    bj_addr to = server_address(dice(2));
    static const char *const paths[] = { "/bs", "/rd", "/rd/1", "/x" };
    switch (dice(6)) {
    case 0:
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t) dice(256);
        }
        bytes[0] = dice(2) ? (uint8_t) (0x40 | (bytes[0] & 0x3F)) : bytes[0];
        client_sends_bytes(&to, bytes, dice(sizeof bytes));
        break;
    case 1:
        client_requests_as(dice(4) ? BJ_COAP_CON : BJ_COAP_NON, dice(2), (uint8_t) (1 + dice(4)), paths[dice(4)],
                           dice(2) ? "ep=dev-1" : NULL);
        break;
    case 2:
        if (last_request.version) {
            client_repeats();
        }
        break;
    case 3:
    case 4:
        if (w.inbox_count) {
            taken = w.inbox[--w.inbox_count];
            bj_coap m;
            if (bj_coap_decode(&m, taken.data, taken.length) == BJ_COAP_OK) {
                static const uint8_t codes[] = {
                    CODE(2, 2), CODE(2, 4), CODE(2, 5), CODE(2, 31), CODE(4, 0), CODE(4, 6)
                };
                client_answers(&m, codes[dice(sizeof codes)]);
            }
        }
        break;
    default:
        client_sends_empty((uint8_t) dice(4), (uint16_t) dice(65536));
        break;
    }
}

static void play(const uint8_t *bytes, size_t length, uint64_t seed) {
    world_reset();
    memset(&last_request, 0, sizeof last_request);
    dice_state = seed;
    bj_record *scenario = bj_program_decode(w.arena, BJ_K_SCENARIO, bytes, length, NULL, 0);
    w.engine = bj_engine_new(w.arena, scenario, NULL, &w, &w.ops);
    bj_engine_start(w.engine);
    for (int i = 0; i < MOVES && !bj_engine_done(w.engine); i++) {
        client_moves();
        pass((bj_time) dice(1000) * dice(1000) * BJ_MS / (1 + dice(1000)));
        w.inbox_count = w.inbox_count > INBOX / 2 ? 0 : w.inbox_count;
    }
    if (!bj_engine_done(w.engine)) {
        bj_engine_client_exited(w.engine, (int) dice(2), 0, 0);
    }
    if (!bj_engine_done(w.engine)) {
        bj_engine_client_stuck(w.engine, "enough", false, 0);
    }
}

static uint64_t digest_of_log(void) {
    uint64_t hash = 1469598103934665603U;
    size_t cursor = 0;
    bj_event event;
    while (bj_log_next(w.log, &cursor, &event)) {
        hash = (hash ^ event.time ^ event.kind ^ event.cause) * 1099511628211U;
        for (size_t i = 0; i < event.raw_length; i++) {
            hash = (hash ^ event.raw[i]) * 1099511628211U;
        }
    }
    return hash;
}

/* A lawful program's bytes, with some of them changed. */
static size_t spoiled(uint8_t *bytes, const char *yaml) {
    bj_mistakes mistakes = { .count = 0 };
    bj_record *scenario = bj_load_bytes(w.arena, BJ_K_SCENARIO, "test", yaml, strlen(yaml), &mistakes);
    assert_non_null(scenario);
    bj_string form = bj_program_encode(w.arena, scenario);
    size_t length = form.length < MOST_BYTES ? form.length : MOST_BYTES;
    memcpy(bytes, form.bytes, length);
    for (uint32_t n = dice(6); n; n--) {
        bytes[dice((uint32_t) length)] = (uint8_t) dice(256);
    }
    return length;
}

static const char whole[] = SCENARIO_1S
    "steps:\n"
    "  - request: {path: /bs, capture: a}\n  - respond: {code: 2.04, to: a}\n"
    "  - either:\n      one:\n        - write: /0\n          tlv: {0: {0: \"coap://mgmt.example\", 1: true, 11: 3}}\n"
    "      two:\n        - write: /0\n          tlv: {0: {0: \"coap://mgmt.example\", 1: true, 11: 3}}\n          "
    "expect: 4.00\n"
    "  - repeat: 3\n    steps:\n      - delete: /\n        wait: false\n      - response: [2.02, 4.00]\n        "
    "within: 3s\n"
    "  - message: \"0.01\"\n    path: /x\n    expect: 4.04\n  - again: bs\n"
    "  - finish: {expect: [2.04, 4.06]}\n"
    "  - when: strict\n    steps: [silence: due(finish)]\n    otherwise: [advance: 2s]\n"
    "  - request: {path: /rd, at: 0..1h}\n  - respond: {code: 2.01, location: /rd/1, separate: true}\n"
    "  - raw: \"40 01 00 01\"\n  - reset: {within: 1s}\n  - restart: bs\n  - port: closed\n  - stop: term\n  - exit: "
    "0\n";

static void any_program(void **state) {
    (void) state;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        uint8_t bytes[MOST_BYTES];
        world_reset();
        dice_state = seed * 77;
        size_t length = dice(3) ? spoiled(bytes, whole) : dice(MOST_BYTES);
        for (size_t i = 0; length != MOST_BYTES && i < length && seed % 3 == 0; i++) {
            bytes[i] = (uint8_t) dice(256);
        }
        play(bytes, length, seed);
        assert_true(bj_engine_done(w.engine));
        uint64_t first = digest_of_log();
        play(bytes, length, seed);
        assert_int_equal(digest_of_log(), first);
    }
}

/* What a day of short intervals costs: memory does not grow with the sessions. */
static void memory_is_bounded(void **state) {
    (void) state;
    begin("title: t\nclient: {bootstrap: {uri: \"coap://bs.example\"}}\nsteps:\n  - repeat: ~\n    until: 1d\n    "
          "steps:\n"
          "      - request: {path: /bs}\n      - respond: 2.04\n      - delete: /\n        expect: 2.02\n"
          "      - finish: {expect: 4.06}\n      - silence: 10s\n");
    size_t early = 0;
    for (int i = 0; i < 4000 && !bj_engine_done(w.engine); i++) {
        client_requests(BS, POST, "/bs", NULL);
        client_gets();
        client_obeys(CODE(2, 2));
        client_obeys(CODE(4, 6));
        pass(20 * BJ_SECOND);
        if (i == 100) {
            early = bj_arena_in_use(w.arena);
        }
    }
    expect_running();
    assert_true(bj_arena_in_use(w.arena) < early + early / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_program),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
