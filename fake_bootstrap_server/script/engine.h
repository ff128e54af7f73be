/* SPDX-License-Identifier: Apache-2.0
 *
 * The interpreter: plays the servers of a scenario in a world and follows the script. It keeps everything in one
 * arena, allocates nowhere else, reads no clock, opens no socket: all it knows it gets from the world.
 *
 * What an engine does when the client sends something:
 *  - an exact repetition (same peer, Message ID and bytes within EXCHANGE_LIFETIME) is answered as before, logged as
 *    passed over (the step `retransmission` can await it);
 *  - an ACK or RST for a message of ours goes to that exchange; a response to an operation goes to the step that waits;
 *  - a CoAP ping is answered with RST and passed over;
 *  - a request is matched against the step that awaits one. While no step awaits (an operation's answer is
 *    awaited, time is advanced), requests wait in order. A request that the present step does not allow is either
 * lawful traffic that is not the subject (an Update or De-register of a registration that this run's server accepted:
 * answered by itself and passed over) or the end: fail, "expected ..., the client sent ...".
 */
#ifndef BJ_SCRIPT_ENGINE_H
#define BJ_SCRIPT_ENGINE_H

#include "base/arena.h"
#include "script/program.h"
#include "world.h"

typedef struct bj_engine bj_engine;

/* `scenario` (a BJ_K_SCENARIO record) and `profile` (BJ_K_PROFILE, or NULL: nothing is known) must outlive the engine.
 */
bj_engine *bj_engine_new(bj_arena *arena, const bj_record *scenario, const bj_record *profile, bj_world *world,
                         const bj_world_ops *ops);

/* After another process took the arena over: functions may lie elsewhere now. */
void bj_engine_attach(bj_engine *engine, bj_world *world, const bj_world_ops *ops);

/* Declares servers, opens ports, sets DNS and links, begins the first step. A scenario that needs what the world
 * cannot do gets its verdict (skip) here. Call before the client starts. */
void bj_engine_start(bj_engine *engine);

/* Before bj_engine_start(): a step that is not met, or cannot be carried out, ends itself and not the run; what came in
 * place of an awaited request is taken for it. The verdict is BJ_FAIL then, with the first reason, and the world is
 * healed all the same: for programs that nobody wrote (fuzzing), where only what follows counts. */
void bj_engine_be_lenient(bj_engine *engine);
/* Before bj_engine_start(): the log does not say what the steps that begin are, which takes time to print. */
void bj_engine_be_terse(bj_engine *engine);
/* Before bj_engine_start(): what leaves in clear over TCP leaves in pieces of no less than so many bytes, whatever the
 * scenario says: for a client that is known to fail where the header of a message is cut. 0: any piece. */
void bj_engine_set_least_piece(bj_engine *engine, uint32_t bytes);
/* A lenient engine's script ends here, whatever is left of it; the world is healed. Of no effect afterwards. */
void bj_engine_end_script(bj_engine *engine);
/* The script is over and the world healed; the run is not over yet. */
bool bj_engine_is_healing(const bj_engine *engine);

/* A script that grows while it runs: where the steps come from that follow those of the scenario. Asked when the script
 * is through with all that it has, from inside a call of the world's: until it returns, the world stands still. */
typedef enum bj_fed {
    BJ_FED_STEPS = 0, /* *steps (a BJ_K_SCENARIO record of which only the steps count; it outlives the engine) go on */
    BJ_FED_END = 1,   /* the script is over */
    BJ_FED_LEAVE = 2, /* likewise, and the world is not healed */
} bj_fed;
typedef bj_fed bj_engine_feed(void *context, const bj_record **steps);

/* Before bj_engine_start(), and again after bj_engine_attach(). */
void bj_engine_set_feed(bj_engine *engine, bj_engine_feed *feed, void *context);

/* Before bj_engine_start(): when so many steps have begun, the client's power goes, its disk is left in the state of
 * that number, and the scenario's `power-cuts` follow. */
void bj_engine_cut_at_step(bj_engine *engine, uint32_t step, uint32_t outcome);

/* From the world: something happened. `event` is its number in the log (the cause of what follows). */
void bj_engine_datagram(bj_engine *engine, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                        uint32_t event);
void bj_engine_stream_opened(bj_engine *engine, int endpoint, int connection, const bj_addr *from, uint32_t event);
void bj_engine_stream_data(bj_engine *engine, int connection, const uint8_t *data, size_t length, uint32_t event);
void bj_engine_stream_closed(bj_engine *engine, int connection, bool reset, uint32_t event);
/* A look-up of the client was answered: with an address (failed = false), or not. The engine needs it to know when an
 * attempt failed. */
void bj_engine_dns_answered(bj_engine *engine, const char *name, bool failed, uint32_t event);
/* A datagram of the client to `to` met a closed port: the client learned of it now. */
void bj_engine_icmp(bj_engine *engine, const bj_addr *to, uint32_t event);
void bj_engine_tick(bj_engine *engine);
/* The client ended by itself: exit status, or the signal that killed it. */
void bj_engine_client_exited(bj_engine *engine, int status, int signal_number, uint32_t event);
/* The client's power went, at an operation of its disk. */
void bj_engine_power_cut(bj_engine *engine, uint32_t event);
/* The client cannot go on: it blocks for ever and no event is to come (`waits`), it spins, the budget of virtual time
 * is used up. A lenient script is over then, and behind one that waits the world is healed. */
void bj_engine_client_stuck(bj_engine *engine, const char *how, bool waits, uint32_t event);

/* The run has its verdict (a VERDICT event stands in the log). */
bool bj_engine_done(const bj_engine *engine);
bj_verdict bj_engine_verdict(const bj_engine *engine);

/* Where the client finds its bootstrap server and its accounts, after ops->real_address(): for command lines.
 * The URI of the scenario's bootstrap account as the client must be told it. */
void bj_engine_client_uri(const bj_engine *engine, const char *uri, bj_text *out);

#endif
