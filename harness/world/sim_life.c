/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's own life in the simulated world: what it does with its disk.
 */
#include "world/sim_internal.h"

bj_disk *bj_sim_disk(bj_sim *sim) {
    return sim->disk;
}

void bj_sim_disk_used(bj_sim *sim) {
    uint64_t operations = bj_disk_operations(sim->disk);
    if (operations == sim->disk_operations) {
        return;
    }
    sim->disk_operations = operations;
    sim_log(sim, (bj_event){ .kind = BJ_EV_DISK,
                             .actor = BJ_ACTOR_CLIENT,
                             .number = (int64_t) operations,
                             .text = bj_disk_last_operation(sim->disk) });
    sim_moved(sim);
}
