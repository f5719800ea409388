/*
 * What the ESP layer costs on top of bare cryptography: the same bursts through libipsec-mb alone, as its own job ring
 * with fixed keys, and through esp_seal() and esp_open(), with headers, IVs, SA look-up, replay window and padding.
 * Figures are the best of several short windows by thread CPU time; only the ratio of one run means something.
 */
#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "esp/esp.h"

#define PLAIN     1400 /* bytes of a packet before ESP */
#define ROOM      128
#define WINDOWS   9
#define WINDOW_NS 6e6
#define BUFFERS   BURST_MAX

struct buffer {
    uint8_t bytes[ROOM + PLAIN + ROOM + 72];
} __attribute__((aligned(64)));

static struct buffer buffers[BUFFERS];

static const struct {
    const char *name;
    struct esp_transform transform;
} kinds[] = {
    {"AES-CBC-128 SHA-1", {ESP_CIPHER_AES_CBC, 16, ESP_AUTH_SHA1_96}},
    {"AES-CBC-256 SHA-1", {ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA1_96}},
    {"AES-CBC-256 SHA-256", {ESP_CIPHER_AES_CBC, 32, ESP_AUTH_SHA256_128}},
    {"AES-GCM-128", {ESP_CIPHER_AES_GCM, 16, ESP_AUTH_NONE}},
};

static const size_t bursts[] = {1, 8, 32, 64};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---- ours ---- */

struct layer {
    struct random_test dice;
    struct random rng;
    struct esp *esp;
    uint32_t handles[BURST_MAX];
    double seal_ns, open_ns; /* per packet, the best so far */
};

static void layer_init(struct layer *l, const struct esp_transform *t, const char *engine)
{
    uint8_t keymat[100] = {1, 2, 3};
    random_test_init(&l->dice, 1);
    l->rng = (struct random){random_test_fill, &l->dice};
    const struct esp_config config = {.max_sas = 100, .engine = engine};
    const struct esp_sa_config sa = {
        .transform = *t,
        .keymat = view_of(keymat, esp_cipher_key_size(t) + esp_auth_key_size(t)),
        .life = {UINT64_MAX, UINT64_MAX},
    };
    l->esp = esp_new(&config, &l->rng);
    uint32_t spi = l->esp ? esp_spi_reserve(l->esp) : 0, handle;
    if (!spi || esp_inbound_add(l->esp, spi, &sa) != ERR_OK || esp_outbound_add(l->esp, spi, &sa, &handle) != ERR_OK)
        abort();
    for (size_t i = 0; i < BURST_MAX; i++)
        l->handles[i] = handle;
    l->seal_ns = l->open_ns = 1e18;
}

/* One window: bursts are sealed and then opened, each side timed by itself. */
static void layer_window(struct layer *l, size_t burst)
{
    struct packet packets[BURST_MAX];
    uint32_t spis[BURST_MAX];
    double seal = 0, open = 0;
    size_t done = 0, at = 0;
    while (seal + open < WINDOW_NS) {
        for (size_t i = 0; i < burst; i++, at = (at + 1) % BUFFERS)
            packets[i] =
                (struct packet){.data = buffers[at].bytes + ROOM, .len = PLAIN, .headroom = ROOM, .tailroom = ROOM};
        double t0 = now_ns();
        esp_seal(l->esp, packets, l->handles, burst);
        double t1 = now_ns();
        esp_open(l->esp, packets, spis, burst);
        double t2 = now_ns();
        for (size_t i = 0; i < burst; i++)
            if (packets[i].verdict != DROP_NONE)
                abort();
        seal += t1 - t0;
        open += t2 - t1;
        done += burst;
    }
    if (seal / (double)done < l->seal_ns)
        l->seal_ns = seal / (double)done;
    if (open / (double)done < l->open_ns)
        l->open_ns = open / (double)done;
}

/* ---- bare ---- */

struct bare {
    double seal_ns, open_ns;
#ifdef HAVE_IPSEC_MB
    IMB_MGR *narrow, *wide;
    struct gcm_key_data gcm;
    struct gcm_context_data gcm_context;
    uint32_t enc[60] __attribute__((aligned(16))), dec[60] __attribute__((aligned(16)));
    uint8_t pad[64] __attribute__((aligned(16)));
    uint8_t tags[BURST_MAX][32];
#endif
};

#ifdef HAVE_IPSEC_MB

static bool bare_init(struct bare *b, const struct esp_transform *t)
{
    static const uint8_t key[32] = {1, 2, 3};
    b->seal_ns = b->open_ns = 1e18;
    b->narrow = alloc_mb_mgr(0);
    b->wide = alloc_mb_mgr(0);
    init_mb_mgr_sse(b->narrow);
    init_mb_mgr_auto(b->wide, NULL);
    if (t->key_bytes == 16)
        IMB_AES_KEYEXP_128(b->wide, key, b->enc, b->dec);
    else
        IMB_AES_KEYEXP_256(b->wide, key, b->enc, b->dec);
    IMB_AES128_GCM_PRE(b->wide, key, &b->gcm);
    return true;
}

static void bare_done(struct bare *b)
{
    free_mb_mgr(b->narrow);
    free_mb_mgr(b->wide);
}

