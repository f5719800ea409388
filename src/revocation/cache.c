/* What came, while it is good. Tables of fixed size: the entry that ends first gives way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "revocation/revocation_internal.h"

void cache_init(struct cache *c)
{
    pthread_mutex_init(&c->lock, NULL);
}

static void put_back(struct list *list)
{
    if (list == NULL || --list->readers > 0)
        return;
    pki_crl_free(list->crl);
    free(list);
}

void cache_done(struct cache *c)
{
    for (size_t i = 0; i < CRLS_MAX; i++)
        put_back(c->lists[i]);
    pthread_mutex_destroy(&c->lock);
}

/* ---- OCSP answers ---- */

bool cache_find_answer(struct cache *c, const uint8_t key[static KEY_SIZE], int64_t wall, struct pki_revocation *out)
{
    bool found = false;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < ANSWERS_MAX && !found; i++) {
        const struct answer *a = &c->answers[i];
        found = a->keep > wall && memcmp(a->key, key, KEY_SIZE) == 0;
        if (found)
            *out = a->what;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

void cache_put_answer(struct cache *c, const uint8_t key[static KEY_SIZE], int64_t keep,
                      const struct pki_revocation *what)
{
    pthread_mutex_lock(&c->lock);
    struct answer *place = &c->answers[0];
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        struct answer *a = &c->answers[i];
        if (a->keep != 0 && memcmp(a->key, key, KEY_SIZE) == 0) {
            place = a;
            break;
        }
        if (a->keep < place->keep)
            place = a;
    }
    memcpy(place->key, key, KEY_SIZE);
    place->keep = keep;
    place->what = *what;
    pthread_mutex_unlock(&c->lock);
}

/* ---- CRLs ---- */

struct list *cache_find_list(struct cache *c, const char *url, int64_t wall)
{
    struct list *found = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < CRLS_MAX && found == NULL; i++)
        if (c->lists[i] != NULL && c->lists[i]->keep > wall && strcmp(c->lists[i]->url, url) == 0)
            found = c->lists[i];
    if (found != NULL)
        found->readers++;
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* The place of the same URL, else a free one, else that of the list that ends first. */
static struct list **choose_place(struct cache *c, const char *url)
{
    struct list **place = &c->lists[0];
    for (size_t i = 0; i < CRLS_MAX; i++) {
        struct list **one = &c->lists[i];
        if (*one != NULL && strcmp((*one)->url, url) == 0)
            return one;
        if (*place != NULL && (*one == NULL || (*one)->keep < (*place)->keep))
            place = one;
    }
    return place;
}

struct list *cache_put_list(struct cache *c, const char *url, int64_t keep, struct pki_crl *crl)
{
    struct list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        pki_crl_free(crl);
        return NULL;
    }
    snprintf(list->url, sizeof list->url, "%s", url);
    list->keep = keep;
    list->crl = crl;
    list->readers = 2; /* the cache and the caller */
    pthread_mutex_lock(&c->lock);
    struct list **place = choose_place(c, url);
    put_back(*place);
    *place = list;
    pthread_mutex_unlock(&c->lock);
    return list;
}

void cache_release(struct cache *c, struct list *list)
{
    pthread_mutex_lock(&c->lock);
    put_back(list);
    pthread_mutex_unlock(&c->lock);
}
