/*
 * What the protocols need of cryptography, over nettle, OpenSSL and libipsec-mb: hashes, HMAC, CBC for IKE,
 * Diffie-Hellman, MS-CHAP, sealing at rest, and engines that encrypt and verify bursts of ESP packets.
 * Pure: keys and randomness come in as arguments. Secrets given out are the caller's to wipe.
 */
#ifndef SEKISHO_CRYPTO_H
#define SEKISHO_CRYPTO_H

#include "wire/wire.h"

/* ---- hashes and HMAC (RFC 2104) ---- */

enum hash { HASH_NONE, HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512 };

#define HASH_SIZE_MAX 64

size_t hash_size(enum hash h); /* bytes; 0 for HASH_NONE */
const char *hash_name(enum hash h);
/* Over the parts in a row. out holds hash_size(h) bytes. ERR_CRYPTO, ERR_UNSUPPORTED. */
enum err hash_digest(enum hash h, const struct view *parts, size_t n, uint8_t *out);
enum err hmac_digest(enum hash h, struct view key, const struct view *parts, size_t n, uint8_t *out);

/* ---- CBC, for IKE ---- */

enum cipher { CIPHER_NONE, CIPHER_DES, CIPHER_3DES, CIPHER_AES };

#define CIPHER_BLOCK_MAX 16

size_t cipher_block(enum cipher c); /* bytes */
/* In place; n must be a multiple of the block; iv is replaced by the last ciphertext block (RFC 2409 appendix B).
 * ERR_INVALID (n, or a key of another size: 8, 24, or 16, 24 and 32 bytes), ERR_UNSUPPORTED: nothing was changed. */
enum err cbc_encrypt(enum cipher c, struct view key, uint8_t *iv, uint8_t *data, size_t n);
enum err cbc_decrypt(enum cipher c, struct view key, uint8_t *iv, uint8_t *data, size_t n);

/* ---- Diffie-Hellman ---- */

/* Values are the IKE group numbers (RFC 2409, 3526, 5903). */
enum dh_group {
    DH_NONE = 0,
    DH_MODP_768 = 1,
    DH_MODP_1024 = 2,
    DH_MODP_1536 = 5,
    DH_MODP_2048 = 14,
    DH_MODP_3072 = 15,
    DH_MODP_4096 = 16,
    DH_ECP_256 = 19,
    DH_ECP_384 = 20,
    DH_ECP_521 = 21,
};

#define DH_VALUE_MAX   512 /* bytes of a public value or a shared secret */
#define DH_PRIVATE_MAX 72  /* bytes drawn for a private key */

size_t dh_public_size(enum dh_group g);  /* bytes of the KE payload: fixed for a group; 0 when unknown */
size_t dh_private_size(enum dh_group g); /* random bytes to draw for a private key of fitting strength */
const char *dh_name(enum dh_group g);

/* One piece of slow work, complete in itself: any thread may run it. In: group, private_key (dh_private_size() random
 * bytes) and, when the peer's value is known, peer. Out: public_key, and shared when peer was given.
 * Values keep their leading zeros: always dh_public_size() bytes (ECP: x and y; shared is x alone, RFC 5903 9).
 * The same private bytes make the same values: MODP takes them as the exponent with its highest bit set, ECP reduces
 * them into [1, n - 1]. On failure both lengths are 0. */
struct dh_work {
    uint64_t id; /* the asker's; carried back */
    enum dh_group group;
    uint8_t private_key[DH_PRIVATE_MAX];
    uint16_t peer_len; /* 0: make the public value only */
    uint8_t peer[DH_VALUE_MAX];
    uint16_t public_len, shared_len;
    uint8_t public_key[DH_VALUE_MAX];
    uint8_t shared[DH_VALUE_MAX];
    enum err result; /* ERR_INVALID: the peer's value is out of range or off the curve */
};
void dh_work_run(struct dh_work *w);
void dh_work_wipe(struct dh_work *w);

