/*
 * What the gateway needs for signatures: its credentials, whom it trusts, whom it asks about revocation. A set is made
 * from a configuration and never changed; proofs that are being worked on keep the set that they were asked under.
 */
#include "gateway/gateway_internal.h"

#include <stdlib.h>
#include <string.h>

struct certificates {
    atomic_uint holders;
    struct pki_credential *credentials[CONFIG_CERTIFICATE_MAX];
    struct ike_credential told[CONFIG_CERTIFICATE_MAX]; /* the same for ike: views into credentials */
    size_t count;
    struct pki_trust *trust;
    struct revocation *revocation;
    struct ppp_tls *tls; /* for logins by EAP-TLS; NULL: there are none */
};

_Static_assert(PKI_KEY_RSA == (int)IKE_AUTH_RSA && PKI_KEY_ECDSA_521 == (int)IKE_AUTH_ECDSA_521,
               "keys and ways to authenticate are in one order");

/* ---- making ---- */

static void tell(struct ike_credential *out, const char *name, const struct pki_credential *c)
{
    const struct pki_id id = pki_credential_id(c);
    view_copy_text(out->name, sizeof(out->name), view_str(name));
    out->auth = (enum ike_auth)pki_credential_key(c);
    out->id_type = id.type;
    out->id = id.body;
    out->certificates = pki_credential_certificates(c, &out->certificate_count);
    out->issuers = pki_credential_issuers(c, &out->issuer_count);
}

static enum err add_credential(struct certificates *s, const struct config_certificate *c, struct config_error *e)
{
    char key[CONFIG_NAME_MAX + 32], why[PKI_WHY_MAX], password[SECRET_MAX + 1] = "";
    memcpy(password, c->password.p, c->password.n);
    const enum err result = pki_credential_read(view_of(c->content.text, c->content.n), view_of(c->key.text, c->key.n),
                                                c->password.n > 0 ? password : NULL, &s->credentials[s->count], why);
    bytes_wipe(password, sizeof(password));
    if (result != ERR_OK) {
        snprintf(key, sizeof(key), "certificate \"%s\"", c->name);
        return config_tell(e, c->line, key, TOLD(CERTIFICATE_UNUSABLE), c->file, why);
    }
    tell(&s->told[s->count], c->name, s->credentials[s->count]);
    s->count++;
    return ERR_OK;
}

static enum err add_authority(struct certificates *s, const struct config_authority *a, struct config_error *e)
{
    char key[CONFIG_NAME_MAX + 32], why[PKI_WHY_MAX];
    snprintf(key, sizeof(key), "authority \"%s\"", a->name);
    if (pki_trust_add_authorities(s->trust, view_of(a->content.text, a->content.n), why) != ERR_OK)
        return config_tell(e, a->line, key, TOLD(CERTIFICATE_UNUSABLE), a->file, why);
    if (a->crl_file[0] && pki_trust_add_crls(s->trust, view_of(a->crl.text, a->crl.n), why) != ERR_OK)
        return config_tell(e, a->line, key, TOLD(CERTIFICATE_UNUSABLE), a->crl_file, why);
    return ERR_OK;
}

/* ---- EAP-TLS ---- */

static bool wants_tls(const struct config *c)
{
    for (size_t i = 0; c->ppp.auth.method[i] != CONFIG_AUTH_NONE; i++)
        if (c->ppp.auth.method[i] == CONFIG_AUTH_EAP_TLS)
            return true;
    return false;
}

/* The texts of all authorities, one behind the other; NULL without memory. */
static char *join_authorities(const struct config *c, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < c->authority_count; i++)
        *n += c->authorities[i].content.n + 1;
    char *all = malloc(*n + 1), *at = all;
    for (size_t i = 0; all && i < c->authority_count; i++) {
        memcpy(at, c->authorities[i].content.text, c->authorities[i].content.n);
        at += c->authorities[i].content.n;
        *at++ = '\n';
    }
    return all;
}

/* Users prove themselves to the first certificate, by one that the same authorities have issued and not revoked. */
static enum err add_tls(struct certificates *s, const struct config *c, struct config_error *e)
{
    const struct config_certificate *own = &c->certificates[0];
    struct view *revoked = calloc(c->authority_count, sizeof(*revoked));
    char password[SECRET_MAX + 1] = "", why[PPP_TLS_WHY_MAX] = "out of memory", key[CONFIG_NAME_MAX + 32];
    size_t n, lists = 0;
    char *authorities = join_authorities(c, &n);
    for (size_t i = 0; revoked && i < c->authority_count; i++)
        if (c->authorities[i].crl_file[0])
            revoked[lists++] = view_of(c->authorities[i].crl.text, c->authorities[i].crl.n);
    memcpy(password, own->password.p, own->password.n);
    if (revoked && authorities)
        s->tls = ppp_tls_new(&(struct ppp_tls_options){.server = true,
                                                       .certificate = view_of(own->content.text, own->content.n),
                                                       .key = view_of(own->key.text, own->key.n),
                                                       .password = own->password.n > 0 ? password : NULL,
                                                       .authorities = view_of(authorities, n),
                                                       .revoked = revoked,
                                                       .revoked_count = lists},
                             why);
    bytes_wipe(password, sizeof(password));
    free(revoked);
    free(authorities);
    if (s->tls)
        return ERR_OK;
    snprintf(key, sizeof(key), "certificate \"%s\"", own->name);
    return config_tell(e, own->line, key, TOLD(CERTIFICATE_NO_TLS), own->file, why);
}

