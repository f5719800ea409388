/* The bare client: one connection on the stack that the gateway runs too. */
#ifndef SEKISHO_CLIENT_INTERNAL_H
#define SEKISHO_CLIENT_INTERNAL_H

#include "net/net.h"
#include "pump/pump.h"
#include "stack/stack.h"

#define CLIENT_ROUTES_MAX 32

/* All borrowed from the command line. */
struct client_options {
    struct ip_addr server, local; /* local family 0: the kernel's choice */
    const char *psk_file, *user, *password_file, *tun;
    const char *ike_proposal, *esp_proposal; /* NULL: by policy */
    struct route routes[CLIENT_ROUTES_MAX];
    size_t route_count;
    enum ike_encap encap;
    const char *identity; /* NULL: the address */
    bool pfs, aggressive;
};

/* Connects, prints each step, carries packets until a signal or the end. Returns the exit status. */
int client_run(const struct client_options *options);

#endif
