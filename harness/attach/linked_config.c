/* SPDX-License-Identifier: Apache-2.0
 *
 * See linked_config.h.
 */
#define _GNU_SOURCE
#include "attach/linked_config.h"

#include <string.h>

#include "libc/libc.h"

enum { MOST_INSTANCE = 65534 }; /* LwM2M Core 1.1 §7.2: 65535 is none */

/* -1 when it is not given. */
static int64_t milliseconds(const bj_record *record, unsigned field) {
    return bj_get(record, field) ? (int64_t) (bj_get_duration(record, field, 0) / BJ_MS) : -1;
}

static int number(const bj_record *record, unsigned field) {
    return bj_get(record, field) ? (int) bj_get_uint(record, field, 0) : -1;
}

static const unsigned char *bytes(const bj_record *record, unsigned field, size_t *length) {
    const bj_value *value = bj_get(record, field);
    *length = value ? value->as.string.length : 0;
    return value ? (const unsigned char *) value->as.string.bytes : NULL;
}

static void fill_account(bootjack_linked_account *out, const bj_record *in, int bootstrap) {
    uint32_t instance = bj_get_uint(in, BJ_F(ACCOUNT, INSTANCE), UINT32_MAX);
    *out = (bootjack_linked_account){
        .bootstrap = bootstrap,
        .instance = instance > MOST_INSTANCE ? -1 : (int) instance,
        .uri = bj_get_string(in, BJ_F(ACCOUNT, URI), ""),
        .security_mode = (int) bj_get_uint(in, BJ_F(ACCOUNT, SECURITY), 3),
        .holdoff_ms = milliseconds(in, BJ_F(ACCOUNT, HOLDOFF)),
        .timeout_ms = milliseconds(in, BJ_F(ACCOUNT, TIMEOUT)),
        .ssid = (int) bj_get_uint(in, BJ_F(ACCOUNT, SSID), 0),
        .lifetime_ms = (int64_t) (bj_get_duration(in, BJ_F(ACCOUNT, LIFETIME), 86400 * BJ_SECOND) / BJ_MS),
        .binding = bj_get_string(in, BJ_F(ACCOUNT, BINDING), "U"),
        .matching_type = number(in, BJ_F(ACCOUNT, MATCHING)),
        .sni = bj_get_string(in, BJ_F(ACCOUNT, SNI), NULL),
        .certificate_usage = number(in, BJ_F(ACCOUNT, USAGE)),
    };
    const bj_value *suites = bj_get(in, BJ_F(ACCOUNT, SUITES));
    if (suites) {
        out->suites = suites->as.uints.items;
        out->suite_count = suites->as.uints.count;
    }
    out->identity = bytes(in, BJ_F(ACCOUNT, IDENTITY), &out->identity_length);
    out->key = bytes(in, BJ_F(ACCOUNT, KEY), &out->key_length);
    out->server_key = bytes(in, BJ_F(ACCOUNT, SERVER_KEY), &out->server_key_length);
}

static void fill_accounts(bootjack_linked_config *config, bj_arena *arena, const bj_record *client) {
    const bj_record *bootstrap = bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
    const bj_value *servers = bj_get(client, BJ_F(CLIENT, ACCOUNTS));
    size_t server_count = servers ? servers->as.records.count : 0;
    bootjack_linked_account *list = bj_arena_calloc(arena, server_count + 1, sizeof *list);
    size_t n = 0;
    if (bootstrap) {
        fill_account(&list[n++], bootstrap, 1);
    }
    for (size_t i = 0; i < server_count; i++) {
        fill_account(&list[n++], servers->as.records.items[i], 0);
    }
    config->accounts = list;
    config->account_count = n;
}

/* So that what is too much is refused, and not cut to something that is taken. */
static int at_most_16_bits(uint32_t number) {
    return number > UINT16_MAX ? UINT16_MAX : (int) number;
}

void bj_linked_config_fill(bootjack_linked_config *config, bj_arena *arena, const bj_record *scenario,
                           const bj_record *profile) {
    const bj_record *client = bj_get_record(scenario, BJ_F(SCENARIO, CLIENT));
    const bj_record *transmission = bj_get_record(scenario, BJ_F(SCENARIO, TRANSMISSION));
    uint64_t jitter = bj_get_factor(profile, BJ_F(PROFILE, HOLDOFF_JITTER), 0);
    int64_t cap = milliseconds(client, BJ_F(CLIENT, HOLDOFF_CAP));
    *config = (bootjack_linked_config){
        .endpoint = bj_get_string(client, BJ_F(CLIENT, ENDPOINT), "dev-1"),
        .lwm2m_version = bj_get_string(client, BJ_F(CLIENT, VERSION), NULL),
        .holdoff_cap_ms = cap >= 0 ? cap : milliseconds(profile, BJ_F(PROFILE, HOLDOFF_CAP)),
        .holdoff_jitter = (double) bj_get_factor(client, BJ_F(CLIENT, HOLDOFF_JITTER), jitter) / 1e6,
        .ack_timeout_ms = milliseconds(transmission, BJ_F(TRANSMISSION, ACK_TIMEOUT)),
        .ack_random_factor = (double) bj_get_factor(transmission, BJ_F(TRANSMISSION, ACK_RANDOM_FACTOR), 0) / 1e6,
        .max_retransmit = bj_get(transmission, BJ_F(TRANSMISSION, MAX_RETRANSMIT))
                              ? at_most_16_bits(bj_get_uint(transmission, BJ_F(TRANSMISSION, MAX_RETRANSMIT), 4))
                              : -1,
        .strict = bj_get_bool(client, BJ_F(CLIENT, STRICT), false),
        .legacy = bj_get_bool(client, BJ_F(CLIENT, LEGACY), false),
        .queue_mode = bj_get_bool(client, BJ_F(CLIENT, QUEUE), false),
        .access_control = bj_get_bool(client, BJ_F(CLIENT, ACCESS_CONTROL), false),
        .pack = bj_get(client, BJ_F(CLIENT, PACK)) ? bj_get_bool(client, BJ_F(CLIENT, PACK), false) : -1,
        .test_object = bj_get_bool(client, BJ_F(CLIENT, TEST_OBJECT), false),
    };
    config->trust_store = bytes(client, BJ_F(CLIENT, TRUST_STORE), &config->trust_store_length);
    config->state_path = bj_get(client, BJ_F(CLIENT, STATE)) ? BJ_LIBC_DISK "/" BJ_STATE_FILE : NULL;
    fill_accounts(config, arena, client);
}
