/* SPDX-License-Identifier: Apache-2.0
 *
 * Device (/3): its single instance /3/0 is there from installation on and survives every Bootstrap-Delete
 * (LwM2M Core 1.1 §6.1.7.6, Appendix E.4).
 */
#ifndef BOOTJACK_DEVICE_H
#define BOOTJACK_DEVICE_H

#include "bootjack/client.h"
#include "bootjack/data_model.h"

typedef struct bootjack_device {
    const char *manufacturer; /* /3/0/0 to /3/0/3 and /3/0/17 to /3/0/19; NULL = absent */
    const char *model_number;
    const char *serial_number;
    const char *firmware_version;
    const char *device_type;
    const char *hardware_version;
    const char *software_version;
    /* Execute of /3/0/4 and /3/0/5: called after the answer was sent. NULL: 4.05 for Factory Reset, nothing for Reboot.
     */
    void (*reboot)(void *context);
    void (*factory_reset)(void *context);
    void *context;
} bootjack_device;

/* Texts are copied; NULL `device` = all absent. */
BOOTJACK_API bootjack_error bootjack_device_object_install(bootjack_client *client, const bootjack_device *device);

#endif
