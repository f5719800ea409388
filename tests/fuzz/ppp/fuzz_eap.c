/* EAP with each method, as server and as client. */
#include "certificate.h"
#include "fuzz_rig.h"

static struct ppp_tls *certificates(bool server)
{
    static struct ppp_tls *made[2];
    char own[sizeof fuzz_certificate + sizeof fuzz_key], why[PPP_TLS_WHY_MAX];
    strcpy(own, fuzz_certificate);
    strcat(own, fuzz_key);
    if (!made[server])
        made[server] = ppp_tls_new(&(struct ppp_tls_options){.server = server,
                                                             .certificate = view_str(own),
                                                             .authorities = view_str(fuzz_certificate)},
                                   why);
    fuzz_require(made[server] != NULL);
    return ppp_tls_share(made[server]);
}

/* LCP agreed on EAP. */
static void open_eap(struct fuzz_link *l, bool server, enum ppp_auth method)
{
    static const uint8_t plain[] = {0xc0, 0x21, 1, 1, 0, 10, 5, 6, 0, 1, 2, 3};
    static const uint8_t eap[] = {0xc0, 0x21, 1, 1, 0, 8, 3, 4, 0xc2, 0x27};
    fuzz_open_tls(l, server, method, method == PPP_AUTH_EAP_TLS ? certificates(server) : NULL);
    fuzz_agree(l);
    fuzz_say(l, server ? plain : eap, server ? sizeof plain : sizeof eap);
}

/* The server's identifiers count from 1; this much of the talk is always the same. */
static void introduce(struct fuzz_link *l, bool server)
{
    static const uint8_t ask[] = {0xc2, 0x27, 1, 1, 0, 5, 1};
    static const uint8_t name[] = {0xc2, 0x27, 2, 1, 0, 10, 1, 'a', 'l', 'i', 'c', 'e'};
    fuzz_say(l, server ? name : ask, server ? sizeof name : sizeof ask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    for (enum ppp_auth m = PPP_AUTH_EAP_MSCHAPV2; m <= PPP_AUTH_EAP_TLS; m++)
        for (int server = 0; server < 2; server++) {
            struct fuzz_link l;
            open_eap(&l, server, m);
            if (data[0] & 1)
                introduce(&l, server);
            fuzz_feed(&l, PPP_EAP, data + 1, size - 1);
        }
    return 0;
}
