#include "tests/unit/pki/responder.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static X509 *read_x509(struct view pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

static EVP_PKEY *read_key(struct view pem)
{
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return k;
}

static OCSP_BASICRESP *make_basic(OCSP_REQUEST *request, const struct rig_answer *a)
{
    OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
    ASN1_TIME *from = ASN1_TIME_set(NULL, a->from), *until = a->until != 0 ? ASN1_TIME_set(NULL, a->until) : NULL;
    ASN1_TIME *since = ASN1_TIME_set(NULL, NOW - 3 * DAY);
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_basic_add1_status(basic, id, a->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                           a->status == V_OCSP_CERTSTATUS_REVOKED ? since : NULL, from, until);
    if (a->other_nonce)
        OCSP_basic_add1_nonce(basic, (uint8_t *)(char[]){"xxxxxxxxxxxxxxxx"}, 16);
    else
        OCSP_copy_nonce(basic, request);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(since);
    return basic;
}

struct view rig_respond(struct view request_der, const struct rig_answer *a)
{
    struct pki_bytes ca_pem = {0}, ca_key = {0};
    uint8_t *der = NULL;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &request_der.p, (long)request_der.n);
    assert_non_null(request);
    assert_int_equal(pki_ca_pem(a->ca, &ca_pem, &ca_key), ERR_OK);
    X509 *signer = read_x509(bytes_view(a->by != NULL ? &a->by->certificate : &ca_pem));
    EVP_PKEY *key = read_key(bytes_view(a->by != NULL ? &a->by->key : &ca_key));
    OCSP_BASICRESP *basic = make_basic(request, a);
    assert_int_equal(OCSP_basic_sign(basic, signer, key, EVP_sha256(), NULL, 0), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int n = i2d_OCSP_RESPONSE(response, &der);
    uint8_t *out = malloc((size_t)n);
    memcpy(out, der, (size_t)n);

    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_REQUEST_free(request);
    X509_free(signer);
    EVP_PKEY_free(key);
    pki_bytes_free(&ca_pem);
    pki_bytes_free(&ca_key);
    return view_of(out, (size_t)n);
}

static struct pki_bytes taken(BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    struct pki_bytes out = {strndup(p, (size_t)n), (size_t)n};
    BIO_free(bio);
    return out;
}

struct pki_issued rig_responder(const struct pki_ca *ca)
{
    struct pki_issued out = {0};
    struct pki_bytes ca_pem = {0}, ca_key = {0};
    assert_int_equal(pki_ca_pem(ca, &ca_pem, &ca_key), ERR_OK);
    X509 *issuer = read_x509(bytes_view(&ca_pem)), *x = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = read_key(bytes_view(&ca_key));
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 99);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const uint8_t *)"responder", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    ASN1_TIME_set(X509_getm_notBefore(x), NOW - DAY);
    ASN1_TIME_set(X509_getm_notAfter(x), NOW + DAY);
    X509_set_pubkey(x, key);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "OCSPSigning");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    X509_sign(x, signer, EVP_sha256());
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, x);
    out.certificate = taken(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    out.key = taken(bio);
    X509_free(x);
    X509_free(issuer);
    EVP_PKEY_free(key);
    EVP_PKEY_free(signer);
    pki_bytes_free(&ca_pem);
    pki_bytes_free(&ca_key);
    return out;
}
