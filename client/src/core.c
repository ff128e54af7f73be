/* SPDX-License-Identifier: Apache-2.0
 *
 * What every part of one client shares.
 */
#define _GNU_SOURCE
#include "core.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "bootjack/limits.h"
#include "formats/format.h"

/* RFC 7252 §4.8.2. */
#define MAX_LATENCY (100 * BJC_SECOND)

void bootjack_config_init(bootjack_config *config) {
    *config = (bootjack_config){
        .version = BOOTJACK_LWM2M_1_1,
        .preferred_format = BJC_FORMAT_TLV,
        .tx = { .ack_timeout_ms = 2000, .ack_random_factor = 1.5, .max_retransmit = 4 },
        .stream_timeout_ms = 30000,
        .holdoff_cap_ms = 20000,
        .holdoff_jitter = 1.5,
        .bootstrap_pack = true,
        .max_payload = 16384,
        .log_level = BOOTJACK_LOG_INFO,
    };
}

/* The limits of libcoap's arithmetic: it keeps ACK_TIMEOUT as sixteen bits of which six are a fraction, multiplies it
 * by ACK_RANDOM_FACTOR with six bits of fraction, and counts the last interval in milliseconds, each in 32 bits. */
static bool tx_usable(const bootjack_tx_params *tx) {
    bool in_range = tx->ack_timeout_ms >= 1000 && tx->ack_timeout_ms < 1024000 && tx->ack_random_factor >= 1.0 &&
                    tx->ack_random_factor <= 100.0 && tx->max_retransmit >= 1 && tx->max_retransmit <= 16;
    double longest = tx->ack_timeout_ms * tx->ack_random_factor;
    return in_range && longest * 64 < 4294967296.0 && longest * (double) (1u << tx->max_retransmit) < 4294967296.0;
}

/* Formats for single values and those that are only read are nothing to ask for. */
static bool format_usable(const bootjack_config *config) {
    const bjc_format *format = bjc_format_of_release(config->preferred_format, config->version);
    return format && format->least_depth <= 1 && format->write;
}

static bool config_usable(const bootjack_config *config) {
    if (!config->endpoint || !config->endpoint[0] || strlen(config->endpoint) > BOOTJACK_MAX_ENDPOINT ||
        !tx_usable(&config->tx)) {
        return false;
    }
    if (config->version < BOOTJACK_LWM2M_1_0 || config->version > BOOTJACK_LWM2M_1_2 || !format_usable(config)) {
        return false;
    }
    if (config->trust_store_length && !config->trust_store) {
        return false;
    }
    return config->stream_timeout_ms > 0 && config->holdoff_jitter >= 1.0 && config->holdoff_jitter <= 1000.0 &&
           config->max_payload > 0;
}

bootjack_error bjc_core_init(bjc_core *core, const bootjack_config *config) {
    if (!config_usable(config)) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    core->config = *config;
    core->allocator = config->allocator ? *config->allocator : bjc_malloc_allocator;
    core->config.allocator = &core->allocator;
    core->config.endpoint = bjc_copy_text(&core->allocator, config->endpoint);
    core->config.trust_store = config->trust_store_length
                                   ? bjc_copy_bytes(&core->allocator, config->trust_store, config->trust_store_length)
                                   : NULL;
    if (!core->config.endpoint || (config->trust_store_length && !core->config.trust_store)) {
        bjc_core_free(core);
        return BOOTJACK_ERR_MEMORY;
    }
    return BOOTJACK_OK;
}

void bjc_core_free(bjc_core *core) {
    bjc_release(&core->allocator, (void *) (uintptr_t) core->config.endpoint);
    bjc_release(&core->allocator, (void *) (uintptr_t) core->config.trust_store);
    core->config.endpoint = NULL;
    core->config.trust_store = NULL;
}

void bjc_log(const bjc_core *core, bootjack_log_level level, const char *format, ...) {
    if (!core->config.log || level > core->config.log_level) {
        return;
    }
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    core->config.log(core->config.log_context, level, line);
}

void bjc_moved(const bjc_core *core, const char *machine, const char *from, const char *to, const char *cause) {
    const char *const parts[] = { machine, ": ", from, " -> ", to, ": ", cause };
    char text[400];
    size_t length = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (const char *at = parts[i]; *at && length < sizeof text - 1; at++) {
            text[length++] = *at;
        }
    }
    text[length] = '\0';
    if (core->config.state_changed) {
        core->config.state_changed(core->config.state_context, text);
    } else {
        bjc_log(core, BOOTJACK_LOG_INFO, "%s", text);
    }
}

bool bjc_random_bytes(const bjc_core *core, void *out, size_t length) {
    if (core->config.random) {
        return core->config.random(core->config.random_context, out, length);
    }
    return getrandom(out, length, 0) == (ssize_t) length;
}

double bjc_random_unit(const bjc_core *core) {
    uint32_t number = 0;
    return bjc_random_bytes(core, &number, sizeof number) ? (double) number / (double) UINT32_MAX : 0.0;
}

static bjc_time scaled(const bootjack_tx_params *tx, unsigned power) {
    double factor = ((double) (UINT64_C(1) << power) - 1.0) * tx->ack_random_factor;
    return (bjc_time) llround((double) tx->ack_timeout_ms * factor * (double) BJC_MS);
}

bjc_time bjc_max_transmit_span(const bootjack_tx_params *tx) {
    return scaled(tx, tx->max_retransmit);
}

bjc_time bjc_max_transmit_wait(const bootjack_tx_params *tx) {
    return scaled(tx, tx->max_retransmit + 1u);
}

bjc_time bjc_exchange_lifetime(const bootjack_tx_params *tx) {
    bjc_time processing_delay = tx->ack_timeout_ms * BJC_MS;
    return bjc_max_transmit_span(tx) + 2 * MAX_LATENCY + processing_delay;
}

/* RFC 7252 has no such time for streams. Where UDP has MAX_TRANSMIT_SPAN and the rest, half of a request's time stands
 * in: 215.5 s with the default of 30 s. */
bjc_time bjc_stream_exchange_lifetime(const bootjack_config *config) {
    return (401 * BJC_SECOND + config->stream_timeout_ms * BJC_MS) / 2;
}

bjc_time bjc_non_lifetime(const bootjack_tx_params *tx) {
    return bjc_max_transmit_span(tx) + MAX_LATENCY;
}
