/*
 * Which suites are acceptable, and which of several is best.
 *
 * As responder the strongest acceptable transform wins, not the first. Strength is that of the weakest link: cipher,
 * hash and group each count by their bits in suite.def. AES of any length, all SHA-2 and every group from MODP-2048 up
 * stand in one class, since none of them can be broken. Among equals the longer cipher key wins, then the stronger
 * group by the order of suite.def, then the class of the hash, then the method of authentication, signatures before
 * keys, then what the peer named first. In ESP GCM comes before CBC of the same key length, since it costs less.
 *
 * So Windows gets its first offer, AES-256, SHA-1, ECP-384, and Apple its first, AES-256, SHA-256, MODP-2048.
 */
#include "ike/ike_message.h"

#include <stdio.h>
#include <string.h>

#define STRENGTH_FLOOR    50 /* below every hash, so that a preference stays below 100 */
#define DOUBTFUL_STRENGTH 1
#define GROUP_FIRST       99 /* the preference of the first group of suite.def; each later one has one less */

enum { M = 1 << IKE_POLICY_MODERN, C = 1 << IKE_POLICY_COMPATIBLE, L = 1 << IKE_POLICY_LEGACY };

struct judgement {
    int key; /* cipher, hash, group or auth; as its enum */
    uint8_t key_bytes, strength, policies;
};

static const struct judgement ike_ciphers[] = {
#define IKE_CIPHER(number, cipher, key_bytes, word, strength, policies) {cipher, key_bytes, strength, policies},
#define IKE_HASH(number, hash, word, strength, policies)
#define IKE_GROUP(group, word, strength, policies)
#define ESP_ALGORITHM(number, cipher, key_bytes, word, strength, policies)
#define ESP_INTEGRITY(number, auth, word, strength, policies)
#include "ike/suite.def"
#undef IKE_CIPHER
#undef IKE_HASH
};
static const struct judgement ike_hashes[] = {
#define IKE_CIPHER(number, cipher, key_bytes, word, strength, policies)
#define IKE_HASH(number, hash, word, strength, policies) {hash, 0, strength, policies},
#include "ike/suite.def"
#undef IKE_HASH
#undef IKE_GROUP
};
static const struct judgement ike_groups[] = {
#define IKE_HASH(number, hash, word, strength, policies)
#define IKE_GROUP(group, word, strength, policies) {group, 0, strength, policies},
#include "ike/suite.def"
#undef IKE_GROUP
#undef ESP_ALGORITHM
};
static const struct judgement esp_ciphers[] = {
#define IKE_GROUP(group, word, strength, policies)
#define ESP_ALGORITHM(number, cipher, key_bytes, word, strength, policies) {cipher, key_bytes, strength, policies},
#include "ike/suite.def"
#undef ESP_ALGORITHM
#undef ESP_INTEGRITY
};
static const struct judgement esp_auths[] = {
#define ESP_ALGORITHM(number, cipher, key_bytes, word, strength, policies)
#define ESP_INTEGRITY(number, auth, word, strength, policies) {auth, 0, strength, policies},
#include "ike/suite.def"
#undef ESP_ALGORITHM
#undef ESP_INTEGRITY
#undef IKE_CIPHER
#undef IKE_HASH
#undef IKE_GROUP
};

#define JUDGE(table, policy, key, key_bytes) judge(table, ARRAY_LEN(table), policy, key, key_bytes)

/* The entry, when the policy allows it. */
static const struct judgement *judge(const struct judgement *table, size_t n, enum ike_policy policy, int key,
                                     uint8_t key_bytes)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].key == key && table[i].key_bytes == key_bytes)
            return table[i].policies >> policy & 1 ? &table[i] : NULL;
    }
    return NULL;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Strength first, then three orders of preference, each below 100. */
static int rank(int strength, int first, int second, int third)
{
    return ((strength * 100 + first) * 100 + second) * 100 + third;
}

bool suite_is_sound(const struct suite *s)
{
    return s->auth == IKE_AUTH_PSK || s->hash != HASH_MD5;
}

