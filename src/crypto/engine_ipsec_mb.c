/*
 * The multi-buffer ESP engine over libipsec-mb: packets of one burst, whatever their SAs, fill the SIMD lanes of one
 * manager. Two managers are kept, since a wide one costs the same for one packet as for sixteen: what does not fill
 * its lanes goes to the narrow SSE one, whose SHA instructions work on a packet at a time.
 *
 * AES-GCM needs no lanes and is called directly. DES and 3DES exist in AVX-512 lanes only; the stragglers of a burst,
 * and processors without, are served by the OpenSSL engine.
 */
#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/engine_internal.h"

#define KEY_ALIGN     64 /* bytes; struct gcm_key_data asks for it */
#define MD5_SIZE      16
#define HASH_PAD_MAX  64 /* bytes of a precomputed HMAC state */
#define HASH_BLOCK    64
#define HASH_BLOCK_64 128 /* SHA-384 and SHA-512 */
#define HMAC_IPAD     0x36
#define HMAC_OPAD     0x5c
#define DES_KEY_SIZE  8

/* Jobs that share lanes: those of one hash, except that DES is so much slower that it alone decides. */
enum lane { LANE_NONE, LANE_MD5, LANE_SHA1, LANE_SHA256, LANE_SHA512, LANE_DES, LANE_3DES, LANE_COUNT };

/* Full rows of `width` go to the wide manager, and so does a rest of at least `worth`; a smaller one goes the small
 * way. The edges are where the two cost the same for packets of 1400 bytes, measured on Zen 4 and 5. */
struct lane_rule {
    uint8_t width, worth;
};

#define ALWAYS_WIDE 1, 1
#define NEVER_WIDE  UINT8_MAX, UINT8_MAX

static const struct lane_rule with_avx512[LANE_COUNT] = {
    [LANE_NONE] = {ALWAYS_WIDE},   [LANE_MD5] = {ALWAYS_WIDE}, [LANE_SHA1] = {16, 6}, [LANE_SHA256] = {16, 9},
    [LANE_SHA512] = {ALWAYS_WIDE}, [LANE_DES] = {16, 2},       [LANE_3DES] = {16, 5},
};

/* Without AVX-512 the SHA instructions beat eight AVX2 lanes, and there are no DES lanes. */
static const struct lane_rule without_avx512[LANE_COUNT] = {
    [LANE_NONE] = {ALWAYS_WIDE},   [LANE_MD5] = {ALWAYS_WIDE}, [LANE_SHA1] = {NEVER_WIDE}, [LANE_SHA256] = {NEVER_WIDE},
    [LANE_SHA512] = {ALWAYS_WIDE}, [LANE_DES] = {NEVER_WIDE},  [LANE_3DES] = {NEVER_WIDE},
};

struct mb_engine {
    struct engine base;
    IMB_MGR *wide, *narrow;
    struct engine *portable;
    const struct lane_rule *rules;
    struct gcm_context_data gcm;
    uint8_t icv[ENGINE_BURST][ENGINE_ICV_MAX];
    bool done[ENGINE_BURST];
};

struct mb_key {
    struct engine_key base;
    enum lane lane;
    IMB_HASH_ALG hash;
    IMB_CIPHER_MODE mode;
    uint8_t icv_bytes; /* that ipsec-mb can be asked for: never fewer than the SA's */
    uint8_t salt[GCM_SALT_SIZE];
    struct engine_key *portable; /* with DES and 3DES */
    aes_gcm_enc_dec_t gcm_seal, gcm_open;
    uint8_t ipad[HASH_PAD_MAX], opad[HASH_PAD_MAX];
    /* Last, and allocated only as far as the cipher needs it. */
    union {
        struct {
            uint32_t enc[60], dec[60];
        } aes;
        struct {
            uint64_t schedule[3][IMB_DES_KEY_SCHED_SIZE / 8];
            const void *parts[3];
        } des;
        struct gcm_key_data gcm;
    } cipher;
};

/* ---- keys ---- */

static size_t key_bytes(enum esp_cipher cipher)
{
    const struct mb_key *k = NULL;
    size_t head = offsetof(struct mb_key, cipher);
    switch (cipher) {
    case ESP_CIPHER_NULL:
        return head;
    case ESP_CIPHER_DES:
    case ESP_CIPHER_3DES:
        return head + sizeof k->cipher.des;
    case ESP_CIPHER_AES_CBC:
        return head + sizeof k->cipher.aes;
    case ESP_CIPHER_AES_GCM:
        break;
    }
    return sizeof *k;
}