/* ---- CHAP and MS-CHAPv2 (RFC 1994, 2759) ---- */

#define CHAP_MD5_SIZE         16
#define MSCHAP_CHALLENGE_SIZE 16
#define MSCHAP_NT_HASH_SIZE   16
#define MSCHAP_NT_RESPONSE    24
#define MSCHAP_AUTH_RESPONSE  20 /* bytes; sent as 40 hex digits after "S=" */

enum err chap_md5_response(uint8_t id, struct view secret, struct view challenge, uint8_t out[static CHAP_MD5_SIZE]);
/* password is UTF-8; hashed as UTF-16LE. ERR_INVALID when it is not UTF-8 or longer than 256 characters. */
enum err mschap_nt_hash(struct view password, uint8_t out[static MSCHAP_NT_HASH_SIZE]);
/* user is the name as the peer sent it without a DOMAIN\ prefix (RFC 2759 4). */
enum err mschapv2_nt_response(const uint8_t nt_hash[static MSCHAP_NT_HASH_SIZE],
                              const uint8_t authenticator[static MSCHAP_CHALLENGE_SIZE],
                              const uint8_t peer[static MSCHAP_CHALLENGE_SIZE], struct view user,
                              uint8_t out[static MSCHAP_NT_RESPONSE]);
enum err mschapv2_authenticator_response(const uint8_t nt_hash[static MSCHAP_NT_HASH_SIZE],
                                         const uint8_t nt_response[static MSCHAP_NT_RESPONSE],
                                         const uint8_t authenticator[static MSCHAP_CHALLENGE_SIZE],
                                         const uint8_t peer[static MSCHAP_CHALLENGE_SIZE], struct view user,
                                         uint8_t out[static MSCHAP_AUTH_RESPONSE]);

/* ---- sealing at rest: AES-256-GCM ---- */

#define SEAL_KEY_SIZE 32
#define SEAL_OVERHEAD 28 /* nonce 12, tag 16 */

/* out gets plain.n + SEAL_OVERHEAD bytes. context binds the sealed bytes to their place (a user's name). */
enum err seal(const uint8_t key[static SEAL_KEY_SIZE], const struct random *rng, struct view context, struct view plain,
              uint8_t *out);
/* out gets sealed.n - SEAL_OVERHEAD bytes. ERR_AUTH when key, context or bytes differ. */
enum err unseal(const uint8_t key[static SEAL_KEY_SIZE], struct view context, struct view sealed, uint8_t *out);

/* ---- one-time codes (RFC 4226, 6238) ---- */

#define TOTP_SECRET_SIZE 20 /* bytes to draw for a secret: the length of SHA-1 (RFC 4226 4, R6) */
#define TOTP_STEP        30 /* seconds; a step is the seconds since 1970 by this */
#define TOTP_DIGITS      6
#define TOTP_DIGITS_MIN  6
#define TOTP_DIGITS_MAX  9
#define TOTP_CODE_SIZE   (TOTP_DIGITS_MAX + 1) /* bytes with NUL */

/* ERR_INVALID: digits; ERR_UNSUPPORTED: the hash. */
enum err hotp(enum hash h, struct view secret, uint64_t counter, unsigned digits, char out[static TOTP_CODE_SIZE]);
/* The code of a step, as authenticator apps make it. */
enum err totp_code(struct view secret, uint64_t step, char out[static TOTP_CODE_SIZE]);

#define BASE32_SIZE(n) (((n)*8 + 4) / 5 + 1) /* bytes of the text of n bytes, with NUL */
/* RFC 4648 section 6, without padding. out holds BASE32_SIZE(bytes.n). */
void base32_text(struct view bytes, char *out);

/* ---- passwords that need not be known again: Argon2id (RFC 9106) ---- */

/* The second of the choices of RFC 9106 section 4. */
#define ARGON2_PASSES    3
#define ARGON2_KIB       65536
#define ARGON2_LANES     4
#define ARGON2_SALT_SIZE 16
#define ARGON2_HASH_SIZE 32

