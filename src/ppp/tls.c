/*
 * TLS for EAP, by OpenSSL and in memory: bytes in, bytes out. The only file of a pure module that reaches a library
 * with a clock (for the validity of certificates) and entropy of its own; docs/decisions/0015 says why.
 *
 * No session is ever resumed: a login that proves nothing anew would be no login.
 */
#include "ppp/ppp_internal.h"

#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CERTIFICATES_MAX 64 /* in one file */
#define NAME_BYTES_MAX   256

struct ppp_tls {
    SSL_CTX *context;
    bool server;
    atomic_uint owners;
};

struct tls {
    SSL *ssl;
    bool failed;
    bool committed; /* TLS 1.3: the server's last word was sent, or has come */
    size_t taken;   /* bytes of the message that is coming in fragments */
};

/* ---- certificates ---- */

static bool fail(char *why, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(why, PPP_TLS_WHY_MAX, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    return false;
}

/* OpenSSL would ask the terminal. */
static int give_password(char *out, int cap, int rwflag, void *password)
{
    (void)rwflag;
    const size_t n = password ? strlen(password) : 0;
    if (n > (size_t)cap)
        return -1;
    if (n > 0)
        memcpy(out, password, n);
    return (int)n;
}

static BIO *reading(struct view bytes)
{
    return bytes.n <= INT32_MAX ? BIO_new_mem_buf(bytes.p, (int)bytes.n) : NULL;
}

static bool add_chain(SSL_CTX *context, X509 *certificate)
{
    if (SSL_CTX_add0_chain_cert(context, certificate) == 1)
        return true;
    X509_free(certificate);
    return false;
}

static bool use_pem_certificates(SSL_CTX *context, BIO *in)
{
    X509 *own = PEM_read_bio_X509(in, NULL, give_password, NULL);
    bool ok = own && SSL_CTX_use_certificate(context, own) == 1;
    X509_free(own);
    for (size_t i = 0; ok && i < CERTIFICATES_MAX; i++) {
        X509 *next = PEM_read_bio_X509(in, NULL, give_password, NULL);
        if (!next)
            break;
        ok = add_chain(context, next);
    }
    if (ok)
        ERR_clear_error(); /* the end of the file */
    return ok;
}

static bool use_key(SSL_CTX *context, EVP_PKEY *key)
{
    const bool ok = key && SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    return ok;
}

static bool use_pem(SSL_CTX *context, const struct ppp_tls_options *o, char *why)
{
    BIO *in = reading(o->certificate);
    bool ok = in && use_pem_certificates(context, in);
    BIO_free(in);
    if (!ok)
        return fail(why, "no certificate can be read");
    in = reading(o->key.n > 0 ? o->key : o->certificate);
    ok = in && use_key(context, PEM_read_bio_PrivateKey(in, NULL, give_password, (void *)(uintptr_t)o->password));
    BIO_free(in);
    return ok || fail(why, "the certificate's key cannot be used");
}

static bool trust(SSL_CTX *context, X509 *authority)
{
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority) == 1 &&
           SSL_CTX_add_client_CA(context, authority) == 1;
}

/* What a PKCS#12 holds beside our certificate is sent along, and trusted where no authorities are given apart. */
static bool use_rest(SSL_CTX *context, STACK_OF(X509) * rest, bool trusted)
{
    bool ok = true;
    for (int i = 0; ok && i < sk_X509_num(rest); i++) {
        X509 *certificate = sk_X509_value(rest, i);
        ok = SSL_CTX_add1_chain_cert(context, certificate) == 1 && (!trusted || trust(context, certificate));
    }
    return ok;
}

