/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's own life in the simulated world: its disk, its power, its starts.
 *
 * A cut is a state of the world (`cut`) in which the client must not go on; whoever runs the client sees it through
 * bj_sim_over(), leaves it for dead, and calls bj_sim_without_client().
 */
#include <errno.h>
#include <fcntl.h>

#include "world/sim_internal.h"

/* --- power cuts ----------------------------------------------------------------------------------------------- */

static uint32_t outcome_of(bj_sim *sim, int64_t outcome, uint8_t keeps) {
    uint32_t outcomes = bj_disk_outcomes(sim->disk);
    if (outcome >= 0) {
        return outcome < outcomes ? (uint32_t) outcome : outcomes - 1;
    }
    return bj_disk_choose(sim->disk, (bj_disk_keeps) keeps, bj_rng_next(&sim->world));
}

static uint32_t cut_power(bj_sim *sim, int64_t wanted, uint8_t keeps) {
    uint32_t outcomes = bj_disk_outcomes(sim->disk), outcome = outcome_of(sim, wanted, keeps);
    BJ_TEXT(how, 1000);
    bj_disk_cut(sim->disk, outcome, &how);
    bj_disk_switch(sim->disk, false); /* a client that is not at its end yet (linked) changes nothing any more */
    sim_sockets_vanish(sim);
    sim->cut = sim->off = true;
    sim->cut_at = 0;
    sim->signals = 0;
    return sim_log(sim, (bj_event){ .kind = BJ_EV_POWER_CUT,
                                    .actor = BJ_ACTOR_CLIENT,
                                    .cause = sim->handling,
                                    .number = outcome,
                                    .other = outcomes,
                                    .text = how.start });
}

int64_t sim_power_cut(bj_world *w, const bj_power_cut *cut) {
    bj_sim *sim = sim_of(w);
    if (sim->absent || sim->cut) {
        return -ESRCH;
    }
    if (!cut->at_operation) {
        return cut_power(sim, cut->outcome, cut->keeps);
    }
    sim->cut_at = bj_disk_operations(sim->disk) + cut->at_operation;
    sim->cut_outcome = cut->outcome;
    sim->cut_keeps = cut->keeps;
    return 0;
}

void bj_sim_cut_at(bj_sim *sim, uint64_t operation, uint32_t outcome) {
    sim->cut_at = operation;
    sim->cut_outcome = outcome;
}

bool bj_sim_was_cut(const bj_sim *sim) {
    return sim->cut && !sim->over;
}

/* --- starts --------------------------------------------------------------------------------------------------- */

int sim_client_start(bj_world *w) {
    bj_sim *sim = sim_of(w);
    if (!sim->absent && !sim->cut) {
        return -EALREADY;
    }
    sim->start_due = true;
    return 0;
}

static bool start_is_due(void *context) {
    return ((bj_sim *) context)->start_due;
}

void bj_sim_client_left(bj_sim *sim) {
    sim->cut = false;
    sim->absent = true;
    sim->signals = 0;
}

bool bj_sim_without_client(bj_sim *sim) {
    bj_sim_client_left(sim);
    while (!sim->over && !sim->start_due) {
        bj_sim_wait_until(sim, start_is_due, sim, BJ_NEVER);
    }
    if (sim->over) {
        return false;
    }
    bj_disk_switch(sim->disk, true);
    sim->absent = sim->off = sim->start_due = false;
    sim->idle = 0;
    return true;
}

/* --- its standard input --------------------------------------------------------------------------------------- */

void bj_sim_set_input(bj_sim *sim, bj_sim_input_fn *input, void *context) {
    sim->input = input;
    sim->input_context = context;
}

int sim_client_input(bj_world *w, const char *line, size_t length, bool end) {
    bj_sim *sim = sim_of(w);
    if (!sim->input) {
        return -ENOTSUP;
    }
    if (sim->absent || sim->cut) {
        return -ESRCH;
    }
    sim_log(sim, (bj_event){ .kind = BJ_EV_CLIENT_INPUT,
                             .actor = BJ_ACTOR_WORLD,
                             .cause = sim->handling,
                             .number = end,
                             .text = line,
                             .text_length = length });
    return sim->input(sim->input_context, line, length, end);
}

/* --- the disk ------------------------------------------------------------------------------------------------- */

bj_disk *bj_sim_disk(bj_sim *sim) {
    return sim->disk;
}

void bj_sim_disk_used(bj_sim *sim) {
    uint64_t operations = bj_disk_operations(sim->disk);
    if (operations == sim->disk_operations) {
        return;
    }
    sim->disk_operations = operations;
    uint32_t event = sim_log(sim, (bj_event){ .kind = BJ_EV_DISK,
                                              .actor = BJ_ACTOR_CLIENT,
                                              .number = (int64_t) operations,
                                              .text = bj_disk_last_operation(sim->disk) });
    sim_moved(sim);
    if (sim->cut_at && operations >= sim->cut_at && !bj_sim_over(sim)) {
        sim->handling = event;
        uint32_t cut = cut_power(sim, sim->cut_outcome, sim->cut_keeps);
        if (sim->engine) {
            bj_engine_power_cut(sim->engine, cut);
        }
        sim->handling = 0;
    }
}

void sim_order_disk(bj_world *w, const bj_disk_order *order) {
    bj_disk *disk = sim_of(w)->disk;
    if (order->space) {
        bj_disk_set_space(disk, order->space);
    }
    if (order->error == 0) {
        bj_disk_mend(disk);
    } else if (order->error > 0) {
        bj_disk_fail(disk, (bj_disk_operation) order->operation, order->error, order->skip, order->count);
    }
    const char *text = order->error > 0 ? "the client's disk fails"
                       : order->space   ? "the client's disk has another size"
                                        : "the client's disk is well";
    sim_log(sim_of(w), (bj_event){ .kind = BJ_EV_FAULT, .number = 1, .text = text });
}

void sim_put_file(bj_world *w, const char *name, const bj_file_look *file) {
    bj_sim *sim = sim_of(w);
    int64_t now = bj_sim_epoch(sim) * 1000000 + (int64_t) sim->now;
    bj_disk_node *node;
    if (bj_disk_open(sim->disk, name, O_WRONLY | O_CREAT | O_TRUNC, file->mode | 0200, now, &node) == 0) {
        bj_disk_write(sim->disk, node, 0, file->data, file->length, now);
        bj_disk_chmod(sim->disk, node, file->mode, now);
        bj_disk_close(sim->disk, node);
    }
    bj_disk_sync_all(sim->disk);
    bj_disk_forget_operations(sim->disk);
    sim->disk_operations = 0;
}

bool sim_look_at_file(bj_world *w, const char *name, bj_file_look *file) {
    int error;
    bj_disk_status status;
    const bj_disk_node *node = bj_disk_find(sim_of(w)->disk, name, &error);
    if (!node) {
        return false;
    }
    bj_disk_stat(node, &status);
    *file = (bj_file_look){ .mode = status.mode, .data = bj_disk_content(node), .length = (size_t) status.size };
    if (status.directory) {
        file->length = 0;
    }
    return true;
}