int suite_rank(enum ike_policy policy, const struct suite *s)
{
    const struct judgement *cipher = JUDGE(ike_ciphers, policy, (int)s->cipher, s->key_bytes);
    const struct judgement *hash = JUDGE(ike_hashes, policy, (int)s->hash, 0);
    const struct judgement *group = JUDGE(ike_groups, policy, (int)s->group, 0);
    if (!cipher || !hash || !group || !suite_is_sound(s))
        return -1;
    const int strength = least(cipher->strength, least(hash->strength, group->strength));
    const int r =
        rank(strength, s->key_bytes, GROUP_FIRST - (int)(group - ike_groups), hash->strength - STRENGTH_FLOOR);
    return r * IKE_AUTH_COUNT + (int)s->auth;
}

int esp_suite_rank(enum ike_policy policy, bool weak_sha256, const struct esp_suite *s)
{
    const struct esp_transform *t = &s->transform;
    const struct judgement *cipher = JUDGE(esp_ciphers, policy, (int)t->cipher, t->key_bytes);
    if (!cipher)
        return -1;
    if (t->cipher == ESP_CIPHER_AES_GCM)
        return rank(cipher->strength, t->key_bytes, 1, 0);
    const struct judgement *auth = JUDGE(esp_auths, policy, (int)t->auth, 0);
    if (!auth)
        return -1;
    const bool doubtful = weak_sha256 && t->auth == ESP_AUTH_SHA256_128;
    return rank(doubtful ? DOUBTFUL_STRENGTH : least(cipher->strength, auth->strength), t->key_bytes, 0,
                auth->strength - STRENGTH_FLOOR);
}

const struct transform *policy_choose_ike(enum ike_policy policy, uint32_t auths, const struct offer *o,
                                          struct suite *out)
{
    const struct transform *best = NULL;
    int best_rank = -1;
    for (size_t i = 0; i < o->transform_count; i++) {
        const struct transform *t = &o->transforms[i];
        const struct proposal *p = &o->proposals[t->proposal];
        struct suite s;
        if (p->protocol != PROTO_ISAKMP || p->bundled || suite_read(t, &s) != ERR_OK || !(auths >> s.auth & 1))
            continue;
        const int r = suite_rank(policy, &s);
        if (r <= best_rank)
            continue;
        best = t;
        best_rank = r;
        *out = s;
    }
    return best;
}

/* What we offer as initiator, best first. A responder that takes the first acceptable one is then well served. */
static const struct {
    const char *words;
    uint8_t policies;
} ike_offers[] = {
    {"aes256-sha256-ecp256", M | C}, {"aes256-sha256-modp2048", M | C | L},
    {"aes128-sha256-ecp256", M | C}, {"aes128-sha256-modp2048", M | C},
    {"aes256-sha384-ecp384", M},     {"aes256-sha1-modp2048", C | L},
    {"aes128-sha1-modp2048", C | L}, {"aes256-sha1-ecp384", C},
    {"aes128-sha1-ecp256", C | L},   {"aes256-sha1-modp1536", C},
    {"aes256-sha1-modp1024", L},     {"aes128-sha1-modp1024", L},
    {"3des-sha1-modp2048", L},       {"3des-sha1-modp1536", L},
    {"3des-sha1-modp1024", L},       {"3des-md5-modp1024", L},
};

static const struct {
    const char *words;
    uint8_t policies;
} esp_offers[] = {
    {"aes256gcm16", M | C},   {"aes128gcm16", M | C}, {"aes256-sha256", M | C | L},
    {"aes128-sha256", M | C}, {"aes256-sha1", C | L}, {"aes128-sha1", C | L},
    {"3des-sha1", L},         {"3des-md5", L},
};

/* The next item of "a,b,c", without blanks around it. */
static struct view next_item(struct reader *r)
{
    while (rd_left(r) > 0) {
        struct reader ahead = *r;
        size_t n = 0;
        while (rd_left(&ahead) > 0) {
            const uint8_t c = rd_u8(&ahead);
            if (c == ',' || c == ' ')
                break;
            n++;
        }
        const struct view item = rd_view(r, n);
        if (rd_left(r) > 0)
            rd_skip(r, 1);
        if (item.n > 0)
            return item;
    }
    return VIEW_NONE;
}