static bool use_pkcs12(SSL_CTX *context, const struct ppp_tls_options *o, char *why)
{
    BIO *in = reading(o->certificate);
    PKCS12 *file = in ? d2i_PKCS12_bio(in, NULL) : NULL;
    EVP_PKEY *key = NULL;
    X509 *own = NULL;
    STACK_OF(X509) *rest = NULL;
    bool ok = file && PKCS12_parse(file, o->password ? o->password : "", &key, &own, &rest) == 1 && own &&
              SSL_CTX_use_certificate(context, own) == 1 && use_rest(context, rest, o->authorities.n == 0);
    if (ok)
        ok = use_key(context, key);
    else
        EVP_PKEY_free(key);
    X509_free(own);
    sk_X509_pop_free(rest, X509_free);
    PKCS12_free(file);
    BIO_free(in);
    return ok || fail(why, "the certificate cannot be read as PEM or PKCS#12");
}

static bool use_authorities(SSL_CTX *context, const struct ppp_tls_options *o, char *why)
{
    if (o->authorities.n == 0)
        return true;
    BIO *in = reading(o->authorities);
    size_t n = 0;
    bool ok = in != NULL;
    for (X509 *next; ok && n < CERTIFICATES_MAX && (next = PEM_read_bio_X509(in, NULL, give_password, NULL)); n++) {
        ok = trust(context, next);
        X509_free(next);
    }
    BIO_free(in);
    if (!ok || n == 0)
        return fail(why, "no authority's certificate can be read");
    ERR_clear_error();
    return true;
}

static size_t add_pem_crls(X509_STORE *store, struct view list)
{
    BIO *in = reading(list);
    size_t n = 0;
    for (X509_CRL *crl; n < CERTIFICATES_MAX && (crl = PEM_read_bio_X509_CRL(in, NULL, give_password, NULL));) {
        n += X509_STORE_add_crl(store, crl) == 1;
        X509_CRL_free(crl);
    }
    BIO_free(in);
    return n;
}

static bool add_der_crl(X509_STORE *store, struct view list)
{
    BIO *in = reading(list);
    X509_CRL *crl = d2i_X509_CRL_bio(in, NULL);
    const bool ok = crl && X509_STORE_add_crl(store, crl) == 1;
    X509_CRL_free(crl);
    BIO_free(in);
    return ok;
}

/* An authority without a list is taken at its word. */
static int judge_certificate(int ok, X509_STORE_CTX *ctx)
{
    if (X509_STORE_CTX_get_error(ctx) != X509_V_ERR_UNABLE_TO_GET_CRL)
        return ok;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static bool use_revoked(SSL_CTX *context, const struct ppp_tls_options *o, char *why)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    for (size_t i = 0; i < o->revoked_count; i++)
        if (add_pem_crls(store, o->revoked[i]) == 0 && !add_der_crl(store, o->revoked[i]))
            return fail(why, "a list of revoked certificates cannot be read");
    ERR_clear_error();
    if (o->revoked_count > 0)
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return true;
}

/* Of a server: a host's name, or an address. */
static bool expect_name(X509_VERIFY_PARAM *param, const char *name)
{
    return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 || X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

static bool set_up(SSL_CTX *context, const struct ppp_tls_options *o, char *why)
{
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge_certificate);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 || SSL_CTX_set_num_tickets(context, 0) != 1)
        return fail(why, "TLS cannot be set up");
    if (!o->server && o->server_name && o->server_name[0] && !expect_name(SSL_CTX_get0_param(context), o->server_name))
        return fail(why, "the server's name is no name");
    const bool pem = o->certificate.n > 10 && memcmp(o->certificate.p, "-----BEGIN", 10) == 0;
    return (pem ? use_pem(context, o, why) : use_pkcs12(context, o, why)) && use_authorities(context, o, why) &&
           use_revoked(context, o, why);
}

struct ppp_tls *ppp_tls_new(const struct ppp_tls_options *options, char why[static PPP_TLS_WHY_MAX])
{
    struct ppp_tls *tls = calloc(1, sizeof *tls);
    if (!tls) {
        snprintf(why, PPP_TLS_WHY_MAX, "out of memory");
        return NULL;
    }
    atomic_init(&tls->owners, 1);
    tls->server = options->server;
    tls->context = SSL_CTX_new(TLS_method());
    if (tls->context ? !set_up(tls->context, options, why) : !fail(why, "TLS cannot be set up")) {
        ppp_tls_free(tls);
        return NULL;
    }
    return tls;
}

