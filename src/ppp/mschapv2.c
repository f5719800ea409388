/*
 * What MS-CHAPv2 (RFC 2759) puts into CHAP's packets: the Response's value, and the texts of Success and Failure. Both
 * sides prove that they know the password.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

#define RESERVED 8

/* The hash covers the name without its domain (RFC 2759 4), the packet carries all of it. */
static struct view without_domain(const char *user)
{
    const char *slash = strrchr(user, '\\');
    return view_str(slash ? slash + 1 : user);
}

enum err mschapv2_prove(struct ppp *ppp, struct proof *proof)
{
    const uint8_t *authenticator = ppp->auth.challenge;
    struct view user = without_domain(ppp->config->user);
    uint8_t peer[MSCHAP_CHALLENGE_SIZE], response[MSCHAP_NT_RESPONSE], nt_hash[MSCHAP_NT_HASH_SIZE];
    random_fill(&ppp->env.random, peer, sizeof peer);

    enum err e = mschap_nt_hash(view_str(ppp->config->password), nt_hash);
    if (e == ERR_OK)
        e = mschapv2_nt_response(nt_hash, authenticator, peer, user, response);
    if (e == ERR_OK)
        e = mschapv2_authenticator_response(nt_hash, response, authenticator, peer, user, proof->expected);
    bytes_wipe(nt_hash, sizeof nt_hash);
    if (e != ERR_OK)
        return e;

    struct writer w = wr_init(proof->value, sizeof proof->value);
    wr_bytes(&w, peer, sizeof peer);
    wr_zero(&w, RESERVED);
    wr_bytes(&w, response, sizeof response);
    wr_u8(&w, 0); /* flags */
    proof->value_len = (uint16_t)w.n;
    return ERR_OK;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool mschapv2_success_matches(const struct proof *proof, struct view message)
{
    struct reader r = rd_init(message);
    bool well_formed = rd_u8(&r) == 'S';
    well_formed &= rd_u8(&r) == '=';
    uint8_t got[MSCHAP_AUTH_RESPONSE];
    for (size_t i = 0; i < sizeof got; i++) {
        int high = hex_value(rd_u8(&r)), low = hex_value(rd_u8(&r));
        well_formed &= high >= 0 && low >= 0;
        got[i] = (uint8_t)((unsigned)high << 4 | ((unsigned)low & 15));
    }
    return rd_ok(&r) && well_formed && bytes_equal_ct(got, proof->expected, sizeof got);
}

static void write_hex(struct writer *w, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789ABCDEF"; /* upper case: RFC 2759 5 */
    for (size_t i = 0; i < n; i++) {
        wr_u8(w, (uint8_t)digits[p[i] >> 4]);
        wr_u8(w, (uint8_t)digits[p[i] & 15]);
    }
}

void mschapv2_success(const struct ppp *ppp, struct writer *w)
{
    wr_view(w, view_str("S="));
    write_hex(w, ppp->auth.authenticator_response, sizeof ppp->auth.authenticator_response);
    wr_view(w, view_str(" M=Welcome"));
}

/* The errors that Windows shows (RFC 2759 6, and raserror.h for 720: no protocol of the network can be had). */
#define ERROR_HOURS      646
#define ERROR_DISABLED   647
#define ERROR_EXPIRED    648
#define ERROR_PERMISSION 649
#define ERROR_NETWORK    720

/* Error 691 without retry, whatever was wrong with the proof: a peer does not learn which names exist. Who has proved
 * itself may know that only the address is missing. */
static bool lacks_address(enum cause cause)
{
    return cause == CAUSE_POOL_EMPTY || cause == CAUSE_ADDRESS_TAKEN || cause == CAUSE_ADDRESS_OUTSIDE;
}

enum cause mschapv2_failure_cause(struct view message)
{
    struct reader r = rd_init(message);
    unsigned error = 0;
    if (rd_u8(&r) != 'E' || rd_u8(&r) != '=')
        return CAUSE_AUTH_REFUSED;
    for (int digit; (digit = rd_u8(&r)) >= '0' && digit <= '9' && rd_ok(&r) && error < 1000;)
        error = 10 * error + (unsigned)(digit - '0');
    switch (error) {
    case ERROR_NETWORK:
        return CAUSE_POOL_EMPTY;
    case ERROR_HOURS:
    case ERROR_DISABLED:
    case ERROR_PERMISSION:
        return CAUSE_AUTH_DISABLED;
    case ERROR_EXPIRED:
        return CAUSE_AUTH_EXPIRED;
    default:
        return CAUSE_AUTH_REFUSED;
    }
}

void mschapv2_failure(const struct ppp *ppp, struct writer *w)
{
    wr_view(w, view_str(lacks_address(ppp->cause) ? "E=720 R=0 C=" : "E=691 R=0 C="));
    write_hex(w, ppp->auth.challenge, sizeof ppp->auth.challenge);
    wr_view(w, view_str(" V=3 M=Login failed"));
}