static void mb_key_free(struct engine *base, struct engine_key *key)
{
    struct mb_engine *e = (struct mb_engine *)base;
    struct mb_key *k = (struct mb_key *)key;
    engine_key_free(e->portable, k->portable);
    bytes_wipe(k, key_bytes(k->base.transform.cipher));
    free(k);
}

/* One compression of the padded key each way: all that HMAC's key costs a packet later (RFC 2104 section 4). */
static void hmac_pads(struct mb_key *k, hash_one_block_t hash, size_t block, const uint8_t *key, size_t n)
{
    uint8_t padded[HASH_BLOCK_64];
    memset(padded, HMAC_IPAD, block);
    for (size_t i = 0; i < n; i++)
        padded[i] ^= key[i];
    hash(padded, k->ipad);
    for (size_t i = 0; i < block; i++)
        padded[i] ^= HMAC_IPAD ^ HMAC_OPAD;
    hash(padded, k->opad);
    bytes_wipe(padded, sizeof padded);
}

static void expand_auth(struct mb_key *k, const IMB_MGR *m, const uint8_t *key)
{
    size_t n = esp_auth_key_size(&k->base.transform);
    k->icv_bytes = k->base.icv;
    switch (k->base.transform.auth) {
    case ESP_AUTH_MD5_96:
        k->hash = IMB_AUTH_MD5;
        k->lane = LANE_MD5;
        hmac_pads(k, m->md5_one_block, HASH_BLOCK, key, n);
        break;
    case ESP_AUTH_SHA1_96:
        k->hash = IMB_AUTH_HMAC_SHA_1;
        k->lane = LANE_SHA1;
        hmac_pads(k, m->sha1_one_block, HASH_BLOCK, key, n);
        break;
    case ESP_AUTH_SHA256_96:
    case ESP_AUTH_SHA256_128:
        k->hash = IMB_AUTH_HMAC_SHA_256;
        k->lane = LANE_SHA256;
        k->icv_bytes = 16; /* ipsec-mb knows no 96 bits of SHA-256 */
        hmac_pads(k, m->sha256_one_block, HASH_BLOCK, key, n);
        break;
    case ESP_AUTH_SHA384_192:
        k->hash = IMB_AUTH_HMAC_SHA_384;
        k->lane = LANE_SHA512;
        hmac_pads(k, m->sha384_one_block, HASH_BLOCK_64, key, n);
        break;
    case ESP_AUTH_SHA512_256:
        k->hash = IMB_AUTH_HMAC_SHA_512;
        k->lane = LANE_SHA512;
        hmac_pads(k, m->sha512_one_block, HASH_BLOCK_64, key, n);
        break;
    case ESP_AUTH_NONE:
        break;
    }
}

static void expand_aes(struct mb_key *k, const IMB_MGR *m, const uint8_t *key)
{
    keyexp_t expand = k->base.transform.key_bytes == 16   ? m->keyexp_128
                      : k->base.transform.key_bytes == 24 ? m->keyexp_192
                                                          : m->keyexp_256;
    k->mode = IMB_CIPHER_CBC;
    expand(key, k->cipher.aes.enc, k->cipher.aes.dec);
}

/* Hash keys of GHASH are laid out for one manager's code: always the wide one's. */
static void expand_gcm(struct mb_key *k, const IMB_MGR *wide, const uint8_t *key)
{
    size_t n = k->base.transform.key_bytes;
    aes_gcm_pre_t expand = n == 16 ? wide->gcm128_pre : n == 24 ? wide->gcm192_pre : wide->gcm256_pre;
    k->gcm_seal = n == 16 ? wide->gcm128_enc : n == 24 ? wide->gcm192_enc : wide->gcm256_enc;
    k->gcm_open = n == 16 ? wide->gcm128_dec : n == 24 ? wide->gcm192_dec : wide->gcm256_dec;
    k->mode = IMB_CIPHER_GCM;
    expand(key, &k->cipher.gcm);
    memcpy(k->salt, key + n, GCM_SALT_SIZE);
}

static void expand_des(struct mb_key *k, const IMB_MGR *m, const uint8_t *key)
{
    bool triple = k->base.transform.cipher == ESP_CIPHER_3DES;
    k->mode = triple ? IMB_CIPHER_DES3 : IMB_CIPHER_DES;
    k->lane = triple ? LANE_3DES : LANE_DES;
    for (size_t i = 0; i < (triple ? 3 : 1); i++) {
        m->des_key_sched(k->cipher.des.schedule[i], key + i * DES_KEY_SIZE);
        k->cipher.des.parts[i] = k->cipher.des.schedule[i];
    }
}

