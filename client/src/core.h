/* SPDX-License-Identifier: Apache-2.0
 *
 * What every part of one client shares: configuration, memory, log, time, random numbers, transmission parameters.
 */
#ifndef BJC_CORE_H
#define BJC_CORE_H

#include "bootjack/client.h"
#include "util/memory.h"
#include "util/scheduler.h"

typedef struct bjc_core {
    bootjack_config config; /* `endpoint` and `trust_store` are copies of our own */
    bootjack_allocator allocator;
    bjc_scheduler scheduler;
} bjc_core;

bootjack_error bjc_core_init(bjc_core *core, const bootjack_config *config);
void bjc_core_free(bjc_core *core);

void bjc_log(const bjc_core *core, bootjack_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Tells that a state machine moved, to the log and to the application. */
void bjc_moved(const bjc_core *core, const char *machine, const char *from, const char *to, const char *cause);

/* False: no random numbers to be had. */
bool bjc_random_bytes(const bjc_core *core, void *out, size_t length);
/* Uniform in [0, 1]; 0 when there are none to be had. */
double bjc_random_unit(const bjc_core *core);

/* Derived from the transmission parameters (RFC 7252 §4.8.2). */
bjc_time bjc_max_transmit_span(const bootjack_tx_params *tx);
bjc_time bjc_max_transmit_wait(const bootjack_tx_params *tx);
bjc_time bjc_exchange_lifetime(const bootjack_tx_params *tx);
bjc_time bjc_stream_exchange_lifetime(const bootjack_config *config); /* over TCP and TLS */
bjc_time bjc_non_lifetime(const bootjack_tx_params *tx);

#endif
