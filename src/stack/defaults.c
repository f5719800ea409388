/* The values that suit both sides and most networks, with the RFC where one comes from it. */
#include "stack/stack.h"

void stack_defaults(struct stack_config *out)
{
    *out = (struct stack_config){
        .ike = {.policy = IKE_POLICY_COMPATIBLE,
                .ike_lifetime = 28800,
                .child_lifetime = 3600,
                .dpd_interval = 30 * USEC_SEC,
                .dpd_timeout = 120 * USEC_SEC,
                .natt_keepalive = 20 * USEC_SEC, /* RFC 3948 4 */
                .max_half_open = 64,
                .max_half_open_per_source = 16,
                .max_sas = 64},
        .esp = {.max_sas = 256},
        .l2tp = {.receive_window = 8,
                 .hello_interval = 60 * USEC_SEC, /* RFC 2661 6.5 */
                 .retransmit_first = USEC_SEC,    /* RFC 2661 5.8 */
                 .retransmit_cap = 8 * USEC_SEC,
                 .retransmit_tries = 6,
                 .ack_delay = 100 * USEC_MSEC,
                 .max_tunnels = 64,
                 .max_tunnels_per_carrier = 4,
                 .max_sessions_per_tunnel = 4},
        .outer_mtu = 1500,
        .max_peers = 64,
        .max_sessions = 64,
    };
    ppp_defaults(&out->ppp);
}