static void bare_gcm(struct bare *b, uint8_t *esp, uint32_t len, uint8_t *tag, bool seal)
{
    if (seal)
        IMB_AES128_GCM_ENC(b->wide, &b->gcm, &b->gcm_context, esp + 16, esp + 16, len, esp + 4, esp, 8, tag, 16);
    else
        IMB_AES128_GCM_DEC(b->wide, &b->gcm, &b->gcm_context, esp + 16, esp + 16, len, esp + 4, esp, 8, tag, 16);
}

static void bare_fill(struct bare *b, IMB_JOB *j, const struct esp_transform *t, uint8_t *esp, uint32_t len,
                      uint8_t *tag, bool seal)
{
    j->enc_keys = b->enc;
    j->dec_keys = b->dec;
    j->key_len_in_bytes = t->key_bytes;
    j->src = esp;
    j->dst = esp + 24;
    j->cipher_start_src_offset_in_bytes = 24;
    j->msg_len_to_cipher_in_bytes = len;
    j->hash_start_src_offset_in_bytes = 0;
    j->msg_len_to_hash_in_bytes = 24 + len;
    j->iv = esp + 8;
    j->iv_len_in_bytes = 16;
    j->auth_tag_output = tag;
    j->auth_tag_output_len_in_bytes = t->auth == ESP_AUTH_SHA1_96 ? 12 : 16;
    j->u.HMAC._hashed_auth_key_xor_ipad = b->pad;
    j->u.HMAC._hashed_auth_key_xor_opad = b->pad;
    j->cipher_mode = IMB_CIPHER_CBC;
    j->cipher_direction = seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    j->hash_alg = t->auth == ESP_AUTH_SHA1_96 ? IMB_AUTH_HMAC_SHA_1 : IMB_AUTH_HMAC_SHA_256;
    j->chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
}

static void bare_burst(struct bare *b, const struct esp_transform *t, size_t burst, size_t *at, bool seal)
{
    IMB_MGR *m = burst < 8 ? b->narrow : b->wide;
    uint32_t block = (uint32_t)esp_block(t), len = (PLAIN + 2 + block - 1) / block * block;
    for (size_t i = 0; i < burst; i++, *at = (*at + 1) % BUFFERS) {
        uint8_t *esp = buffers[*at].bytes + ROOM;
        if (t->cipher == ESP_CIPHER_AES_GCM) {
            bare_gcm(b, esp, len, b->tags[i], seal);
            continue;
        }
        bare_fill(b, IMB_GET_NEXT_JOB(m), t, esp, len, b->tags[i], seal);
        (void)IMB_SUBMIT_JOB_NOCHECK(m);
    }
    while (IMB_FLUSH_JOB(m))
        ;
}

static void bare_window(struct bare *b, const struct esp_transform *t, size_t burst)
{
    double seal = 0, open = 0;
    size_t done = 0, seal_at = 0, open_at = 0;
    while (seal + open < WINDOW_NS) {
        double t0 = now_ns();
        bare_burst(b, t, burst, &seal_at, true);
        double t1 = now_ns();
        bare_burst(b, t, burst, &open_at, false);
        double t2 = now_ns();
        seal += t1 - t0;
        open += t2 - t1;
        done += burst;
    }
    if (seal / (double)done < b->seal_ns)
        b->seal_ns = seal / (double)done;
    if (open / (double)done < b->open_ns)
        b->open_ns = open / (double)done;
}

#else

static bool bare_init(struct bare *b, const struct esp_transform *t)
{
    (void)b;
    (void)t;
    return false;
}
static void bare_done(struct bare *b)
{
    (void)b;
}
static void bare_window(struct bare *b, const struct esp_transform *t, size_t burst)
{
    (void)b;
    (void)t;
    (void)burst;
}

#endif

/* ---- the table ---- */

static void print_side(const char *side, double bare, double ours, double openssl)
{
    printf("  %s %6.0f ns %5.1f Gb/s", side, ours, PLAIN * 8 / ours);
    if (bare > 0)
        printf("  bare %6.0f ns  ratio %.2f", bare, bare / ours);
    printf("  openssl %6.0f ns\n", openssl);
}

static void measure(size_t kind, size_t burst)
{
    static struct bare bare;
    static struct layer best, portable;
    const struct esp_transform *t = &kinds[kind].transform;
    bool have_bare = bare_init(&bare, t);
    layer_init(&best, t, NULL);
    layer_init(&portable, t, "openssl");
    for (size_t w = 0; w < WINDOWS; w++) { /* in turn, so that all see the same moments */
        bare_window(&bare, t, burst);
        layer_window(&best, burst);
        layer_window(&portable, burst);
    }
    printf("%s, burst %zu, %s\n", kinds[kind].name, burst, esp_engine(best.esp));
    print_side("seal", have_bare ? bare.seal_ns : 0, best.seal_ns, portable.seal_ns);
    print_side("open", have_bare ? bare.open_ns : 0, best.open_ns, portable.open_ns);
    esp_free(best.esp);
    esp_free(portable.esp);
    if (have_bare)
        bare_done(&bare);
}

/* esp_burst [KIND [BURST]]: all, or only these. */
int main(int argc, char **argv)
{
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        for (size_t b = 0; b < ARRAY_LEN(bursts); b++)
            if ((argc < 2 || strcmp(argv[1], kinds[k].name) == 0) &&
                (argc < 3 || strtoul(argv[2], NULL, 10) == bursts[b]))
                measure(k, bursts[b]);
    return 0;
}
