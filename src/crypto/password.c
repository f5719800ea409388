/*
 * Argon2id (RFC 9106), over libargon2, for passwords that are only ever compared. The lanes are worked off one after
 * another on the caller's thread: how many hashes are made at once is the caller's to say, not this module's.
 */
#include "crypto/crypto_internal.h"

#include <argon2.h>

static uint8_t *bytes_of(struct view v)
{
    return (uint8_t *)(uintptr_t)v.p; /* libargon2 writes to none of them unless flags tell it to wipe them */
}

enum err argon2id(const struct argon2_input *in, uint8_t *out, size_t n)
{
    argon2_context context = {
        .out = out,
        .outlen = (uint32_t)n,
        .pwd = bytes_of(in->password),
        .pwdlen = (uint32_t)in->password.n,
        .salt = bytes_of(in->salt),
        .saltlen = (uint32_t)in->salt.n,
        .secret = bytes_of(in->secret),
        .secretlen = (uint32_t)in->secret.n,
        .ad = bytes_of(in->associated),
        .adlen = (uint32_t)in->associated.n,
        .t_cost = in->passes,
        .m_cost = in->kib,
        .lanes = in->lanes,
        .threads = 1,
        .version = ARGON2_VERSION_13,
        .flags = ARGON2_DEFAULT_FLAGS,
    };
    const int code = argon2_ctx(&context, Argon2_id);
    if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
        return ERR_NOMEM;
    return code == ARGON2_OK ? ERR_OK : ERR_CRYPTO;
}

enum err password_hash(struct view password, const uint8_t salt[static ARGON2_SALT_SIZE],
                       uint8_t out[static ARGON2_HASH_SIZE])
{
    const struct argon2_input in = {
        .password = password,
        .salt = view_of(salt, ARGON2_SALT_SIZE),
        .passes = ARGON2_PASSES,
        .kib = ARGON2_KIB,
        .lanes = ARGON2_LANES,
    };
    return argon2id(&in, out, ARGON2_HASH_SIZE);
}
