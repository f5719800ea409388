/* IKE messages: the script's payloads, framed, hashed and encrypted; and the gateway's, taken apart. */
#include "tests/replay/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX       (4 * BYTES_MAX) /* of a payload's words */
#define HEADER_SIZE    28
#define MARKER         4 /* bytes of zero before IKE on port 4500 (RFC 3948 2.2) */
#define FLAG_ENCRYPTED 1
#define EXCHANGE_MAIN  2
#define EXCHANGE_INFO  5
#define EXCHANGE_QUICK 32

bool message_exchange(const char *word, uint8_t *exchange)
{
    *exchange = strcmp(word, "main") == 0    ? EXCHANGE_MAIN
                : strcmp(word, "info") == 0  ? EXCHANGE_INFO
                : strcmp(word, "quick") == 0 ? EXCHANGE_QUICK
                                             : 0;
    return *exchange != 0;
}

/* ---- the script's payloads ---- */

static const struct {
    const char *name;
    uint8_t type;
} payload_names[] = {
    {"CERT", P_CERT}, {"CR", P_CR},     {"SIG", P_SIG},     {"SA", P_SA},        {"KE", P_KE},
    {"ID", P_ID},     {"HASH", P_HASH}, {"NONCE", P_NONCE}, {"N", 11},           {"D", 12},
    {"VID", 13},      {"NATD", 20},     {"NATOA", 21},      {"NATD-DRAFT", 130}, {"NATOA-DRAFT", 131},
};

static uint8_t payload_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(payload_names); i++)
        if (strcmp(payload_names[i].name, name) == 0)
            return payload_names[i].type;
    return 0;
}

static const char *payload_name(uint8_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(payload_names); i++)
        if (payload_names[i].type == type)
            return payload_names[i].name;
    return "?";
}

struct part {
    uint8_t type;
    uint32_t line;
    char text[TEXT_MAX];
};

struct parts {
    struct part at[24];
    size_t n;
};

static void parts_read(struct parts *p, const struct step *s)
{
    p->n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const char *at = s->body[i].text;
        char word[WORD_MAX];
        broken_at(NULL, s->body[i].number);
        (void)word_next(&at, word);
        const uint8_t type = payload_type(word);
        if (type) {
            wanted(p->n < ARRAY_LEN(p->at), "fewer payloads");
            p->at[p->n++] = (struct part){.type = type, .line = s->body[i].number};
        } else {
            at = s->body[i].text;
        }
        wanted(p->n > 0, "the name of a payload");
        char *text = p->at[p->n - 1].text;
        const size_t n = strlen(text);
        wanted((size_t)snprintf(text + n, TEXT_MAX - n, " %s", at) < TEXT_MAX - n, "a shorter payload");
    }
}

/* ---- out ---- */

struct out {
    uint8_t bytes[MARKER + BYTES_MAX];
    struct writer w;
    size_t hash_at, hash_payload_end; /* 0: no hash */
};

static void put_payloads(struct client *c, const struct parts *parts, struct out *o)
{
    static struct pattern p;
    for (size_t i = 0; i < parts->n; i++) {
        broken_at(NULL, parts->at[i].line);
        pattern_read(&p, c, parts->at[i].text, false, 0);
        wr_u8(&o->w, i + 1 < parts->n ? parts->at[i + 1].type : 0);
        wr_u8(&o->w, 0);
        wr_u16(&o->w, (uint16_t)(p.n + 4));
        if (p.hash_n > 0)
            o->hash_at = o->w.n + p.hash_at;
        wr_bytes(&o->w, p.bytes, p.n);
        if (p.hash_n > 0)
            o->hash_payload_end = o->w.n;
    }
    wanted(wr_ok(&o->w), "a shorter message");
}

/* What stands in a hash payload, by the message it is in. */
static void hash_now(const struct client *c, uint8_t exchange, bool ours, const struct chain *chain, struct view rest,
                     uint8_t *out)
{
    if (exchange == EXCHANGE_MAIN) {
        const struct view *id = chain_find(chain, P_ID);
        wanted(id != NULL, "an ID beside the hash");
        ike_hash_auth(c->current, ours, *id, out);
    } else {
        exchange_hash(c->exchange, exchange == EXCHANGE_QUICK, rest, out);
    }
}

static void fill_hash(const struct client *c, uint8_t exchange, const struct chain *chain, struct out *o)
{
    uint8_t digest[HASH_SIZE_MAX];
    if (o->hash_at == 0)
        return;
    const struct view rest = view_of(o->w.p + o->hash_payload_end, o->w.n - o->hash_payload_end);
    hash_now(c, exchange, true, chain, rest, digest);
    memcpy(o->w.p + o->hash_at, digest, hash_size(c->current->hash));
}

