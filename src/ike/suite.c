/* Transforms as suites of algorithms: reading them off the wire, writing them, and their words. The tables are in
 * suite.def. RFC 2409 appendix A names the attributes of phase 1, RFC 2407 4.5 those of phase 2. */
#include "ike/ike_message.h"

#include <stdio.h>
#include <string.h>

enum ike_attribute {
    IKE_ATTR_CIPHER = 1,
    IKE_ATTR_HASH = 2,
    IKE_ATTR_AUTH = 3,
    IKE_ATTR_GROUP = 4,
    IKE_ATTR_LIFE_TYPE = 11,
    IKE_ATTR_LIFE = 12,
    IKE_ATTR_KEY_BITS = 14,
};

enum esp_attribute {
    ESP_ATTR_LIFE_TYPE = 1,
    ESP_ATTR_LIFE = 2,
    ESP_ATTR_GROUP = 3,
    ESP_ATTR_MODE = 4,
    ESP_ATTR_AUTH = 5,
    ESP_ATTR_KEY_BITS = 6,
};

enum { LIFE_SECONDS = 1, LIFE_KILOBYTES = 2 };

#define AES_BITS_DEFAULT 128 /* some stacks leave the key length out */

static const struct {
    uint16_t number;
    enum cipher cipher;
    uint8_t key_bytes;
    const char *word;
} ike_ciphers[] = {
#define IKE_CIPHER(number, cipher, key_bytes, word, strength, policies) {number, cipher, key_bytes, word},
#define IKE_HASH(number, hash, word, strength, policies)
#define IKE_GROUP(group, word, strength, policies)
#define ESP_ALGORITHM(number, cipher, key_bytes, word, strength, policies)
#define ESP_INTEGRITY(number, auth, word, strength, policies)
#include "ike/suite.def"
#undef IKE_CIPHER
#undef IKE_HASH
};

static const struct {
    uint16_t number;
    enum hash hash;
    const char *word;
} ike_hashes[] = {
#define IKE_CIPHER(number, cipher, key_bytes, word, strength, policies)
#define IKE_HASH(number, hash, word, strength, policies) {number, hash, word},
#include "ike/suite.def"
#undef IKE_HASH
#undef IKE_GROUP
};

static const struct {
    enum dh_group group;
    const char *word;
} groups[] = {
#define IKE_HASH(number, hash, word, strength, policies)
#define IKE_GROUP(group, word, strength, policies) {group, word},
#include "ike/suite.def"
#undef IKE_GROUP
#undef ESP_ALGORITHM
};

static const struct {
    uint8_t number;
    enum esp_cipher cipher;
    uint8_t key_bytes;
    const char *word;
} esp_algorithms[] = {
#define IKE_GROUP(group, word, strength, policies)
#define ESP_ALGORITHM(number, cipher, key_bytes, word, strength, policies) {number, cipher, key_bytes, word},
#include "ike/suite.def"
#undef ESP_ALGORITHM
#undef ESP_INTEGRITY
};

static const struct {
    uint16_t number;
    enum esp_auth auth;
    const char *word;
} esp_integrities[] = {
#define ESP_ALGORITHM(number, cipher, key_bytes, word, strength, policies)
#define ESP_INTEGRITY(number, auth, word, strength, policies) {number, auth, word},
#include "ike/suite.def"
#undef ESP_ALGORITHM
#undef ESP_INTEGRITY
#undef IKE_CIPHER
#undef IKE_HASH
#undef IKE_GROUP
};

/* One value, said once; saying it twice alike is harmless, saying two things is not. */
static bool set_once(uint64_t *to, uint64_t value)
{
    if (*to != 0 && *to != value)
        return false;
    *to = value;
    return value != 0;
}

