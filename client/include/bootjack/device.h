/* SPDX-License-Identifier: Apache-2.0
 *
 * Device (/3): its single instance /3/0 is there from installation on and survives every Bootstrap-Delete
 * (LwM2M Core 1.1 §6.1.7.6, Appendix E.4).
 */
#ifndef BOOTJACK_DEVICE_H
#define BOOTJACK_DEVICE_H

#include "bootjack/client.h"
#include "bootjack/data_model.h"

/* What the application says of the device, and does when a server asks. NULL = absent. */
typedef struct bootjack_device {
    const char *manufacturer;     /* /3/0/0 */
    const char *model_number;     /* /3/0/1 */
    const char *serial_number;    /* /3/0/2 */
    const char *firmware_version; /* /3/0/3 */
    const char *device_type;      /* /3/0/17 */
    const char *hardware_version; /* /3/0/18 */
    const char *software_version; /* /3/0/19 */
    /* Execute of /3/0/4: called after the answer was sent. NULL: 2.04, and nothing happens. */
    void (*reboot)(void *context);
    /* Execute of /3/0/5: the same. NULL: 4.05. */
    void (*factory_reset)(void *context);
    void *context; /* handed to both */
} bootjack_device;

/* Texts are copied; NULL `device` = all absent. */
BOOTJACK_API bootjack_error bootjack_device_object_install(bootjack_client *client, const bootjack_device *device);

#endif
