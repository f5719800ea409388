#include "tests/unit/pki/rig.h"

struct pki_ca *rig_ca(const char *name, const struct pki_ca *parent)
{
    char why[PKI_WHY_MAX];
    struct pki_ca *ca = NULL;
    const struct pki_ca_plan plan = {name, PKI_KIND_ECDSA_256, NOW - 100 * DAY, NOW + 3650 * DAY, parent};
    assert_int_equal(pki_ca_make(&plan, &ca, why), ERR_OK);
    return ca;
}

struct pki_bytes rig_ca_pem(const struct pki_ca *ca)
{
    struct pki_bytes certificate = {0}, key = {0};
    assert_int_equal(pki_ca_pem(ca, &certificate, &key), ERR_OK);
    pki_bytes_free(&key);
    return certificate;
}

struct pki_trust *rig_trust(const struct pki_ca *ca)
{
    char why[PKI_WHY_MAX];
    struct pki_trust *t = pki_trust_new();
    struct pki_bytes pem = rig_ca_pem(ca);
    assert_non_null(t);
    assert_int_equal(pki_trust_add_authorities(t, bytes_view(&pem), why), ERR_OK);
    pki_bytes_free(&pem);
    return t;
}

struct pki_plan rig_plan(const char *name, const char *const *san)
{
    return (struct pki_plan){
        .name = name,
        .sans = san,
        .san_count = san != NULL,
        .client = true,
        .kind = PKI_KIND_ECDSA_256,
        .from = NOW - DAY,
        .until = NOW + 365 * DAY,
    };
}

struct pki_issued rig_issue(const struct pki_ca *ca, const struct pki_plan *plan)
{
    char why[PKI_WHY_MAX];
    struct pki_issued issued = {0};
    if (pki_issue(ca, plan, &issued, why) != ERR_OK)
        fail_msg("%s", why);
    return issued;
}

void rig_peer(struct rig_peer *p, const struct pki_issued *issued, const struct pki_bytes *more)
{
    char why[PKI_WHY_MAX], file[64 * 1024];
    size_t n;
    *p = (struct rig_peer){0};
    int len = snprintf(file, sizeof file, "%s%s", issued->certificate.p, more != NULL ? more->p : "");
    if (pki_credential_read(view_of(file, (size_t)len), bytes_view(&issued->key), NULL, &p->credential, why) != ERR_OK)
        fail_msg("%s", why);
    p->shown.certificates = pki_credential_certificates(p->credential, &p->shown.certificate_count);
    p->shown.key = pki_credential_key(p->credential);
    p->shown.id = pki_credential_id(p->credential);
    p->shown.hash = view_of(HASH, sizeof HASH - 1);
    assert_int_equal(pki_sign(p->credential, p->shown.hash, p->signature, &n), ERR_OK);
    p->shown.signature = view_of(p->signature, n);
}

void rig_peer_done(struct rig_peer *p)
{
    pki_credential_free(p->credential);
}

void rig_expect(const struct pki_trust *t, const struct rig_peer *p, int64_t wall, enum cause cause, const char *detail)
{
    struct pki_verdict v;
    pki_verify(t, &p->shown, wall, &v);
    if (v.cause != cause || (detail != NULL && strstr(v.detail, detail) == NULL))
        fail_msg("%s, \"%s\" and not %s, \"%s\"", cause_word(v.cause), v.detail, cause_word(cause),
                 detail != NULL ? detail : "");
    assert_true((v.chain != NULL) == (cause == CAUSE_NONE));
    assert_true((v.detail[0] == '\0') == (cause == CAUSE_NONE));
    pki_chain_free(v.chain);
}