static uint32_t clip32(uint64_t v)
{
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static enum err cipher_of(uint64_t number, uint64_t bits, struct suite *out)
{
    for (size_t i = 0; i < ARRAY_LEN(ike_ciphers); i++) {
        const uint64_t wanted = ike_ciphers[i].cipher != CIPHER_AES ? (bits ? bits : ike_ciphers[i].key_bytes * 8u)
                                : bits                              ? bits
                                                                    : AES_BITS_DEFAULT;
        if (ike_ciphers[i].number != number || ike_ciphers[i].key_bytes * 8u != wanted)
            continue;
        out->cipher = ike_ciphers[i].cipher;
        out->key_bytes = ike_ciphers[i].key_bytes;
        return ERR_OK;
    }
    return ERR_UNSUPPORTED;
}

static enum err hash_of(uint64_t number, enum hash *out)
{
    for (size_t i = 0; i < ARRAY_LEN(ike_hashes); i++) {
        if (ike_hashes[i].number == number) {
            *out = ike_hashes[i].hash;
            return ERR_OK;
        }
    }
    return ERR_UNSUPPORTED;
}

static enum err group_of(uint64_t number, enum dh_group *out)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if ((uint64_t)groups[i].group == number) {
            *out = groups[i].group;
            return ERR_OK;
        }
    }
    return ERR_UNSUPPORTED;
}

enum err suite_read(const struct transform *t, struct suite *out)
{
    struct reader r = rd_init(t->attributes);
    struct attribute a;
    uint64_t cipher = 0, hash = 0, auth = 0, group = 0, bits = 0, life_type = 0, life = 0;
    bool ok = t->id == KEY_IKE;
    while (ok && attribute_next(&r, &a)) {
        switch (a.type) {
        case IKE_ATTR_CIPHER:
            ok = set_once(&cipher, a.value);
            break;
        case IKE_ATTR_HASH:
            ok = set_once(&hash, a.value);
            break;
        case IKE_ATTR_AUTH:
            ok = set_once(&auth, a.value);
            break;
        case IKE_ATTR_GROUP:
            ok = set_once(&group, a.value);
            break;
        case IKE_ATTR_KEY_BITS:
            ok = set_once(&bits, a.value);
            break;
        case IKE_ATTR_LIFE_TYPE:
            life_type = a.value;
            ok = life_type == LIFE_SECONDS || life_type == LIFE_KILOBYTES;
            break;
        case IKE_ATTR_LIFE:
            if (life_type == LIFE_SECONDS)
                life = a.value;
            break;
        default:
            ok = false;
            break;
        }
    }
    struct suite s = {.lifetime = clip32(life)};
    if (!ok || !rd_ok(&r) || auth_of(auth, &s.auth) != ERR_OK || cipher_of(cipher, bits, &s) != ERR_OK ||
        hash_of(hash, &s.hash) != ERR_OK || group_of(group, &s.group) != ERR_OK)
        return ERR_UNSUPPORTED;
    *out = s;
    return ERR_OK;
}

static enum err esp_cipher_of(uint8_t id, uint64_t bits, struct esp_transform *out)
{
    for (size_t i = 0; i < ARRAY_LEN(esp_algorithms); i++) {
        const bool sized =
            esp_algorithms[i].cipher == ESP_CIPHER_AES_CBC || esp_algorithms[i].cipher == ESP_CIPHER_AES_GCM;
        const uint64_t wanted = bits ? bits : sized ? AES_BITS_DEFAULT : esp_algorithms[i].key_bytes * 8u;
        if (esp_algorithms[i].number != id || esp_algorithms[i].key_bytes * 8u != wanted)
            continue;
        out->cipher = esp_algorithms[i].cipher;
        out->key_bytes = esp_algorithms[i].key_bytes;
        return ERR_OK;
    }
    return ERR_UNSUPPORTED;
}

static enum err esp_auth_of(uint64_t number, struct esp_transform *out)
{
    /* An AEAD brings its own (RFC 4106 8); everything else needs one: encryption alone protects nothing. */
    if (out->cipher == ESP_CIPHER_AES_GCM) {
        out->auth = ESP_AUTH_NONE;
        return number == 0 ? ERR_OK : ERR_UNSUPPORTED;
    }
    for (size_t i = 0; i < ARRAY_LEN(esp_integrities); i++) {
        if (esp_integrities[i].number == number) {
            out->auth = esp_integrities[i].auth;
            return ERR_OK;
        }
    }
    return ERR_UNSUPPORTED;
}