struct ppp_tls *ppp_tls_share(struct ppp_tls *tls)
{
    if (tls)
        atomic_fetch_add(&tls->owners, 1);
    return tls;
}

void ppp_tls_free(struct ppp_tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->owners, 1) > 1)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

/* ---- one login ---- */

struct tls *tls_new(struct ppp_tls *shared)
{
    struct tls *tls = calloc(1, sizeof *tls);
    SSL *ssl = tls ? SSL_new(shared->context) : NULL;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (!ssl || !in || !out) {
        BIO_free(in);
        BIO_free(out);
        SSL_free(ssl);
        free(tls);
        return NULL;
    }
    SSL_set_bio(ssl, in, out); /* takes both */
    if (shared->server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    tls->ssl = ssl;
    return tls;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

bool tls_take(struct tls *tls, struct view bytes)
{
    tls->taken += bytes.n;
    if (tls->taken > TLS_FLIGHT_MAX)
        return false;
    return bytes.n == 0 || BIO_write(SSL_get_rbio(tls->ssl), bytes.p, (int)bytes.n) == (int)bytes.n;
}

/* RFC 9190 2.1.1: in TLS 1.3 the server says with one byte of data that nothing more of the handshake follows. Older
 * drafts did it by closing. */
static bool commit(struct tls *tls)
{
    uint8_t byte = 0;
    if (SSL_version(tls->ssl) < TLS1_3_VERSION)
        return true;
    const int n = SSL_is_server(tls->ssl) ? SSL_write(tls->ssl, &byte, 1) : SSL_read(tls->ssl, &byte, 1);
    const int error = SSL_get_error(tls->ssl, n);
    if (n != 1 && error != SSL_ERROR_ZERO_RETURN && error != SSL_ERROR_WANT_READ)
        tls->failed = true;
    return (n == 1 && byte == 0) || error == SSL_ERROR_ZERO_RETURN;
}

enum tls_state tls_advance(struct tls *tls)
{
    tls->taken = 0;
    if (tls->failed)
        return TLS_FAILED;
    ERR_clear_error();
    if (!SSL_is_init_finished(tls->ssl)) {
        const int n = SSL_do_handshake(tls->ssl);
        tls->failed = n != 1 && SSL_get_error(tls->ssl, n) != SSL_ERROR_WANT_READ;
    }
    if (!tls->failed && SSL_is_init_finished(tls->ssl) && !tls->committed)
        tls->committed = commit(tls);
    ERR_clear_error();
    return tls->failed ? TLS_FAILED : tls->committed ? TLS_FINISHED : TLS_UNDER_WAY;
}

size_t tls_pending(const struct tls *tls)
{
    return BIO_ctrl_pending(SSL_get_wbio(tls->ssl));
}

size_t tls_give(struct tls *tls, uint8_t *out, size_t cap)
{
    const int n = BIO_read(SSL_get_wbio(tls->ssl), out, (int)cap);
    return n > 0 ? (size_t)n : 0;
}

bool tls_blames_peer(const struct tls *tls)
{
    return SSL_get_verify_result(tls->ssl) != X509_V_OK;
}

static bool common_name_is(const X509 *certificate, const char *name)
{
    char text[NAME_BYTES_MAX];
    const int n = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
    return n > 0 && (size_t)n == strlen(text) && strcasecmp(text, name) == 0;
}

/* The subject's common name, or a mail address among the alternative names. */
bool tls_peer_is(const struct tls *tls, const char *name)
{
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    return certificate && name[0] &&
           (common_name_is(certificate, name) || X509_check_email(certificate, name, 0, 0) == 1);
}