static void encrypt(const struct client *c, struct out *o)
{
    struct ike_keys *k = c->current;
    const size_t block = cipher_block(k->cipher);
    while ((o->w.n - HEADER_SIZE) % block != 0)
        wr_u8(&o->w, 0);
    wanted(cbc_encrypt(k->cipher, view_of(k->key, k->key_bytes), c->exchange ? c->exchange->iv : k->iv,
                       o->w.p + HEADER_SIZE, o->w.n - HEADER_SIZE) == ERR_OK,
           "encryption");
}

static struct exchange *exchange_find(struct client *c, uint32_t id)
{
    for (size_t i = c->exchanges_n; i-- > 0;)
        if (c->exchanges[i].ike == c->current && c->exchanges[i].id == id)
            return &c->exchanges[i];
    return NULL;
}

/* The exchange a message belongs to; NULL in phase 1. Each informational one is new. */
static struct exchange *exchange_for(struct client *c, uint8_t exchange, uint32_t id)
{
    if (exchange == EXCHANGE_MAIN)
        return NULL;
    struct exchange *known = exchange == EXCHANGE_QUICK ? exchange_find(c, id) : NULL;
    if (known)
        return known;
    wanted(c->current->derived, "keys before phase 2");
    wanted(c->exchanges_n < ARRAY_LEN(c->exchanges), "fewer exchanges");
    exchange_begin(&c->exchanges[c->exchanges_n], c->current, id);
    return &c->exchanges[c->exchanges_n++];
}

static void learn(struct client *c, const struct chain *chain, bool ours)
{
    if (!c->exchange) {
        ike_keys_learn(c->current, secret_view(&c->psk), chain, ours);
        return;
    }
    wanted(c->pairs_n < ARRAY_LEN(c->pairs), "fewer pairs");
    if (exchange_learn(c->exchange, chain, ours, &c->pairs[c->pairs_n]))
        c->pair = c->pairs_n++;
}

static void check_size(const struct step *s, size_t n)
{
    const uint32_t size = step_number(s, "size", (uint32_t)n);
    if (size != n)
        broken("the message has %zu bytes instead of %u", n, size);
}

static uint32_t message_id(struct client *c, const struct step *s, uint8_t exchange)
{
    char text[WORD_MAX];
    if (exchange == EXCHANGE_MAIN)
        return 0;
    if (step_option(s, "id", 0, text))
        return (uint32_t)strtoul(text, NULL, 16);
    wanted(exchange == EXCHANGE_INFO, "id=");
    return random_u32(&c->random) | 1;
}

void message_send(struct client *c, const struct step *s, uint8_t exchange)
{
    static struct parts parts;
    static struct out o;
    struct chain chain;
    wanted(c->current != NULL, "IKE COOKIE first");
    parts_read(&parts, s);
    wanted(parts.n > 0, "payloads");
    const uint32_t id = message_id(c, s, exchange);
    c->exchange = exchange_for(c, exchange, id);
    const bool sealed = c->current->derived;
    memset(&o, 0, sizeof(o));
    o.w = wr_init(o.bytes + MARKER, BYTES_MAX);
    wr_bytes(&o.w, c->current->icookie, 8);
    wr_bytes(&o.w, c->current->rcookie, 8);
    wr_u8(&o.w, parts.at[0].type);
    wr_u8(&o.w, 0x10);
    wr_u8(&o.w, exchange);
    wr_u8(&o.w, sealed ? FLAG_ENCRYPTED : 0);
    wr_u32(&o.w, id);
    wr_u32(&o.w, 0);
    put_payloads(c, &parts, &o);
    chain_read(&chain, parts.at[0].type, view_of(o.w.p + HEADER_SIZE, o.w.n - HEADER_SIZE));
    fill_hash(c, exchange, &chain, &o);
    learn(c, &chain, true);
    if (sealed)
        encrypt(c, &o);
    wr_patch32(&o.w, 24, (uint32_t)o.w.n);
    wanted(wr_ok(&o.w), "a shorter message");
    broken_at(NULL, s->head.number);
    check_size(s, o.w.n);
    c->exchange = NULL;
    const struct path path = client_path_ike(c);
    const size_t marker = path.local.port == IKE_NATT_PORT ? MARKER : 0;
    client_send_bytes(c, &path, o.bytes + MARKER - marker, o.w.n + marker);
}

/* ---- in ---- */

static void show(const struct chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        fprintf(stderr, "  %-6s", payload_name(chain->at[i].type));
        for (size_t j = 0; j < chain->at[i].body.n; j++)
            fprintf(stderr, "%s%02x", j % 4 == 0 ? " " : "", chain->at[i].body.p[j]);
        fputc('\n', stderr);
    }
}

struct in {
    uint8_t next, exchange, flags;
    uint32_t id;
    uint8_t *body; /* decrypted in place */
    size_t n;
};

