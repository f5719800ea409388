/*
 * Certificates: who we are, whom we trust, whether a peer's proof holds; and a small authority that makes them.
 *
 * X.509 (RFC 5280) in the profile of IKE (RFC 4945), PKCS#12, CRLs and OCSP (RFC 6960), over OpenSSL. Pure: bytes and
 * wall time in, bytes and verdicts out; what must be fetched is told as a URL. The randomness of new keys and of
 * signatures is OpenSSL's own. Wall time is in seconds since 1970.
 *
 * Objects that are made are constant afterwards: any number of threads may verify and sign with the same ones.
 */
#ifndef SEKISHO_PKI_H
#define SEKISHO_PKI_H

#include "crypto/crypto.h"

#define PKI_CHAIN_MAX       8                  /* certificates of one chain, root included */
#define PKI_CERTIFICATE_MAX (16 * 1024)        /* bytes of DER of one certificate, or of one PKCS#7 bundle of them */
#define PKI_FILE_MAX        (1024 * 1024)      /* bytes of a credential or of a file of authorities */
#define PKI_CRL_MAX         (16 * 1024 * 1024) /* bytes of a CRL */
#define PKI_OCSP_MAX        (64 * 1024)        /* bytes of an OCSP answer */
#define PKI_AUTHORITIES_MAX 64                 /* in one trust */
#define PKI_CRLS_MAX        64                 /* in one trust */
#define PKI_SIGNATURE_MAX   1024               /* bytes: RSA of 8192 bits */
#define PKI_NONCE_MAX       32                 /* bytes of an OCSP nonce (RFC 8954) */
#define PKI_URL_MAX         512                /* bytes with NUL */
#define PKI_NAME_MAX        128                /* bytes of a subject as text, with NUL */
#define PKI_WHY_MAX         256                /* bytes of a sentence about what is wrong, with NUL */

/* The key of a certificate, by the way in which it signs in IKEv1 (RFC 2409, 4754). */
enum pki_key { PKI_KEY_NONE, PKI_KEY_RSA, PKI_KEY_ECDSA_256, PKI_KEY_ECDSA_384, PKI_KEY_ECDSA_521 };

const char *pki_key_name(enum pki_key k); /* "RSA", "ECDSA-256" */

/* Bytes made here: malloc'd, with a NUL behind them that n does not count. */
struct pki_bytes {
    char *p;
    size_t n;
};
void pki_bytes_free(struct pki_bytes *b); /* wipes; harmless when empty */

/* ---- credentials: who we are ---- */

struct pki_credential; /* a private key, its certificate, and the certificates between it and its root */

/* file: PEM (certificates in any order, the key too unless it comes apart) or PKCS#12. key: a PEM key, or VIEW_NONE.
 * password: for an encrypted key or PKCS#12; NULL when there is none. ERR_AUTH: a password is wanted, or this one is
 * wrong. ERR_MALFORMED, ERR_UNSUPPORTED (an algorithm that cannot sign here), ERR_NOTFOUND (no key, no certificate, or
 * none that fits the other), ERR_LIMIT, ERR_NOMEM. why gets a sentence. Copies; the caller wipes its inputs. */
enum err pki_credential_read(struct view file, struct view key, const char *password, struct pki_credential **out,
                             char why[static PKI_WHY_MAX]);
void pki_credential_free(struct pki_credential *c); /* NULL-safe; wipes */

enum pki_key pki_credential_key(const struct pki_credential *c);
/* DER: own first, then the intermediates, without the root. Borrowed from c, like everything below. */
const struct view *pki_credential_certificates(const struct pki_credential *c, size_t *n);
/* DER names of the issuers, that of the own certificate first. */
const struct view *pki_credential_issuers(const struct pki_credential *c, size_t *n);
const char *pki_credential_subject(const struct pki_credential *c); /* "CN=vpn.example.com, O=Example" */
/* When the own certificate begins and ends to be good. */
void pki_credential_dates(const struct pki_credential *c, int64_t *from, int64_t *until);

/* Types of identity (RFC 2407 4.6.2.1). */
enum pki_id_type {
    PKI_ID_IPV4 = 1,
    PKI_ID_FQDN = 2,
    PKI_ID_USER_FQDN = 3,
    PKI_ID_IPV6 = 5,
    PKI_ID_DER_ASN1_DN = 9,
    PKI_ID_DER_ASN1_GN = 10,
    PKI_ID_KEY_ID = 11,
};

struct pki_id {
    uint8_t type;     /* enum pki_id_type */
    struct view body; /* of the ID payload, after its four fixed bytes */
};

