/* Words to bytes, for what is sent, and to patterns, for what is expected. */
#include "tests/replay/replay.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct pattern *p, const void *bytes, size_t n, uint8_t mask)
{
    wanted(p->n + n <= BYTES_MAX, "a shorter message");
    if (bytes)
        memcpy(p->bytes + p->n, bytes, n);
    else
        memset(p->bytes + p->n, 0, n);
    memset(p->mask + p->n, mask, n);
    p->n += n;
}

static void put_hex(struct pattern *p, const char *word)
{
    if (strlen(word) % 2 != 0)
        broken("'%s' has an odd number of digits", word);
    for (; *word; word += 2) {
        const char digits[3] = {word[0], word[1], 0};
        if (!isxdigit((unsigned char)word[0]) || !isxdigit((unsigned char)word[1]))
            broken("'%s' is no word of bytes", word);
        const uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);
        put(p, &byte, 1, 0xff);
    }
}

static void put_variable(struct pattern *p, struct client *c, const char *name)
{
    const struct variable *v = client_variable(c, name);
    if (!v)
        broken("$%s is not known", name);
    put(p, v->bytes, v->n, 0xff);
}

static void put_anything(struct pattern *p, const char *text, size_t n)
{
    char *name;
    const size_t size = strtoul(text, &name, 10);
    wanted(size > 0, "a number of bytes behind '?'");
    if (*name == '>') {
        wanted(p->kept_n < ARRAY_LEN(p->kept), "fewer bytes to be kept");
        snprintf(p->kept[p->kept_n].name, VARIABLE_NAME_MAX, "%s", name + 1);
        p->kept[p->kept_n].at = n;
        p->kept[p->kept_n++].n = size;
    }
    put(p, NULL, size, 0);
}

static void put_meaningless(struct pattern *p, struct client *c, const char *text)
{
    uint8_t bytes[512];
    const size_t n = strtoul(text, NULL, 10);
    wanted(n > 0 && n <= sizeof(bytes), "rand:1 to rand:512");
    random_fill(&c->random, bytes, n);
    put(p, bytes, n, 0xff);
}

static void put_natd(struct pattern *p, const struct client *c, const char *text)
{
    char place[WORD_MAX];
    uint8_t digest[HASH_SIZE_MAX];
    const char *colon = strrchr(text, ':');
    wanted(colon && c->current, "natd:PLACE:PORT within an IKE SA");
    snprintf(place, sizeof(place), "%.*s", (int)(colon - text), text);
    struct endpoint e = {.port = (uint16_t)strtoul(colon + 1, NULL, 10)};
    if (strcmp(place, "inside") == 0) {
        e.addr = c->inside;
    } else if (strcmp(place, "outside") == 0) {
        e.addr = c->outside;
        e.port = c->ports[e.port == IKE_NATT_PORT];
    } else {
        wanted(ip_parse(place, &e.addr) == ERR_OK, "inside, outside or an address");
    }
    natd_bytes(c->current, &e, digest);
    put(p, digest, hash_size(c->current->hash), 0xff);
}

static void put_public_value(struct pattern *p, struct client *c, const char *text)
{
    struct dh_work *dh = c->exchange ? &c->exchange->dh : &c->current->dh;
    const struct view own = dh_own(dh, (unsigned)strtoul(text, NULL, 10), &c->random);
    put(p, own.p, own.n, 0xff);
}

static void put_hash(struct pattern *p, const struct client *c)
{
    wanted(c->current && c->current->derived, "keys before a hash");
    p->hash_at = p->n;
    p->hash_n = hash_size(c->current->hash);
    put(p, NULL, p->hash_n, 0);
}

void pattern_read(struct pattern *p, struct client *c, const char *text, bool wild, size_t before)
{
    char word[WORD_MAX];
    size_t len_at = SIZE_MAX;
    p->n = p->kept_n = p->hash_n = 0;
    p->rest = false;
    while (word_next(&text, word)) {
        wanted(!p->rest, "nothing behind '*'");
        if (word[0] == '"') {
            put(p, word + 1, strlen(word) - 2, 0xff);
        } else if (word[0] == '$') {
            put_variable(p, c, word + 1);
        } else if (word[0] == '?' && wild) {
            put_anything(p, word + 1, p->n);
        } else if (strcmp(word, "*") == 0 && wild) {
            p->rest = true;
        } else if (strcmp(word, "hash") == 0) {
            put_hash(p, c);
        } else if (strcmp(word, "len") == 0) {
            len_at = p->n;
            put(p, NULL, 2, 0xff);
        } else if (strncmp(word, "rand:", 5) == 0) {
            put_meaningless(p, c, word + 5);
        } else if (strncmp(word, "zero:", 5) == 0) {
            put(p, NULL, strtoul(word + 5, NULL, 10), 0xff);
        } else if (strncmp(word, "natd:", 5) == 0) {
            put_natd(p, c, word + 5);
        } else if (strncmp(word, "ke:", 3) == 0) {
            put_public_value(p, c, word + 3);
        } else {
            put_hex(p, word);
        }
    }
    if (len_at != SIZE_MAX)
        be16_put(p->bytes + len_at, (uint16_t)(p->n + before));
}

static void show(const char *title, const struct pattern *p, struct view v)
{
    fprintf(stderr, "  %s", title);
    for (size_t i = 0; i < v.n; i++) {
        fputs(i % 4 == 0 ? " " : "", stderr);
        if (p && !p->mask[i])
            fputs("..", stderr);
        else
            fprintf(stderr, "%02x", v.p[i]);
    }
    fputc('\n', stderr);
}

static noreturn void mismatch(const struct pattern *p, const char *what, struct view bytes, size_t at)
{
    fflush(stdout);
    show("expected", p, view_of(p->bytes, p->n));
    show("came    ", NULL, bytes);
    if (at == SIZE_MAX)
        broken("%s has %zu bytes instead of %zu", what, bytes.n, p->n);
    broken("%s differs at byte %zu", what, at);
}

void pattern_match(const struct pattern *p, struct client *c, const char *what, struct view bytes)
{
    for (size_t i = 0; i < bytes.n && i < p->n; i++)
        if ((bytes.p[i] ^ p->bytes[i]) & p->mask[i])
            mismatch(p, what, bytes, i);
    if (p->rest ? bytes.n < p->n : bytes.n != p->n)
        mismatch(p, what, bytes, SIZE_MAX);
    for (size_t i = 0; i < p->kept_n; i++)
        client_let(c, p->kept[i].name, view_of(bytes.p + p->kept[i].at, p->kept[i].n));
}
