/* SPDX-License-Identifier: Apache-2.0
 *
 * See session_inputs.h. The states are scenarios: what leads a client there.
 */
#include "session_inputs.h"

#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "script/load.h"

enum { PIECES = 24, TEMPLATES = 1 << 20 };

#define BEGIN  "title: Datagrams\nclient: {bootstrap: {uri: \"coap://bs.example\", holdoff: 2s}, state: {}"
#define ASKED  "}\nsteps:\n- request: {to: bs, method: POST, path: /bs}\n"
#define OPENED ASKED "- respond: 2.04\n"
#define CONFIGURED                                                                                                     \
    OPENED "- write: /0/1\n  tlv: {0: \"coap://mgmt.example\", 1: false, 2: 3, 3: \"\", 4: \"\", 5: \"\", 10: 101}\n"  \
           "- write: /1/0\n  tlv: {0: 101, 1: 600, 6: true, 7: U}\n"
#define FINISHED   CONFIGURED "- finish: {}\n- request: {to: mgmt, method: POST, path: /rd}\n"
#define REGISTERED FINISHED "- respond: 2.01\n  location: /rd/1\n"
#define OBSERVED   REGISTERED "- observe: /1/0/1\n  server: mgmt\n"

/* Only ever appended to, so that a corpus survives. */
static const char *const states[] = {
    BEGIN "}\nsteps: [advance: 1ms]\n",               /* holding off */
    BEGIN ASKED,                                      /* its Bootstrap-Request is on its way */
    BEGIN OPENED,                                     /* receiving */
    BEGIN CONFIGURED,                                 /* with accounts that are not validated yet */
    BEGIN FINISHED,                                   /* registering */
    BEGIN REGISTERED,                                 /* registered */
    BEGIN OBSERVED,                                   /* observed */
    BEGIN ", version: \"1.2\", pack: false" OBSERVED, /* the same, of LwM2M 1.2 */
    BEGIN ", version: \"1.0\"" REGISTERED,            /* of LwM2M 1.0 */
};
enum { STATES = sizeof states / sizeof *states };

static const char secured[] = "title: Secured\n"
                              "client: {bootstrap: {uri: \"coaps://bs.example\", security: psk, identity: !text boot, "
                              "key: 000102030405060708090a0b0c0d0e0f, holdoff: 2s}}\n"
                              "servers:\n  bs: ~\n  mgmt: {transport: dtls, identity: !text manage, "
                              "key: 0f0e0d0c0b0a09080706050403020100}\n"
                              "recovery: {off: \"which keys the servers have is not known once the world is healed\"}\n"
                              "steps: [advance: 1ms]\n";

static bj_arena *templates(void) {
    static bj_arena *arena;
    arena = arena ? arena : bj_arena_map(TEMPLATES);
    FUZZ_HOLDS(arena != NULL, "memory can be mapped");
    return arena;
}

static const bj_record *load(const char *text) {
    bj_mistakes mistakes = { 0 };
    const bj_record *program = bj_load_unchecked(templates(), BJ_K_SCENARIO, "built-in", text, strlen(text), &mistakes);
    FUZZ_HOLDS(program != NULL, "a scenario of the target's own is without mistakes");
    return program;
}

static const bj_record *state(unsigned number) {
    static const bj_record *loaded[STATES];
    if (!loaded[number]) {
        loaded[number] = load(states[number]);
    }
    return loaded[number];
}

/* --- datagrams ------------------------------------------------------------------------------------------------ */

static void set_bytes(bj_arena *arena, bj_record *record, unsigned field, bj_type type, const void *bytes,
                      size_t length) {
    bj_value value = { .type = (uint8_t) type,
                       .as.string = { bj_arena_strndup(arena, length ? bytes : "", length), length } };
    bj_set(arena, record, field, &value);
}

/* libcoap answers a request of a method that it does not know by itself, even in an Acknowledgement: no finding of
 * ours. */
static uint8_t known_code(uint8_t code, bool request_is_lawful) {
    return code > 7 && code < 32 && !request_is_lawful ? code & 7 : code;
}

static const bj_record *datagram(bj_arena *arena, bool mgmt, const uint8_t *bytes, size_t length) {
    bj_record *step = bj_record_new(arena, BJ_K_RAW, (bj_position){ 0, 0 });
    char *copy = bj_arena_strndup(arena, length ? (const char *) bytes : "", length);
    if (length > 1) {
        copy[1] = (char) known_code(bytes[1], !(bytes[0] & 0x20));
    }
    set_bytes(arena, step, BJ_F(RAW, HEX), BJ_T_BYTES, copy, length);
    set_bytes(arena, step, BJ_F(RAW, SERVER), BJ_T_STRING, mgmt ? "mgmt" : "bs", mgmt ? 4 : 2);
    return step;
}

