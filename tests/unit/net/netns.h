/* Tests that need a network of their own run in a fresh network namespace; where none may be made they are skipped. */
#ifndef SEKISHO_TEST_NETNS_H
#define SEKISHO_TEST_NETNS_H

#include "net/net.h"
#include "tests/test.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#define EXIT_SKIPPED 77 /* meson's word for it */

static inline void enter_namespace(void)
{
    if (unshare(CLONE_NEWNET | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) < 0) {
        printf("Skipped: this test needs a network namespace, which this user may not create (%s).\n", strerror(errno));
        exit(EXIT_SKIPPED);
    }
    if (iface_set_up(iface_index("lo"), true) != ERR_OK) {
        printf("Skipped: the loopback interface of the new namespace cannot be brought up.\n");
        exit(EXIT_SKIPPED);
    }
}

#endif