/* Our ID: the subject, and where that is empty the first subjectAltName (RFC 4945 3.1). */
struct pki_id pki_credential_id(const struct pki_credential *c);

/* Signs an IKE hash: RSA by PKCS#1 v1.5 without DigestInfo (RFC 2409 5.1), ECDSA as r and s in a row, each of the
 * curve's size (RFC 4754). ERR_CRYPTO. */
enum err pki_sign(const struct pki_credential *c, struct view hash, uint8_t out[static PKI_SIGNATURE_MAX], size_t *n);

/* ---- trust ---- */

struct pki_trust; /* authorities and CRLs */

struct pki_trust *pki_trust_new(void); /* NULL when out of memory */
void pki_trust_free(struct pki_trust *t);
/* Every certificate in file (PEM, or one of DER). One that may not sign certificates is refused. ERR_MALFORMED,
 * ERR_NOTFOUND, ERR_INVALID, ERR_LIMIT, ERR_NOMEM; why gets a sentence. Nothing is added then. */
enum err pki_trust_add_authorities(struct pki_trust *t, struct view file, char why[static PKI_WHY_MAX]);
/* Every CRL in file (PEM, or one of DER). Errors as above. */
enum err pki_trust_add_crls(struct pki_trust *t, struct view file, char why[static PKI_WHY_MAX]);
/* DER subjects of the authorities, for certificate requests. Borrowed. */
const struct view *pki_trust_names(const struct pki_trust *t, size_t *n);

/* ---- verification ---- */

/* What a peer shows. All is borrowed for the call. */
struct pki_presented {
    /* The peer's own and intermediates, in any order: DER of X.509, or of PKCS#7 that holds some (Windows sends these).
     */
    const struct view *certificates;
    size_t certificate_count;
    enum pki_key key; /* by which the peer says to sign */
    struct view hash, signature;
    struct pki_id id;   /* of its ID payload: must stand in its certificate */
    const char *expect; /* the name it must prove: host, address, mail address, or "CN=..., O=..."; NULL or "" any */
    bool server;        /* it is the server: a certificate for clients alone will not do, and the other way round */
};

struct pki_chain; /* a chain that was verified: link 0 is the peer's own certificate, the last one an authority */

struct pki_verdict {
    enum cause cause;           /* CAUSE_NONE, or the one reason */
    char subject[PKI_NAME_MAX]; /* of the peer's own certificate; "" when there is none */
    char detail[PKI_WHY_MAX];   /* a sentence with the names and dates of this case; "" when all is well */
    struct pki_chain *chain;    /* CAUSE_NONE: the caller's, to ask for its revocation; else NULL */
};

/* Chain, dates, constraints, usage, the CRLs of the trust, identity and expected name, signature: in this order; the
 * first that fails is the cause. A certificate of which no CRL at hand tells anything is let pass: see
 * pki_chain_link(). */
void pki_verify(const struct pki_trust *t, const struct pki_presented *p, int64_t wall, struct pki_verdict *out);

void pki_chain_free(struct pki_chain *c); /* NULL-safe */

/* ---- revocation ---- */

enum pki_status { PKI_STATUS_UNKNOWN, PKI_STATUS_GOOD, PKI_STATUS_REVOKED };

struct pki_revocation {
    enum pki_status status;
    int64_t until;            /* when this answer ends to hold; 0 when it does not say */
    char detail[PKI_WHY_MAX]; /* REVOKED: since when, why. UNKNOWN: what was wrong with the answer */
};

struct pki_link {
    char subject[PKI_NAME_MAX];
    bool known;                 /* a CRL of the trust says that it is good */
    bool root;                  /* nobody can revoke it */
    char ocsp_url[PKI_URL_MAX]; /* http alone; "" when it names none */
    char crl_url[PKI_URL_MAX];
};

size_t pki_chain_length(const struct pki_chain *c);
void pki_chain_link(const struct pki_chain *c, size_t link, struct pki_link *out);

struct pki_crl;

/* One CRL, DER or PEM. ERR_MALFORMED, ERR_LIMIT, ERR_NOMEM. */
enum err pki_crl_read(struct view file, struct pki_crl **out);
void pki_crl_free(struct pki_crl *c);           /* NULL-safe */
int64_t pki_crl_until(const struct pki_crl *c); /* nextUpdate; 0 when it has none */
/* What it says of a link: UNKNOWN unless it is signed by the link's issuer, of this time, and about this kind of
 * certificate. */
void pki_crl_judge(const struct pki_crl *crl, const struct pki_chain *c, size_t link, int64_t wall,
                   struct pki_revocation *out);