enum err esp_suite_read(const struct transform *t, struct esp_suite *out)
{
    struct reader r = rd_init(t->attributes);
    struct attribute a;
    uint64_t group = 0, mode = 0, auth = 0, bits = 0, life_type = 0, life = 0, kilobytes = 0;
    bool ok = true;
    while (ok && attribute_next(&r, &a)) {
        switch (a.type) {
        case ESP_ATTR_LIFE_TYPE:
            life_type = a.value;
            ok = life_type == LIFE_SECONDS || life_type == LIFE_KILOBYTES;
            break;
        case ESP_ATTR_LIFE:
            if (life_type == LIFE_SECONDS)
                life = a.value;
            else if (life_type == LIFE_KILOBYTES)
                kilobytes = a.value;
            break;
        case ESP_ATTR_GROUP:
            ok = set_once(&group, a.value);
            break;
        case ESP_ATTR_MODE:
            ok = set_once(&mode, a.value);
            break;
        case ESP_ATTR_AUTH:
            ok = set_once(&auth, a.value);
            break;
        case ESP_ATTR_KEY_BITS:
            ok = set_once(&bits, a.value);
            break;
        default:
            ok = false;
            break;
        }
    }
    struct esp_suite s = {.mode = (uint16_t)mode, .lifetime = clip32(life), .kilobytes = kilobytes};
    if (!ok || !rd_ok(&r) || mode > UINT16_MAX || esp_cipher_of(t->id, bits, &s.transform) != ERR_OK ||
        esp_auth_of(auth, &s.transform) != ERR_OK || (group != 0 && group_of(group, &s.pfs) != ERR_OK))
        return ERR_UNSUPPORTED;
    *out = s;
    return ERR_OK;
}

void suite_write(struct writer *w, const struct suite *s)
{
    for (size_t i = 0; i < ARRAY_LEN(ike_ciphers); i++) {
        if (ike_ciphers[i].cipher != s->cipher)
            continue;
        attribute_write(w, IKE_ATTR_CIPHER, ike_ciphers[i].number);
        break;
    }
    if (s->cipher == CIPHER_AES)
        attribute_write(w, IKE_ATTR_KEY_BITS, s->key_bytes * 8u);
    for (size_t i = 0; i < ARRAY_LEN(ike_hashes); i++) {
        if (ike_hashes[i].hash == s->hash)
            attribute_write(w, IKE_ATTR_HASH, ike_hashes[i].number);
    }
    attribute_write(w, IKE_ATTR_GROUP, s->group);
    attribute_write(w, IKE_ATTR_AUTH, auth_number(s->auth));
    attribute_write(w, IKE_ATTR_LIFE_TYPE, LIFE_SECONDS);
    attribute_write(w, IKE_ATTR_LIFE, s->lifetime);
}

uint8_t esp_suite_id(const struct esp_suite *s)
{
    for (size_t i = 0; i < ARRAY_LEN(esp_algorithms); i++) {
        if (esp_algorithms[i].cipher == s->transform.cipher)
            return esp_algorithms[i].number;
    }
    return 0;
}

void esp_suite_write(struct writer *w, const struct esp_suite *s)
{
    if (s->transform.cipher == ESP_CIPHER_AES_CBC || s->transform.cipher == ESP_CIPHER_AES_GCM)
        attribute_write(w, ESP_ATTR_KEY_BITS, s->transform.key_bytes * 8u);
    for (size_t i = 0; i < ARRAY_LEN(esp_integrities); i++) {
        if (esp_integrities[i].auth == s->transform.auth)
            attribute_write(w, ESP_ATTR_AUTH, esp_integrities[i].number);
    }
    if (s->pfs != DH_NONE)
        attribute_write(w, ESP_ATTR_GROUP, s->pfs);
    attribute_write(w, ESP_ATTR_MODE, s->mode);
    attribute_write(w, ESP_ATTR_LIFE_TYPE, LIFE_SECONDS);
    attribute_write(w, ESP_ATTR_LIFE, s->lifetime);
    if (s->kilobytes == 0)
        return;
    attribute_write(w, ESP_ATTR_LIFE_TYPE, LIFE_KILOBYTES);
    attribute_write(w, ESP_ATTR_LIFE, clip32(s->kilobytes));
}

bool suite_same(const struct suite *a, const struct suite *b)
{
    return a->auth == b->auth && a->cipher == b->cipher && a->key_bytes == b->key_bytes && a->hash == b->hash &&
           a->group == b->group;
}

bool esp_suite_same(const struct esp_suite *a, const struct esp_suite *b)
{
    return a->transform.cipher == b->transform.cipher && a->transform.key_bytes == b->transform.key_bytes &&
           a->transform.auth == b->transform.auth && a->pfs == b->pfs && a->mode == b->mode;
}

