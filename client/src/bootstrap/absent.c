/* SPDX-License-Identifier: Apache-2.0
 *
 * In place of the Bootstrap interface where it is left out (BOOTJACK_WITH_BOOTSTRAP=OFF): there never is a
 * Bootstrap-Server to turn to.
 */
#include "bootstrap/bootstrap.h"

void bjc_bootstrap_init(bjc_bootstrap *bootstrap) {
    bootstrap->state = BJC_BOOTSTRAP_IDLE;
}

void bjc_bootstrap_resume(bjc_bootstrap *bootstrap) {
    (void) bootstrap;
}

void bjc_bootstrap_stop(bjc_bootstrap *bootstrap) {
    (void) bootstrap;
}

void bjc_bootstrap_network_changed(bjc_bootstrap *bootstrap) {
    (void) bootstrap;
}

bool bjc_bootstrap_has_account(const bjc_bootstrap *bootstrap) {
    (void) bootstrap;
    return false;
}

bool bjc_bootstrap_is_settling(const bjc_bootstrap *bootstrap) {
    (void) bootstrap;
    return false;
}

bool bjc_bootstrap_need(bjc_bootstrap *bootstrap, const char *cause) {
    bjc_log(bootstrap->core, BOOTJACK_LOG_WARNING, "bootstrap needed (%s), but it is not part of this build", cause);
    return false;
}

void bjc_bootstrap_succeeded(bjc_bootstrap *bootstrap) {
    (void) bootstrap;
}
