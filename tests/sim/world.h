/*
 * A small world on a virtual clock: clients, home routers with NAPT, an internet that loses, repeats, delays and
 * reorders, and a gateway; whole stacks in one process. Everything follows from the seed.
 *
 *     client --- [NAPT] --- internet --- gateway
 */
#ifndef SEKISHO_SIM_WORLD_H
#define SEKISHO_SIM_WORLD_H

#include "stack/stack.h"

#define CLIENTS_MAX 64

struct weather {
    uint32_t loss_percent, repeat_percent;
    usec_t delay, jitter; /* jitter beyond the spacing of packets reorders them */
};

struct flight; /* a datagram on its way */

/* A plain one has no way to translate ESP and loses it. One with IPsec passthrough leaves IKE's port 500 as it is,
 * tells exchanges apart by their initiator's cookie, and shows ESP from outside to every host inside: it has SPIs that
 * only its own takes. */
struct napt {
    bool present, passthrough;
    struct ip_addr outside;
    uint16_t next_port;
    struct {
        uint8_t cookie[8];
        struct ip_addr inside;
    } exchanges[64];
    size_t exchange_count;
    struct {
        struct endpoint inside;
        uint16_t outside_port;
    } mappings[8];
    size_t n;
};

struct sim_client {
    struct world *world;
    struct stack *stack;
    struct ip_addr addr;
    struct napt *napt; /* may be shared; NULL: none */
    struct ppp_config ppp;
    uint32_t peer;
    bool ask_routes, probe_mtu; /* for client_connect() */
    bool up, down, started;
    const char *identity; /* what it calls itself; NULL: its address */
    const char *typed;    /* the answer to a prompt */
    uint8_t mistyped;     /* so many prompts are answered with nonsense first */
    uint8_t rounds;       /* how often it was asked */
    char prompt[PPP_PROMPT_MAX];
    uint32_t leases, probes; /* how often these were told */
    struct dhcp_lease lease;
    uint16_t mtu;
    const struct ike_credential *credential; /* NULL: with the pre-shared key */
    const char *expect;                      /* the gateway's name; NULL: any */
    enum cause cause;
    enum stage failed_at;
    struct ppp_network network;
    uint64_t received; /* inner packets */
    uint32_t last_payload;
};

struct world {
    uint64_t seed;
    struct random_test generator;
    struct random random;
    usec_t now;
    struct weather weather;
    struct flight *flights;
    uint64_t flown;    /* datagrams sent so far */
    uint32_t path_mtu; /* what is larger is lost if it goes with DF; 0: no limit */
    bool black_hole;   /* and also if it does not */
    bool lose_esp;     /* what is not in UDP */
    uint64_t lose;     /* the number of the one datagram to lose; 0: none */
    struct stack *gateway;
    struct ip_addr gateway_addr;
    struct ike_psk psks[2];
    struct ike_psk client_psk;
    struct sim_client clients[CLIENTS_MAX];
    size_t client_count;
    uint64_t gateway_received;
    uint32_t gateway_last_payload;
    uint32_t ups, downs;
    enum cause gateway_cause;
    enum stage gateway_failed_at;
    uint32_t next_address;
    usec_t auth_delay;                                 /* how long the user store takes */
    const char *question;                              /* what it asks by EAP-GTC, and who is wrong may try again */
    uint32_t questions;                                /* how often */
    void (*prove)(void *ctx, struct ike_proof *proof); /* makes and judges signatures, of both sides */
    void *prove_ctx;
    struct {
        bool due;
        bool asks; /* the question, and not a verdict */
        usec_t at;
        uint32_t session;
        uint64_t key;
        struct ppp_auth_answer answer;
    } auths[CLIENTS_MAX * 2];
};

struct world *world_new(uint64_t seed);
void world_free(struct world *w);
/* What the gateway and clients are made with, for tests that change it before world_gateway() or world_client(). */
struct stack_config world_settings(const struct world *w, bool server);
void world_gateway(struct world *w, const struct stack_config *config);
struct sim_client *world_client(struct world *w, const struct stack_config *config, const char *addr,
                                struct napt *napt);
void client_connect(struct sim_client *c, const char *user, const char *password);

/* Lets everything happen that is due within `span`, or until done(ctx) says so; true when it did. */
bool world_run(struct world *w, usec_t span, bool (*done)(void *ctx), void *ctx);
bool client_is_up(void *client);
bool client_is_down(void *client);

/* One inner UDP packet with this number in it, from the client to the office, or back. */
void client_send(struct sim_client *c, uint32_t number);
void gateway_send(struct world *w, const struct sim_client *to, uint32_t number);

/* A datagram from anywhere to the gateway, at once. */
void world_inject(struct world *w, const char *from, uint16_t port, uint16_t to_port, const uint8_t *bytes, size_t n);
/* Forgets the NAT's mappings: the next packet gets a new port. */
void napt_forget(struct napt *n);

#endif