static void learn_cookie(struct client *c, const uint8_t *rcookie)
{
    memcpy(c->current->rcookie, rcookie, 8);
    client_let(c, "rcookie", view_of(rcookie, 8));
}

static void take_header(struct client *c, const struct view datagram, struct in *in)
{
    static uint8_t plain[BYTES_MAX];
    uint8_t icookie[8], rcookie[8];
    struct reader r = rd_init(datagram);
    rd_copy(&r, icookie, 8);
    rd_copy(&r, rcookie, 8);
    in->next = rd_u8(&r);
    const uint8_t version = rd_u8(&r);
    in->exchange = rd_u8(&r);
    in->flags = rd_u8(&r);
    in->id = rd_u32(&r);
    const uint32_t length = rd_u32(&r);
    wanted(rd_ok(&r) && version == 0x10 && length == datagram.n, "an IKE header of version 1.0 and true length");
    if (!c->current || memcmp(icookie, c->current->icookie, 8) != 0)
        broken("this message is not of the current IKE SA");
    if (bytes_equal_ct(c->current->rcookie, (uint8_t[8]){0}, 8))
        learn_cookie(c, rcookie);
    wanted(memcmp(rcookie, c->current->rcookie, 8) == 0, "the responder cookie of this IKE SA");
    in->n = rd_left(&r);
    rd_copy(&r, plain, in->n);
    in->body = plain;
}

static void decrypt(const struct client *c, struct in *in)
{
    struct ike_keys *k = c->current;
    wanted(k->derived, "keys before an encrypted message");
    wanted(cbc_decrypt(k->cipher, view_of(k->key, k->key_bytes), c->exchange ? c->exchange->iv : k->iv, in->body,
                       in->n) == ERR_OK,
           "whole blocks");
}

static void verify_hash(const struct client *c, uint8_t exchange, const struct chain *chain)
{
    uint8_t digest[HASH_SIZE_MAX];
    const struct view *sig = exchange == EXCHANGE_MAIN ? chain_find(chain, P_SIG) : NULL;
    const struct view *hash = sig ? sig : chain_find(chain, P_HASH);
    wanted(hash != NULL, "a hash in an encrypted message");
    const struct payload_at *last = &chain->at[chain->n - 1];
    const uint8_t *from = hash->p + hash->n, *to = last->body.p + last->body.n;
    hash_now(c, exchange, false, chain, view_of(from, (size_t)(to - from)), digest);
    wanted(view_equal(*hash, view_of(digest, hash_size(c->current->hash))), "a right hash from the gateway");
}

static void match_payloads(struct client *c, const struct parts *parts, const struct chain *chain)
{
    static struct pattern p;
    bool same = parts->n == chain->n;
    for (size_t i = 0; same && i < chain->n; i++)
        same = parts->at[i].type == chain->at[i].type;
    if (!same) {
        show(chain);
        broken("these are not the payloads that were expected");
    }
    for (size_t i = 0; i < chain->n; i++) {
        broken_at(NULL, parts->at[i].line);
        pattern_read(&p, c, parts->at[i].text, true, 0);
        pattern_match(&p, c, payload_name(chain->at[i].type), chain->at[i].body);
    }
}

void message_expect(struct client *c, const struct step *s, uint8_t exchange)
{
    static struct parts parts;
    struct chain chain;
    struct in in;
    char text[WORD_MAX];
    const struct path path = client_path_ike(c);
    struct view datagram = client_hear(c, &path);
    check_size(s, datagram.n - (path.local.port == IKE_NATT_PORT ? MARKER : 0));
    if (path.local.port == IKE_NATT_PORT) {
        wanted(datagram.n > MARKER && be32_get(datagram.p) == 0, "the non-ESP marker");
        datagram = view_of(datagram.p + MARKER, datagram.n - MARKER);
    }
    take_header(c, datagram, &in);
    if (in.exchange != exchange)
        broken("the exchange type is %u", in.exchange);
    if (step_option(s, "id", 0, text) && in.id != strtoul(text, NULL, 16))
        broken("the message id is %08x", in.id);
    const bool sealed = in.flags & FLAG_ENCRYPTED;
    wanted(sealed == c->current->derived || (exchange == EXCHANGE_INFO && !sealed), "encryption once there are keys");
    c->exchange = sealed ? exchange_for(c, exchange, in.id) : NULL;
    if (sealed)
        decrypt(c, &in);
    chain_read(&chain, in.next, view_of(in.body, in.n));
    if (sealed)
        verify_hash(c, exchange, &chain);
    if (exchange != EXCHANGE_INFO)
        learn(c, &chain, false);
    parts_read(&parts, s);
    match_payloads(c, &parts, &chain);
    c->exchange = NULL;
}