static const bj_record *answer(bj_arena *arena, const uint8_t *bytes, size_t length) {
    static const uint16_t formats[] = { 0, 40, 42, 60, 110, 112, 11542, 11543, 11544, 1542 };
    bj_record *step = bj_record_new(arena, BJ_K_RESPOND, (bj_position){ 0, 0 });
    uint8_t code = length ? known_code(bytes[0], false) : 0x44;
    bj_value codes = { .type = BJ_T_CODES };
    codes.as.codes.bits[code >> 6] = UINT64_C(1) << (code & 63);
    bj_set(arena, step, BJ_F(RESPOND, CODE), &codes);
    if (length > 1 && bytes[1] < sizeof formats / sizeof *formats) {
        bj_value format = { .type = BJ_T_UINT, .as.uint = formats[bytes[1]] };
        bj_set(arena, step, BJ_F(RESPOND, FORMAT), &format);
    }
    if (length > 2) {
        set_bytes(arena, step, BJ_F(RESPOND, HEX), BJ_T_BYTES, bytes + 2, length - 2);
    }
    return step;
}

static const bj_record *pause(bj_arena *arena, unsigned exponent) {
    bj_record *step = bj_record_new(arena, BJ_K_ADVANCE, (bj_position){ 0, 0 });
    int64_t time = (int64_t) BJ_MS << (exponent < 24 ? exponent : 24);
    bj_value value = { .type = BJ_T_WHEN, .as.when = { .earliest = time, .latest = time } };
    bj_set(arena, step, BJ_F(ADVANCE, FOR), &value);
    return step;
}

static const bj_record *piece(bj_arena *arena, fuzz_input *input) {
    uint8_t head = fuzz_byte(input);
    if ((head & 3) == 3) {
        return pause(arena, head >> 3);
    }
    uint8_t wanted = fuzz_byte(input);
    size_t length = wanted < input->left ? wanted : input->left;
    const uint8_t *bytes = input->at;
    input->at += length;
    input->left -= length;
    return (head & 3) == 2 ? answer(arena, bytes, length) : datagram(arena, head & 4, bytes, length);
}

const bj_record *session_of_datagrams(bj_arena *arena, const uint8_t *data, size_t size) {
    fuzz_input input = { data, size };
    const bj_record *base = state(fuzz_byte(&input) % STATES);
    const bj_value *before = bj_get(base, BJ_F(SCENARIO, STEPS));
    size_t count = before->as.records.count;
    const bj_record **steps = bj_record_list(arena, count + PIECES);
    for (size_t i = 0; i < count; i++) {
        steps[i] = before->as.records.items[i];
    }
    for (size_t most = count + PIECES; count < most && input.left;) {
        steps[count++] = piece(arena, &input);
    }
    bj_record *program = bj_record_copy(arena, base);
    bj_value list = { .type = BJ_T_STEPS, .as.records = { steps, count } };
    bj_set(arena, program, BJ_F(SCENARIO, STEPS), &list);
    return program;
}

/* --- behind DTLS ---------------------------------------------------------------------------------------------- */

const bj_record *session_secured(bj_arena *arena, const bj_record *program) {
    static const bj_record *with;
    with = with ? with : load(secured);
    const bj_record *own = bj_get_record(program, BJ_F(SCENARIO, CLIENT));
    const bj_record *account = bj_get_record(with, BJ_F(SCENARIO, CLIENT));
    bj_record *client = own ? bj_record_copy(arena, own) : bj_record_new(arena, BJ_K_CLIENT, (bj_position){ 0, 0 });
    bj_share(client, BJ_F(CLIENT, BOOTSTRAP), bj_get(account, BJ_F(CLIENT, BOOTSTRAP)));
    bj_record *copy = bj_record_copy(arena, program);
    bj_set_record(arena, copy, BJ_F(SCENARIO, CLIENT), client);
    bj_share(copy, BJ_F(SCENARIO, SERVERS), bj_get(with, BJ_F(SCENARIO, SERVERS)));
    bj_share(copy, BJ_F(SCENARIO, RECOVERY), bj_get(with, BJ_F(SCENARIO, RECOVERY)));
    return copy;
}