static enum err fill(struct certificates *s, const struct config *c, struct config_error *e)
{
    enum err result = ERR_OK;
    for (size_t i = 0; i < c->certificate_count && result == ERR_OK; i++)
        result = add_credential(s, &c->certificates[i], e);
    for (size_t i = 0; i < c->authority_count && result == ERR_OK; i++)
        result = add_authority(s, &c->authorities[i], e);
    if (result == ERR_OK && wants_tls(c))
        result = add_tls(s, c, e);
    return result;
}

enum err certificates_new(const struct config *c, const char *file, struct certificates **out, struct config_error *e)
{
    const struct revocation_config asked = {
        .mode = (enum revocation_mode)c->ike.revocation,
        .refuse_silent = c->ike.revocation_silent == CONFIG_SILENT_REFUSE,
    };
    struct certificates *s = calloc(1, sizeof(*s));
    *e = (struct config_error){0};
    snprintf(e->file, sizeof(e->file), "%s", file);
    if (s) {
        atomic_init(&s->holders, 1);
        s->trust = pki_trust_new();
        s->revocation = revocation_new(&asked);
    }
    enum err result = ERR_NOMEM;
    if (s && s->trust && s->revocation)
        result = fill(s, c, e);
    else
        (void)config_tell(e, 0, "", TOLD(CERTIFICATES_MEMORY));
    if (result != ERR_OK) {
        certificates_release(s);
        return result;
    }
    *out = s;
    return ERR_OK;
}

struct certificates *certificates_hold(struct certificates *s)
{
    atomic_fetch_add(&s->holders, 1);
    return s;
}

void certificates_release(struct certificates *s)
{
    if (!s || atomic_fetch_sub(&s->holders, 1) > 1)
        return;
    for (size_t i = 0; i < s->count; i++)
        pki_credential_free(s->credentials[i]);
    pki_trust_free(s->trust);
    revocation_free(s->revocation);
    ppp_tls_free(s->tls);
    free(s);
}

void certificates_settings(const struct certificates *s, struct ike_config *out)
{
    out->credentials = s->told;
    out->credential_count = s->count;
    out->authorities = pki_trust_names(s->trust, &out->authority_count);
}

struct ppp_tls *certificates_tls(const struct certificates *s)
{
    return s->tls;
}

void certificates_each_end(const struct certificates *s, void (*each)(void *ctx, const char *name, int64_t until),
                           void *ctx)
{
    int64_t from, until;
    for (size_t i = 0; i < s->count; i++) {
        pki_credential_dates(s->credentials[i], &from, &until);
        each(ctx, s->told[i].name, until);
    }
}

/* ---- proving and judging ---- */

static void sign(const struct certificates *s, struct ike_proof *proof)
{
    size_t n = 0;
    snprintf(proof->detail, sizeof(proof->detail), "The gateway could not sign.");
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->told[i].name, proof->credential) != 0)
            continue;
        if (pki_sign(s->credentials[i], view_of(proof->hash, proof->hash_len), proof->signature, &n) != ERR_OK)
            return;
        proof->signature_len = (uint16_t)n;
        proof->detail[0] = '\0';
        proof->cause = CAUSE_NONE;
    }
}

static void judge(const struct certificates *s, int64_t wall, struct ike_proof *proof)
{
    struct view chain[IKE_PROOF_CERTIFICATES];
    struct pki_verdict v;
    for (size_t i = 0; i < proof->certificate_count; i++)
        chain[i] = view_of(proof->chain + proof->certificate_at[i], proof->certificate_len[i]);
    const struct pki_presented shown = {
        .certificates = chain,
        .certificate_count = proof->certificate_count,
        .key = (enum pki_key)proof->auth,
        .hash = view_of(proof->hash, proof->hash_len),
        .signature = view_of(proof->signature, proof->signature_len),
        .id = {proof->id_type, view_of(proof->identity, proof->identity_len)},
        .expect = proof->expect,
        .server = proof->server,
    };
    pki_verify(s->trust, &shown, wall, &v);
    if (v.cause == CAUSE_NONE)
        v.cause = revocation_check(s->revocation, v.chain, wall, v.detail);
    pki_chain_free(v.chain);
    proof->cause = v.cause;
    snprintf(proof->subject, sizeof(proof->subject), "%s", v.subject);
    snprintf(proof->detail, sizeof(proof->detail), "%.*s", (int)sizeof(proof->detail) - 1, v.detail);
}

_Static_assert(PKI_SIGNATURE_MAX == IKE_SIGNATURE_MAX && PKI_CHAIN_MAX == IKE_PROOF_CERTIFICATES,
               "what is proved fits into a proof");

void certificates_answer(const struct certificates *s, int64_t wall, struct ike_proof *proof)
{
    if (proof->sign)
        sign(s, proof);
    else
        judge(s, wall, proof);
}