static enum err mb_key_new(struct engine *base, const struct esp_transform *t, const uint8_t *cipher_key,
                           const uint8_t *auth_key, struct engine_key **out)
{
    struct mb_engine *e = (struct mb_engine *)base;
    size_t n = key_bytes(t->cipher);
    void *memory;
    if (posix_memalign(&memory, KEY_ALIGN, n) != 0)
        return ERR_NOMEM;
    memset(memory, 0, n);
    struct mb_key *k = memory;
    engine_key_init(&k->base, t);
    expand_auth(k, e->wide, auth_key);
    switch (t->cipher) {
    case ESP_CIPHER_NULL:
        k->mode = IMB_CIPHER_NULL;
        break;
    case ESP_CIPHER_AES_CBC:
        expand_aes(k, e->wide, cipher_key);
        break;
    case ESP_CIPHER_AES_GCM:
        expand_gcm(k, e->wide, cipher_key);
        break;
    case ESP_CIPHER_DES:
    case ESP_CIPHER_3DES:
        expand_des(k, e->wide, cipher_key);
        enum err err = e->portable->ops->key_new(e->portable, t, cipher_key, auth_key, &k->portable);
        if (err != ERR_OK) {
            mb_key_free(base, &k->base);
            return err;
        }
        break;
    }
    *out = &k->base;
    return ERR_OK;
}

/* ---- packets ---- */

static void run_gcm(struct mb_engine *e, const struct mb_key *k, struct engine_job *job, bool seal)
{
    uint8_t nonce[GCM_NONCE_SIZE], icv[GCM_ICV_SIZE];
    uint8_t *text = job_text(job);
    memcpy(nonce, k->salt, GCM_SALT_SIZE);
    memcpy(nonce + GCM_SALT_SIZE, job_iv(job), GCM_NONCE_SIZE - GCM_SALT_SIZE);
    (seal ? k->gcm_seal : k->gcm_open)(&k->cipher.gcm, &e->gcm, text, text, job->text_len, nonce, job->esp,
                                       ESP_HEADER_SIZE, seal ? job_icv(job) : icv, GCM_ICV_SIZE);
    job->ok = seal || bytes_equal_ct(icv, job_icv(job), GCM_ICV_SIZE);
}

static void run_portable(struct mb_engine *e, const struct mb_key *k, struct engine_job *job, bool seal)
{
    struct engine_job one = *job;
    one.key = k->portable;
    (seal ? e->portable->ops->seal : e->portable->ops->open)(e->portable, &one, 1);
    job->ok = one.ok;
}

static void fill(IMB_JOB *j, const struct engine_job *job, const struct mb_key *k, bool seal)
{
    bool des = k->lane == LANE_DES, triple = k->lane == LANE_3DES;
    j->enc_keys = des      ? (const void *)k->cipher.des.schedule[0]
                  : triple ? (const void *)k->cipher.des.parts
                           : k->cipher.aes.enc;
    j->dec_keys = des || triple ? j->enc_keys : k->cipher.aes.dec;
    j->key_len_in_bytes = k->base.transform.key_bytes;
    j->src = job->esp;
    j->dst = job_text(job);
    j->cipher_start_src_offset_in_bytes = ESP_HEADER_SIZE + (uint64_t)k->base.iv;
    j->msg_len_to_cipher_in_bytes = job->text_len;
    j->hash_start_src_offset_in_bytes = 0;
    j->msg_len_to_hash_in_bytes = job_covered(job);
    j->iv = job_iv(job);
    j->iv_len_in_bytes = k->base.iv;
    j->auth_tag_output_len_in_bytes = k->icv_bytes;
    j->u.HMAC._hashed_auth_key_xor_ipad = k->ipad;
    j->u.HMAC._hashed_auth_key_xor_opad = k->opad;
    j->cipher_mode = k->mode;
    j->cipher_direction = seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    j->hash_alg = k->hash;
    j->chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
}

static void collect(const IMB_JOB *j)
{
    *(bool *)j->user_data = j->status == IMB_STATUS_COMPLETED;
}

/* Our own check of the job stands for ipsec-mb's. */
static void submit(struct mb_engine *e, IMB_MGR *m, const struct engine_job *job, size_t i, bool seal)
{
    IMB_JOB *j = IMB_GET_NEXT_JOB(m);
    fill(j, job, (const struct mb_key *)job->key, seal);
    j->auth_tag_output = e->icv[i];
    j->user_data = &e->done[i];
    e->done[i] = false;
    j = IMB_SUBMIT_JOB_NOCHECK(m);
    if (j)
        collect(j);
}

