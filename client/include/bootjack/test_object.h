/* SPDX-License-Identifier: Apache-2.0
 *
 * An Object to try things on: /3442 of the OMA registry, "LwM2M v1.1 Test Object", with a resource of every data type,
 * single (110 String, 120 Integer, 125 Unsigned, 130 Float, 140 Boolean, 150 Opaque, 160 Time, 170 Objlnk, 180 Corelnk)
 * and multiple (1110 to 1180 in the same order). All of them can be read and written.
 *
 * Executables: 0 sets the initial values, 1 random ones, 2 takes all values away, 3 keeps its arguments in 4, one
 * Resource Instance an argument; 5 sends (bootjack_send()) the paths that its arguments are,
 * 0='/3442/0/120',1='/1/0/1', or the whole instance without any, to every server that the client is registered with. 6
 * of the registry's table is not there.
 */
#ifndef BOOTJACK_TEST_OBJECT_H
#define BOOTJACK_TEST_OBJECT_H

#include "bootjack/client.h"
#include "bootjack/data_model.h"

/* Object ID of the test object. */
#define BOOTJACK_TEST_OBJECT_ID UINT16_C(3442)

/* Installs it with an instance 0 that has the initial values; more can be made. A LwM2M 1.0 client has it without
 * Unsigned and Corelnk, which that release does not know. BOOTJACK_ERR_EXISTS, BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_STATE
 * (the client was started). */
BOOTJACK_API bootjack_error bootjack_test_object_install(bootjack_client *client);

#endif
