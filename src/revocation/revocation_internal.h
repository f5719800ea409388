/* The parts of revocation: fetch.c speaks HTTP, cache.c keeps what came, revocation.c asks and decides. */
#ifndef SEKISHO_REVOCATION_INTERNAL_H
#define SEKISHO_REVOCATION_INTERNAL_H

#include <pthread.h>

#include "revocation/revocation.h"

/* ---- fetch.c ---- */

/* One exchange, at most `patience` seconds. out is the caller's. False: nothing that is ASN.1 came. */
bool fetch_crl(const char *url, unsigned patience, struct pki_bytes *out);
bool fetch_ocsp(const char *url, unsigned patience, const struct pki_bytes *request, struct pki_bytes *out);
bool fetch_nonce(uint8_t *out, size_t n);

/* ---- cache.c ---- */

#define ANSWERS_MAX 1024
#define CRLS_MAX    32
#define KEY_SIZE    32 /* SHA-256 of an OCSP request without nonce */

struct answer {
    uint8_t key[KEY_SIZE];
    int64_t keep; /* until then; 0: free */
    struct pki_revocation what;
};

/* What came from one URL; it lives while somebody reads it. */
struct list {
    char url[PKI_URL_MAX];
    int64_t keep;
    struct pki_crl *crl; /* NULL: nothing came */
    unsigned readers;    /* the cache is one */
};

struct cache {
    pthread_mutex_t lock;
    struct answer answers[ANSWERS_MAX];
    struct list *lists[CRLS_MAX];
};

void cache_init(struct cache *c);
void cache_done(struct cache *c);
bool cache_find_answer(struct cache *c, const uint8_t key[static KEY_SIZE], int64_t wall, struct pki_revocation *out);
void cache_put_answer(struct cache *c, const uint8_t key[static KEY_SIZE], int64_t keep,
                      const struct pki_revocation *what);
/* To be given back with cache_release(); NULL when there is none. */
struct list *cache_find_list(struct cache *c, const char *url, int64_t wall);
/* Takes crl, which may be NULL; gives the list as above. NULL when out of memory, crl is gone then. */
struct list *cache_put_list(struct cache *c, const char *url, int64_t keep, struct pki_crl *crl);
void cache_release(struct cache *c, struct list *list);

#endif
