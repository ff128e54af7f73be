/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that an application needs.
 */
#ifndef BOOTJACK_BOOTJACK_H
#define BOOTJACK_BOOTJACK_H

#include "bootjack/access_control.h"
#include "bootjack/client.h"
#include "bootjack/data_model.h"
#include "bootjack/device.h"
#include "bootjack/error.h"
#include "bootjack/limits.h"
#include "bootjack/persistence.h"
#include "bootjack/reporting.h"
#include "bootjack/security.h"
#include "bootjack/server.h"
#include "bootjack/test_object.h"

#endif