static void drain(IMB_MGR *m)
{
    for (IMB_JOB *j = IMB_FLUSH_JOB(m); j; j = IMB_FLUSH_JOB(m))
        collect(j);
}

/* How many jobs of each lane take the small way. */
static void plan(const struct mb_engine *e, const struct engine_job *jobs, size_t n, size_t small[static LANE_COUNT])
{
    memset(small, 0, LANE_COUNT * sizeof *small);
    for (size_t i = 0; i < n; i++)
        small[((const struct mb_key *)jobs[i].key)->lane]++;
    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        size_t rest = small[lane] % e->rules[lane].width;
        small[lane] = rest < e->rules[lane].worth ? rest : 0;
    }
}

/* True when the job is at work in a manager, false when it is done. */
static bool start(struct mb_engine *e, struct engine_job *job, size_t i, size_t small[static LANE_COUNT], bool seal)
{
    const struct mb_key *k = (const struct mb_key *)job->key;
    if (k->mode == IMB_CIPHER_GCM) {
        run_gcm(e, k, job, seal);
        return false;
    }
    bool is_small = small[k->lane] > 0;
    small[k->lane] -= is_small;
    if (is_small && k->portable) {
        run_portable(e, k, job, seal);
        return false;
    }
    submit(e, is_small ? e->narrow : e->wide, job, i, seal);
    return true;
}

static void burst(struct mb_engine *e, struct engine_job *jobs, size_t n, bool seal)
{
    size_t small[LANE_COUNT];
    bool at_work[ENGINE_BURST];
    plan(e, jobs, n, small);
    for (size_t i = 0; i < n; i++)
        at_work[i] = start(e, &jobs[i], i, small, seal);
    drain(e->wide);
    drain(e->narrow);
    for (size_t i = 0; i < n; i++) {
        if (!at_work[i])
            continue;
        size_t icv = jobs[i].key->icv;
        if (seal)
            memcpy(job_icv(&jobs[i]), e->icv[i], icv);
        jobs[i].ok = e->done[i] && (seal || bytes_equal_ct(e->icv[i], job_icv(&jobs[i]), icv));
    }
}

static void mb_seal(struct engine *base, struct engine_job *jobs, size_t n)
{
    burst((struct mb_engine *)base, jobs, n, true);
}

static void mb_open(struct engine *base, struct engine_job *jobs, size_t n)
{
    burst((struct mb_engine *)base, jobs, n, false);
}

/* ---- the engine ---- */

static void mb_free(struct engine *base)
{
    struct mb_engine *e = (struct mb_engine *)base;
    engine_free(e->portable);
    if (e->wide)
        free_mb_mgr(e->wide);
    if (e->narrow)
        free_mb_mgr(e->narrow);
    free(e);
}

static const struct engine_ops ops = {
    .name = "ipsec-mb",
    .free = mb_free,
    .key_new = mb_key_new,
    .key_free = mb_key_free,
    .seal = mb_seal,
    .open = mb_open,
};

static bool has(uint64_t features, uint64_t wanted)
{
    return (features & wanted) == wanted;
}

/* Chooses the managers' code by what the processor has. Without the SHA instructions both get the same code. */
static bool init_managers(struct mb_engine *e)
{
    uint64_t features = e->wide->features;
    if (!has(features, IMB_CPUFLAGS_SSE))
        return false;
    if (has(features, IMB_CPUFLAGS_AVX512)) {
        e->rules = with_avx512;
        init_mb_mgr_avx512(e->wide);
    } else {
        e->rules = without_avx512;
        init_mb_mgr_auto(e->wide, NULL);
    }
    if (has(features, IMB_FEATURE_SHANI))
        init_mb_mgr_sse(e->narrow);
    else
        init_mb_mgr_auto(e->narrow, NULL);
    return true;
}

struct engine *engine_ipsec_mb_new(void)
{
    struct mb_engine *e;
    void *memory;
    if (posix_memalign(&memory, KEY_ALIGN, sizeof *e) != 0)
        return NULL;
    e = memset(memory, 0, sizeof *e);
    e->base.ops = &ops;
    e->wide = alloc_mb_mgr(0);
    e->narrow = alloc_mb_mgr(0);
    e->portable = engine_openssl_new();
    if (e->wide && e->narrow && e->portable && init_managers(e))
        return &e->base;
    mb_free(&e->base);
    return NULL;
}
