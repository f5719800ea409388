#include "ppp/ppp.h"

void ppp_defaults(struct ppp_config *out)
{
    *out = (struct ppp_config){
        .auth = {PPP_AUTH_MSCHAPV2, PPP_AUTH_EAP_MSCHAPV2, PPP_AUTH_CHAP_MD5},
        .mru = 1400,
        .mtu = 1400,
        .acfc = true,
        .pfc = true,
        .echo_interval = 60 * USEC_SEC,
        .echo_failures = 4,
        .restart = 3 * USEC_SEC, /* Windows may let our first request pass */
        .max_configure = 10,
        .max_terminate = 2,
        .auth_timeout = 60 * USEC_SEC,
    };
}