const char *suite_text(const struct suite *s, char out[static SUITE_TEXT_MAX])
{
    const char *cipher = "?", *hash = "?", *group = "?";
    for (size_t i = 0; i < ARRAY_LEN(ike_ciphers); i++) {
        if (ike_ciphers[i].cipher == s->cipher && ike_ciphers[i].key_bytes == s->key_bytes)
            cipher = ike_ciphers[i].word;
    }
    for (size_t i = 0; i < ARRAY_LEN(ike_hashes); i++) {
        if (ike_hashes[i].hash == s->hash)
            hash = ike_hashes[i].word;
    }
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (groups[i].group == s->group)
            group = groups[i].word;
    }
    const bool psk = s->auth == IKE_AUTH_PSK; /* the usual one, not worth a word */
    snprintf(out, SUITE_TEXT_MAX, "%s-%s-%s%s%s", cipher, hash, group, psk ? "" : "-",
             psk ? "" : ike_auth_word(s->auth));
    return out;
}

const char *esp_suite_text(const struct esp_suite *s, char out[static SUITE_TEXT_MAX])
{
    const char *cipher = "?", *auth = NULL, *group = NULL;
    for (size_t i = 0; i < ARRAY_LEN(esp_algorithms); i++) {
        if (esp_algorithms[i].cipher == s->transform.cipher && esp_algorithms[i].key_bytes == s->transform.key_bytes)
            cipher = esp_algorithms[i].word;
    }
    for (size_t i = 0; i < ARRAY_LEN(esp_integrities); i++) {
        if (esp_integrities[i].auth == s->transform.auth)
            auth = esp_integrities[i].word;
    }
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (groups[i].group == s->pfs)
            group = groups[i].word;
    }
    snprintf(out, SUITE_TEXT_MAX, "%s%s%s%s%s", cipher, auth ? "-" : "", auth ? auth : "", group ? "-" : "",
             group ? group : "");
    return out;
}

/* The next word of "aes256-sha1-modp2048"; empty at the end. */
static struct view next_word(struct reader *r)
{
    struct reader ahead = *r;
    size_t n = 0;
    while (rd_left(&ahead) > 0 && rd_u8(&ahead) != '-')
        n++;
    const struct view word = rd_view(r, n);
    if (rd_left(r) > 0)
        rd_skip(r, 1);
    return word;
}

static bool is_word(struct view text, const char *word)
{
    return view_equal(text, view_str(word));
}

enum err suite_parse(struct view text, struct suite *out)
{
    struct reader r = rd_init(text);
    const struct view cipher = next_word(&r), hash = next_word(&r), group = next_word(&r);
    struct suite s = {0};
    for (size_t i = 0; i < ARRAY_LEN(ike_ciphers); i++) {
        if (is_word(cipher, ike_ciphers[i].word)) {
            s.cipher = ike_ciphers[i].cipher;
            s.key_bytes = ike_ciphers[i].key_bytes;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(ike_hashes); i++) {
        if (is_word(hash, ike_hashes[i].word))
            s.hash = ike_hashes[i].hash;
    }
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (is_word(group, groups[i].word))
            s.group = groups[i].group;
    }
    if (s.cipher == CIPHER_NONE || s.hash == HASH_NONE || s.group == DH_NONE || !rd_done(&r))
        return ERR_INVALID;
    *out = s;
    return ERR_OK;
}

enum err esp_suite_parse(struct view text, struct esp_suite *out)
{
    struct reader r = rd_init(text);
    const struct view cipher = next_word(&r), auth = next_word(&r);
    struct esp_suite s = {0};
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(esp_algorithms); i++) {
        if (is_word(cipher, esp_algorithms[i].word)) {
            s.transform.cipher = esp_algorithms[i].cipher;
            s.transform.key_bytes = esp_algorithms[i].key_bytes;
            known = true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(esp_integrities); i++) {
        if (is_word(auth, esp_integrities[i].word))
            s.transform.auth = esp_integrities[i].auth;
    }
    const bool aead = s.transform.cipher == ESP_CIPHER_AES_GCM;
    if (!known || !rd_done(&r) || aead != (auth.n == 0) || (!aead && s.transform.auth == ESP_AUTH_NONE))
        return ERR_INVALID;
    *out = s;
    return ERR_OK;
}