size_t policy_offer_ike(enum ike_policy policy, const char *configured, struct suite out[static OFFERS_MAX])
{
    size_t n = 0;
    if (configured) {
        struct reader r = rd_init(view_str(configured));
        for (struct view item = next_item(&r); item.n > 0 && n < OFFERS_MAX; item = next_item(&r))
            n += suite_parse(item, &out[n]) == ERR_OK;
        return n;
    }
    for (size_t i = 0; i < ARRAY_LEN(ike_offers); i++) {
        if (ike_offers[i].policies >> policy & 1)
            n += suite_parse(view_str(ike_offers[i].words), &out[n]) == ERR_OK;
    }
    return n;
}

size_t policy_offer_esp(enum ike_policy policy, const char *configured, struct esp_suite out[static OFFERS_MAX])
{
    size_t n = 0;
    if (configured) {
        struct reader r = rd_init(view_str(configured));
        for (struct view item = next_item(&r); item.n > 0 && n < OFFERS_MAX; item = next_item(&r))
            n += esp_suite_parse(item, &out[n]) == ERR_OK;
        return n;
    }
    for (size_t i = 0; i < ARRAY_LEN(esp_offers); i++) {
        if (esp_offers[i].policies >> policy & 1)
            n += esp_suite_parse(view_str(esp_offers[i].words), &out[n]) == ERR_OK;
    }
    return n;
}

/* ---- for people ---- */

#define OWN_PART 64 /* bytes of a story that are kept for our own side */
#define CUT      ", ..."

/* A list of words in a text of limited size: what does not fit is left out whole, and dots say so. */
struct list {
    char *out;
    size_t cap, n;
    size_t items;
    bool cut;
};

static void list_begin(struct list *l, const char *title)
{
    const int n = snprintf(l->out + l->n, l->cap - l->n, "%s", title);
    l->n += (size_t)n < l->cap - l->n ? (size_t)n : l->cap - l->n - 1;
    l->items = 0;
    l->cut = false;
}

static void list_add(struct list *l, const char *word)
{
    const char *comma = l->items++ ? ", " : " ";
    if (l->cut)
        return;
    const size_t n = strlen(comma) + strlen(word);
    l->cut = l->n + n + sizeof(CUT) > l->cap;
    l->n += (size_t)snprintf(l->out + l->n, l->cap - l->n, "%s%s", l->cut ? CUT : comma, l->cut ? "" : word);
}

/* The same for both phases: what the peer offered in the front part, what we would have taken behind it. */
static struct list explain_begin(char *out, size_t cap)
{
    struct list l = {.out = out, .cap = cap > OWN_PART ? cap - OWN_PART : cap};
    list_begin(&l, "offered");
    return l;
}

static void explain_ours(struct list *l, size_t cap)
{
    l->cap = cap;
    list_begin(l, "; acceptable");
}

void policy_explain_ike(enum ike_policy policy, const struct offer *o, char *out, size_t cap)
{
    char text[SUITE_TEXT_MAX];
    struct list l = explain_begin(out, cap);
    for (size_t i = 0; i < o->transform_count; i++) {
        struct suite s;
        list_add(&l, suite_read(&o->transforms[i], &s) == ERR_OK ? suite_text(&s, text) : "unknown");
    }
    explain_ours(&l, cap);
    struct suite ours[OFFERS_MAX];
    const size_t count = policy_offer_ike(policy, NULL, ours);
    for (size_t i = 0; i < count; i++)
        list_add(&l, suite_text(&ours[i], text));
}

void policy_explain_esp(enum ike_policy policy, const struct offer *o, char *out, size_t cap)
{
    char text[SUITE_TEXT_MAX];
    struct list l = explain_begin(out, cap);
    for (size_t i = 0; i < o->transform_count; i++) {
        struct esp_suite s;
        list_add(&l, esp_suite_read(&o->transforms[i], &s) == ERR_OK ? esp_suite_text(&s, text) : "unknown");
    }
    explain_ours(&l, cap);
    struct esp_suite ours[OFFERS_MAX];
    const size_t count = policy_offer_esp(policy, NULL, ours);
    for (size_t i = 0; i < count; i++)
        list_add(&l, esp_suite_text(&ours[i], text));
}