/* Slow and large by design: some 0.2 s of one core and ARGON2_KIB of memory, which is given back wiped. ERR_NOMEM,
 * ERR_CRYPTO. */
enum err password_hash(struct view password, const uint8_t salt[static ARGON2_SALT_SIZE],
                       uint8_t out[static ARGON2_HASH_SIZE]);

/* ---- ESP bursts ---- */

enum esp_cipher {
    ESP_CIPHER_NULL,
    ESP_CIPHER_DES,
    ESP_CIPHER_3DES,
    ESP_CIPHER_AES_CBC, /* key of 16, 24 or 32 bytes */
    ESP_CIPHER_AES_GCM, /* ICV of 16; key of 16, 24 or 32 bytes and a salt of 4 after it (RFC 4106 8.1) */
};

enum esp_auth {
    ESP_AUTH_NONE, /* with AES-GCM only */
    ESP_AUTH_MD5_96,
    ESP_AUTH_SHA1_96,
    ESP_AUTH_SHA256_128,
    ESP_AUTH_SHA256_96, /* 96: the truncation of old kernels (draft-ietf-ipsec-ciph-sha-256-00) */
    ESP_AUTH_SHA384_192,
    ESP_AUTH_SHA512_256,
};

/* The algorithms of one SA. */
struct esp_transform {
    enum esp_cipher cipher;
    uint8_t key_bytes; /* of the cipher, without the GCM salt */
    enum esp_auth auth;
};

size_t esp_iv_size(const struct esp_transform *t);
size_t esp_icv_size(const struct esp_transform *t);
size_t esp_block(const struct esp_transform *t); /* ciphertext is a multiple of this; at least 4 (RFC 4303 2.4) */
size_t esp_cipher_key_size(const struct esp_transform *t); /* bytes to take from KEYMAT first, salt included */
size_t esp_auth_key_size(const struct esp_transform *t);   /* bytes to take next */
/* "aes256-sha1", "aes128gcm16"; a static string, never NULL. */
const char *esp_transform_name(const struct esp_transform *t);

struct engine;     /* one per thread: owns the managers and scratch of a library */
struct engine_key; /* expanded keys of one SA in one direction; belongs to the engine that made it */

/* name: "ipsec-mb", "openssl", or NULL for the best one on this processor. NULL when it cannot be had. */
struct engine *engine_new(const char *name);
void engine_free(struct engine *e);
const char *engine_name(const struct engine *e);
/* ERR_UNSUPPORTED, ERR_INVALID (key sizes), ERR_NOMEM. keymat: cipher key (and salt), then authentication key. */
enum err engine_key_new(struct engine *e, const struct esp_transform *t, struct view keymat, struct engine_key **out);
void engine_key_free(struct engine *e, struct engine_key *k); /* wipes; NULL-safe */

/* One ESP packet: SPI and sequence number (8 bytes), IV, text, ICV, all in place and contiguous. */
struct engine_job {
    const struct engine_key *key;
    uint8_t *esp;      /* the SPI's first byte */
    uint32_t text_len; /* bytes between IV and ICV; a multiple of esp_block() */
    bool ok;           /* out. open: the ICV matched (compared in constant time). seal: the job was done */
};

/* Encrypts text in place and writes the ICV behind it; the IV is in place already. */
void engine_seal(struct engine *e, struct engine_job *jobs, size_t n);
/* Verifies the ICV and decrypts text in place. Where ok is false the text is undefined. */
void engine_open(struct engine *e, struct engine_job *jobs, size_t n);

/* Unpredictable bytes for the IVs of CBC (RFC 3602 section 3): keystream made in blocks and never used twice. */
struct iv_stream;

/* Keyed from rng, which is borrowed for life and asked again now and then. NULL when out of memory. */
struct iv_stream *iv_stream_new(const struct random *rng);
void iv_stream_free(struct iv_stream *s);
void iv_stream_draw(struct iv_stream *s, uint8_t *out, size_t n);

#endif