/* The request about a link, in DER. nonce: up to PKI_NONCE_MAX random bytes, or VIEW_NONE. ERR_CRYPTO, ERR_INVALID. */
enum err pki_ocsp_request(const struct pki_chain *c, size_t link, struct view nonce, struct pki_bytes *out);
/* What an answer says of a link: UNKNOWN unless it is signed by the issuer or by one whom the issuer delegated, of this
 * time, about this certificate, and with our nonce if it has one. */
void pki_ocsp_judge(const struct pki_chain *c, size_t link, struct view answer, struct view nonce, int64_t wall,
                    struct pki_revocation *out);

/* ---- an authority ---- */

enum pki_kind { PKI_KIND_RSA_2048, PKI_KIND_RSA_3072, PKI_KIND_RSA_4096, PKI_KIND_ECDSA_256, PKI_KIND_ECDSA_384 };

struct pki_ca; /* a certificate that may sign others, and its key */

struct pki_ca_plan {
    const char *name; /* its common name: UTF-8, at most 64 characters (RFC 5280, ub-common-name) */
    enum pki_kind kind;
    int64_t from, until;
    const struct pki_ca *parent; /* NULL: signs itself */
};

/* ERR_INVALID (name, dates), ERR_CRYPTO, ERR_NOMEM; why gets a sentence. */
enum err pki_ca_make(const struct pki_ca_plan *plan, struct pki_ca **out, char why[static PKI_WHY_MAX]);
/* From what pki_ca_pem() gave. Errors as those of pki_credential_read(). */
enum err pki_ca_read(struct view certificate, struct view key, struct pki_ca **out, char why[static PKI_WHY_MAX]);
void pki_ca_free(struct pki_ca *ca); /* NULL-safe; wipes */
/* Certificate and key, PEM; the caller frees both. */
enum err pki_ca_pem(const struct pki_ca *ca, struct pki_bytes *certificate, struct pki_bytes *key);

#define PKI_SANS_MAX   16
#define PKI_SERIAL_MAX 41 /* hex digits of a serial number, with NUL (RFC 5280 4.1.2.2: 20 bytes) */

struct pki_plan {
    const char *name; /* common name */
    /* What else it is: a host, an address, a mail address; written as such, or with DNS:, IP:, email: in front. */
    const char *const *sans;
    size_t san_count;
    bool server, client; /* either or both */
    enum pki_kind kind;
    int64_t from, until;            /* no longer than the authority: cut */
    const char *crl_url, *ocsp_url; /* to put in; NULL: none */
};

struct pki_issued {
    struct pki_bytes certificate, key; /* PEM */
    char serial[PKI_SERIAL_MAX];
    int64_t until;
};
void pki_issued_done(struct pki_issued *i); /* wipes */

/* Makes a key and a certificate for it. ERR_INVALID (names, neither server nor client, dates), ERR_CRYPTO, ERR_NOMEM.
 */
enum err pki_issue(const struct pki_ca *ca, const struct pki_plan *plan, struct pki_issued *out,
                   char why[static PKI_WHY_MAX]);

struct pki_revoked {
    char serial[PKI_SERIAL_MAX];
    int64_t at;
};

/* A CRL in DER, as it is fetched (RFC 5280 4.2.1.13). number grows with every CRL of an authority (RFC 5280 5.2.3). */
enum err pki_crl_write(const struct pki_ca *ca, const struct pki_revoked *revoked, size_t n, uint64_t number,
                       int64_t from, int64_t until, struct pki_bytes *out);

/* A certificate as a list shows it. */
struct pki_info {
    char subject[PKI_NAME_MAX], issuer[PKI_NAME_MAX], serial[PKI_SERIAL_MAX];
    int64_t from, until;
    bool server, client, authority;
};
/* The first certificate of a PEM or DER file. ERR_MALFORMED. */
enum err pki_info_read(struct view file, struct pki_info *out);

/* How PKCS#12 is encrypted. COMPATIBLE: 3DES and SHA-1, which every system reads, old Windows, macOS and iOS too.
 * MODERN: AES-256 and SHA-256. */
enum pki_p12 { PKI_P12_COMPATIBLE, PKI_P12_MODERN };

/* Own certificate and key (PEM), authorities (PEM), under a password. Needs no legacy provider of OpenSSL. */
enum err pki_p12_write(struct view certificate, struct view key, struct view authorities, const char *name,
                       const char *password, enum pki_p12 how, struct pki_bytes *out, char why[static PKI_WHY_MAX]);

#endif
