/* The methods of authentication of phase 1: their numbers, words and hashes. */
#include "ike/ike_message.h"

static const struct {
    uint16_t number;
    const char *word;
    enum hash hash;
} methods[] = {
#define AUTH(name, number, word, hash) [IKE_AUTH_##name] = {number, word, hash},
#include "ike/auth.def"
#undef AUTH
};

const char *ike_auth_word(enum ike_auth auth)
{
    return auth < IKE_AUTH_COUNT ? methods[auth].word : "?";
}

enum err auth_of(uint64_t number, enum ike_auth *out)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (methods[i].number == number) {
            *out = (enum ike_auth)i;
            return ERR_OK;
        }
    }
    return ERR_UNSUPPORTED;
}

uint16_t auth_number(enum ike_auth auth)
{
    return methods[auth].number;
}

enum hash auth_hash(enum ike_auth auth, enum hash negotiated)
{
    return methods[auth].hash == HASH_NONE ? negotiated : methods[auth].hash;
}
