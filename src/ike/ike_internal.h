/*
 * What the files of ike share. Read in this order: the wire (payloads, SA payloads, suites), the tools (table, list,
 * alarm, queue), the objects (half-open, SA, quick mode, child, peer), the machine.
 *
 * Ownership: struct ike owns all. A peer owns its IKE SAs and its children; an IKE SA owns its quick modes. An IKE SA
 * whose peer is not authenticated yet belongs to no peer and is young: it lives for seconds and makes way for others.
 */
#ifndef SEKISHO_IKE_INTERNAL_H
#define SEKISHO_IKE_INTERNAL_H

#include "ike/ike.h"

/* ---- limits ---- */

#define IKE_MESSAGE_MAX    4096 /* bytes of a message that is read or written */
#define SA_PAYLOAD_MAX     2048 /* bytes of a phase 1 SA payload that is kept before the peer proved its address */
#define PAYLOADS_MAX       32   /* in a message */
#define PROPOSALS_MAX      32   /* in an SA payload */
#define TRANSFORMS_MAX     128  /* in an SA payload, all proposals together */
#define OFFERS_MAX         24   /* transforms that we offer as initiator */
#define NONCE_MIN          8    /* bytes, RFC 2409 5 */
#define NONCE_MAX          256
#define NONCE_OURS         32
#define CHOICE_MAX         512 /* bytes of the SA payload of QM2 */
#define KEYMAT_MAX         128 /* bytes for one ESP SA: AES-256 or GCM with salt, and SHA-512 */
#define PROOFS_MAX         16  /* MM5 messages that are tried on one IKE SA */
#define REPEATS_MAX        12  /* times a repeated message is answered from memory */
#define QUICKS_MAX         16  /* quick modes of one IKE SA, finished ones that are still remembered included */
#define CHILDREN_MAX       16  /* ESP SA pairs of one peer; the oldest makes way */
#define PEER_SAS_MAX       4   /* IKE SAs of one peer; the oldest makes way */
#define MESSAGE_IDS_KEPT   32  /* message ids of phase 2 that an IKE SA refuses to see again */
#define NOTICES_PER_SECOND 16  /* answers and events about peers that hold no state here */
#define IDENTITY_MAX       256 /* bytes of an ID payload's data */
#define IDENTITY_TEXT_MAX  128

/* ---- times ---- */

#define HALF_OPEN_LIFE         (30 * USEC_SEC) /* from MM1 to MM3, and again from MM3 to MM5 */
#define MEMORY_LIFE            (30 * USEC_SEC) /* how long the last message of an exchange is kept for repeats */
#define EXPIRY_MARGIN          (30 * USEC_SEC) /* what we grant a peer beyond a lifetime that it should watch */
#define DPD_REPEAT             (5 * USEC_SEC)
#define LIFETIME_IKE_DEFAULT   28800 /* seconds, when nothing was said (RFC 2407 4.5) */
#define LIFETIME_CHILD_DEFAULT 28800

/* ---- the wire: header and payloads (RFC 2408 3) ---- */

#define IKE_HEADER_SIZE 28
#define COOKIE_SIZE     8
#define IKE_DOI         1 /* IPsec, RFC 2407 */
#define SIT_IDENTITY    1 /* SIT_IDENTITY_ONLY */
#define PROTO_ISAKMP    1
#define PROTO_ESP       3

enum payload_type {
#define PAYLOAD(name, number, word) PAYLOAD_##name = number,
#include "ike/payload.def"
#undef PAYLOAD
};

enum exchange { EXCHANGE_MAIN = 2, EXCHANGE_AGGRESSIVE = 4, EXCHANGE_INFO = 5, EXCHANGE_QUICK = 32 };

enum { FLAG_ENCRYPTED = 1, FLAG_COMMIT = 2, FLAG_AUTH_ONLY = 4 };

struct header {
    uint8_t icookie[COOKIE_SIZE], rcookie[COOKIE_SIZE];
    uint8_t next, version, exchange, flags;
    uint32_t message_id;
};

/* A datagram as it came in; body is all after the header, within the header's own length. */
struct message {
    struct header header;
    struct view whole, body;
    const struct path *path;
};

struct payload {
    uint8_t type;
    struct view body; /* without the generic header */
};

struct payloads {
    struct payload at[PAYLOADS_MAX];
    size_t n;
    struct view after_first; /* all bytes behind the first payload up to the last one's end: what HASH covers */
};

enum drop header_parse(struct view datagram, struct header *h, struct view *body);
/* Walks the chain. padded: bytes may follow the last payload (encrypted messages). */
enum drop payloads_parse(uint8_t first, struct view body, bool padded, struct payloads *out);
/* The nth payload of a type, NULL when there are fewer. */
const struct payload *payload_nth(const struct payloads *p, enum payload_type type, size_t nth);
size_t payload_count(const struct payloads *p, enum payload_type type);
/* The body of the first payload of a type; empty when there is none. */
struct view payload_body(const struct payloads *p, enum payload_type type);

/* The messages by their payloads, for form_check(). */
enum form { FORM_MM_SA, FORM_MM_KE, FORM_MM_ID, FORM_QM_SA, FORM_QM_HASH, FORM_INFO };
/* DROP_IKE_PAYLOADS when a payload is missing or comes too often. */
enum drop form_check(enum form form, const struct payloads *p);

/* An attribute in its TV or TLV form (RFC 2408 3.3). */
struct attribute {
    uint16_t type;
    uint64_t value; /* UINT64_MAX when it does not fit */
};
/* False at the end or when the reader failed. */
bool attribute_next(struct reader *r, struct attribute *a);
/* Writes TV when the value fits 16 bits, TLV of four bytes otherwise. */
void attribute_write(struct writer *w, uint16_t type, uint32_t value);

struct proposal {
    uint8_t number, protocol;
    bool bundled; /* shares its number with another: both protocols at once, which we never want */
    struct view spi;
};

struct transform {
    uint8_t proposal; /* index */
    uint8_t number, id;
    struct view attributes;
};

/* An SA payload, parsed. */
struct offer {
    struct proposal proposals[PROPOSALS_MAX];
    struct transform transforms[TRANSFORMS_MAX];
    size_t proposal_count, transform_count;
};

enum drop offer_parse(struct view sa_body, struct offer *out);
/* Writes the body of an SA payload that accepts one transform, echoing number and attributes (clients.md rule 10). */
void offer_write_choice(struct writer *w, const struct offer *o, const struct transform *t, struct view spi);

struct notify {
    uint8_t protocol;
    uint16_t type;
    struct view spi, data;
};
enum notify_type {
#define NOTIFY(name, number, word) NOTIFY_##name = number,
#include "ike/notify.def"
#undef NOTIFY
};

enum drop notify_parse(struct view body, struct notify *out);
/* A short phrase for a notify type; never NULL. */
const char *notify_word(uint16_t type);

/* The SPIs of a Delete payload. */
struct delete_list {
    uint8_t protocol, spi_size;
    uint16_t count;
    struct view spis;
};
enum drop delete_parse(struct view body, struct delete_list *out);

/* ---- identities (RFC 2407 4.6.2) ---- */

enum {
    ID_IPV4_ADDR = 1,
    ID_FQDN = 2,
    ID_USER_FQDN = 3,
    ID_IPV6_ADDR = 5,
    ID_DER_DN = 9,
    ID_DER_GN = 10,
    ID_KEY_ID = 11
};

struct identity {
    uint8_t type, protocol;
    uint16_t port;
    struct view data;
};
enum drop identity_parse(struct view body, struct identity *out);
/* The address of an IPV4 or IPV6 identity; family 0 for others. */
struct ip_addr identity_address(const struct identity *id);
/* Printable text for people and for telling peers apart. */
void identity_text(const struct identity *id, char out[static IDENTITY_TEXT_MAX]);
void identity_write(struct writer *w, const struct ip_addr *a, uint8_t protocol, uint16_t port);

/* ---- suites and policy ---- */

/* A phase 1 transform, understood. */
struct suite {
    enum cipher cipher;
    uint8_t key_bytes;
    enum hash hash;
    enum dh_group group;
    uint32_t lifetime; /* seconds; 0 when not told */
};

/* A phase 2 transform, understood. */
struct esp_suite {
    struct esp_transform transform;
    enum dh_group pfs;
    uint16_t mode;     /* enum encapsulation; 0 when not told */
    uint32_t lifetime; /* seconds; 0 when not told */
    uint64_t kilobytes;
};

/* Encapsulation mode, RFC 2407 4.5, RFC 3947 5.1 and draft-ietf-ipsec-nat-t-ike-02 5.1 */
enum encapsulation {
    ENCAPSULATION_TUNNEL = 1,
    ENCAPSULATION_TRANSPORT = 2,
    ENCAPSULATION_UDP_TUNNEL = 3,
    ENCAPSULATION_UDP_TRANSPORT = 4,
    ENCAPSULATION_UDP_TUNNEL_DRAFT = 61443,
    ENCAPSULATION_UDP_TRANSPORT_DRAFT = 61444,
};

/* ERR_UNSUPPORTED for a transform that holds anything we do not know: it must not be chosen. */
enum err suite_read(const struct transform *t, struct suite *out);
enum err esp_suite_read(const struct transform *t, struct esp_suite *out);
void suite_write(struct writer *w, const struct suite *s);
void esp_suite_write(struct writer *w, const struct esp_suite *s);
uint8_t esp_suite_id(const struct esp_suite *s);
bool suite_same(const struct suite *a, const struct suite *b);
bool esp_suite_same(const struct esp_suite *a, const struct esp_suite *b);

#define SUITE_TEXT_MAX 64
/* "aes256-sha1-ecp256" */
const char *suite_text(const struct suite *s, char out[static SUITE_TEXT_MAX]);
const char *esp_suite_text(const struct esp_suite *s, char out[static SUITE_TEXT_MAX]);
/* ERR_INVALID unless the text is one suite in the words of suite.def. */
enum err suite_parse(struct view text, struct suite *out);
enum err esp_suite_parse(struct view text, struct esp_suite *out);

/* Larger is better; negative when the policy refuses it. */
int suite_rank(enum ike_policy policy, const struct suite *s);
/* weak_sha256: the peer may cut HMAC-SHA-256 to 96 bits, so everything else is better. */
int esp_suite_rank(enum ike_policy policy, bool weak_sha256, const struct esp_suite *s);
/* The strongest acceptable transform of the peer's offer; NULL when there is none. */
const struct transform *policy_choose_ike(enum ike_policy policy, const struct offer *o, struct suite *out);
/* What we offer as initiator: the configured list, or the policy's own when it is NULL. Returns the number. */
size_t policy_offer_ike(enum ike_policy policy, const char *configured, struct suite out[static OFFERS_MAX]);
size_t policy_offer_esp(enum ike_policy policy, const char *configured, struct esp_suite out[static OFFERS_MAX]);
/* "offered a, b, c; acceptable d, e": for people. */
void policy_explain_ike(enum ike_policy policy, const struct offer *o, char *out, size_t cap);
void policy_explain_esp(enum ike_policy policy, const struct offer *o, char *out, size_t cap);

/* ---- vendor IDs and NAT traversal ---- */

enum vendor {
#define VENDOR(name, hex) VENDOR_##name,
#include "ike/vendor.def"
#undef VENDOR
    VENDOR_COUNT
};

enum natt { NATT_NONE, NATT_DRAFT_02, NATT_DRAFT_02_N, NATT_DRAFT_03, NATT_RFC_3947 };

/* What the vendor IDs of MM1 or MM2 say. */
struct vendors {
    uint32_t seen; /* bit per enum vendor */
    uint32_t microsoft_version;
};

void vendors_read(const struct payloads *p, struct vendors *v);
static inline bool vendors_have(const struct vendors *v, enum vendor which)
{
    return v->seen >> which & 1;
}
enum natt vendors_natt(const struct vendors *v);
/* "Windows 8 or later", "Apple", ...; "unknown" */
const char *vendors_kind(const struct vendors *v);
/* Whether the peer looks like Android's racoon, whose kernels may truncate HMAC-SHA-256 (clients.md rule 8). */
bool vendors_weak_sha256(const struct vendors *v);
size_t vendor_bytes(enum vendor which, uint8_t out[static 20]);

#define NATD_MAX HASH_SIZE_MAX
/* HASH(CKY-I | CKY-R | IP | Port), RFC 3947 3.2 */
enum err natd_hash(enum hash hash, const struct header *cookies, const struct endpoint *e,
                   uint8_t out[static NATD_MAX]);

/* ---- tools ---- */

/* A node of a hash table and of a doubly linked list, embedded in its object. */
struct node {
    struct node *next;
    uint64_t key;
    bool linked;
};

/* A table of fixed size: what it holds is bounded by the machine's limits. */
struct table {
    struct node **buckets;
    uint32_t mask;
};
enum err table_init(struct table *t, uint32_t expected);
void table_done(struct table *t);
void table_add(struct table *t, struct node *n, uint64_t key);
void table_remove(struct table *t, struct node *n); /* harmless when it is in no table */
/* The first node of this key after prev (NULL: from the start). */
struct node *table_find(const struct table *t, uint64_t key, const struct node *prev);

struct link {
    struct link *prev, *next;
};
void list_init(struct link *head);
void list_append(struct link *head, struct link *l);
void list_remove(struct link *l); /* harmless when it is in no list */
static inline bool list_empty(const struct link *head)
{
    return head->next == head;
}
/* Safe against removal of the current element. */
#define LIST_EACH(l, spare, head)                                                                                      \
    for (struct link *l = (head)->next, *spare = l->next; l != (head); l = spare, spare = l->next)

/* A timer that knows what to do. */
struct alarm {
    struct timer timer;
    void (*ring)(struct ike *ike, struct alarm *a);
};
void alarm_set(struct ike *ike, struct alarm *a, usec_t at);
void alarm_clear(struct ike *ike, struct alarm *a);

/* The last message of an exchange: sent again by the clock, or when the peer repeats its own. */
struct resend {
    struct alarm alarm;
    uint8_t *bytes; /* NULL: nothing is remembered */
    uint16_t n;
    uint8_t tries, answers;
    bool armed; /* by the clock */
};

/* The digest of the last message that an exchange took, to know a repeated one. */
struct digest {
    uint8_t b[20];
    bool set;
};
void digest_take(struct digest *d, struct view message);
bool digest_matches(const struct digest *d, struct view message);

/* ---- outgoing messages ---- */

struct draft {
    struct writer w;
    size_t next_at; /* where the type of the next payload belongs */
    size_t open_at; /* length field of the payload being written */
    size_t hash_at; /* body of the HASH payload of phase 2 */
    uint32_t message_id;
    uint8_t bytes[IKE_MESSAGE_MAX];
};

void draft_begin(struct draft *d, const struct header *cookies, enum exchange exchange, uint32_t message_id);
void draft_payload(struct draft *d, enum payload_type type);
void draft_payload_end(struct draft *d);
void draft_put(struct draft *d, enum payload_type type, struct view body);
void draft_vendor(struct draft *d, enum vendor v);
void draft_notify(struct draft *d, uint8_t protocol, uint16_t type, struct view spi, struct view data);
/* Patches the length. The bytes to send; empty when it did not fit. */
struct view draft_finish(struct draft *d);

/* ---- keys (RFC 2409 5, 5.5, appendix B) ---- */

struct sa;
struct quick;
struct quick_work;

struct keys {
    enum hash hash;
    enum cipher cipher;
    uint8_t key_bytes;
    uint8_t skeyid_d[HASH_SIZE_MAX], skeyid_a[HASH_SIZE_MAX];
    uint8_t cipher_key[32];
};

/* Diffie-Hellman work that is out; quick is NULL when main mode asked. */
struct pending {
    struct node node; /* by the work's id */
    struct sa *sa;
    struct quick *quick;
};

/* What main mode needs until both sides are authenticated; freed then. */
struct phase1 {
    struct pending dh;
    uint8_t nonce_i[NONCE_MAX], nonce_r[NONCE_MAX];
    uint16_t nonce_i_len, nonce_r_len;
    uint8_t ke_i[DH_VALUE_MAX], ke_r[DH_VALUE_MAX], shared[DH_VALUE_MAX];
    uint16_t ke_len, shared_len;
    uint8_t dh_private[DH_PRIVATE_MAX]; /* as initiator, between the two pieces of work */
    uint8_t skeyid[HASH_SIZE_MAX];
    uint8_t sa_body[SA_PAYLOAD_MAX]; /* SAi_b */
    uint16_t sa_len;
};

/* SKEYID and what follows from it, and the first IV, for one pre-shared key. */
enum err keys_derive(const struct sa *sa, struct view psk, uint8_t skeyid[static HASH_SIZE_MAX], struct keys *out);
/* The IV of MM5: HASH(g^xi | g^xr). */
enum err keys_first_iv(const struct sa *sa, uint8_t iv[static CIPHER_BLOCK_MAX]);
/* HASH_I or HASH_R over an ID payload's body. */
enum err keys_auth_hash(const struct sa *sa, const uint8_t *skeyid, bool initiator, struct view id_body,
                        uint8_t out[static HASH_SIZE_MAX]);
/* The first IV of a phase 2 exchange: HASH(last phase 1 block | message id). */
enum err keys_exchange_iv(const struct sa *sa, uint32_t message_id, uint8_t iv[static CIPHER_BLOCK_MAX]);
/* KEYMAT of one ESP SA, by the SPI that its receiver chose. */
enum err keys_esp(const struct keys *k, const struct quick_work *w, uint32_t spi, size_t wanted, uint8_t *out);
/* HASH(1) and the hash of informational exchanges: prf(SKEYID_a, message id | [nonce] | rest); before: the zero byte of
 * HASH(3). */
enum err keys_message_hash(const struct keys *k, bool zero, uint32_t message_id, struct view nonce_a,
                           struct view nonce_b, struct view rest, uint8_t out[static HASH_SIZE_MAX]);

/* ---- objects ---- */

/* Something that an unproved source address holds, for the limit per source. */
struct source {
    struct node node;
    struct ip_addr addr;
};

/* A main mode of which only MM1 came. */
struct half_open {
    struct node by_cookie;    /* our cookie */
    struct node by_initiator; /* the peer's cookie */
    struct source source;
    struct link age;
    struct header cookies;
    struct path path;
    usec_t since;
    uint64_t attempt;
    struct digest mm1;
    struct suite suite;
    struct vendors vendors;
    uint8_t answers;
    uint16_t choice; /* index of the chosen transform in the SA payload */
    uint16_t sa_len;
    uint8_t sa_body[SA_PAYLOAD_MAX];
};

enum sa_state {
    SA_MM2_WAIT, /* initiator */
    SA_MM3_WORK, /* initiator: our public value is being made */
    SA_MM4_WAIT,
    SA_MM5_WORK, /* initiator: the shared secret is being made */
    SA_MM6_WAIT,
    SA_MM4_WORK, /* responder: the shared secret is being made */
    SA_MM5_WAIT,
    SA_UP,
};

struct peer;

struct sa {
    struct node node; /* by our own cookie */
    struct source source;
    struct link young;   /* while the peer is not authenticated and we did not ask for it */
    struct link of_peer; /* from then on */
    struct peer *peer;
    struct header cookies;
    struct path path;
    uint64_t attempt;
    enum sa_state state;
    enum stage stage; /* the last one told */
    bool initiator;
    bool natt_agreed, nat_local, nat_remote, floated;
    bool initial_contact;
    bool replaced; /* a younger IKE SA of the same peer does the work */
    uint8_t proofs;
    enum cause cause; /* what a notification that anyone can forge said, told when main mode times out */
    enum natt natt;
    struct suite suite;
    struct vendors vendors;
    struct phase1 *phase1; /* NULL once it is over */
    struct keys keys;
    uint8_t iv[CIPHER_BLOCK_MAX]; /* last block of phase 1 */
    struct digest last_in;
    struct digest refused_in; /* the last MM5 that no key opened */
    struct resend resend;
    struct alarm expiry, renewal, keepalive;
    struct link quicks;
    uint8_t quick_count;
    uint32_t message_ids[MESSAGE_IDS_KEPT];
    uint8_t message_id_at;
    bool dpd_seen_any;
    uint32_t dpd_seen; /* sequence number */
};

struct child;

enum quick_state {
    QUICK_QM1_WORK, /* initiator: our public value is being made */
    QUICK_QM2_WAIT, /* initiator */
    QUICK_QM3_WORK, /* initiator: the shared secret is being made */
    QUICK_QM2_WORK, /* responder: the shared secret is being made */
    QUICK_QM3_WAIT, /* responder */
    QUICK_DONE,
};

/* What quick mode needs until it is done. */
struct quick_work {
    struct pending dh;
    uint8_t nonce_i[NONCE_MAX], nonce_r[NONCE_MAX];
    uint16_t nonce_i_len, nonce_r_len;
    uint8_t dh_private[DH_PRIVATE_MAX];
    uint8_t public_key[DH_VALUE_MAX], shared[DH_VALUE_MAX];
    uint16_t public_len, shared_len;
    uint8_t choice[CHOICE_MAX]; /* body of the SA payload of QM2 */
    uint16_t choice_len;
    uint8_t id_i[IDENTITY_MAX + 4], id_r[IDENTITY_MAX + 4];
    uint16_t id_i_len, id_r_len;
    struct esp_suite suite;
    uint32_t spi_in, spi_out;
    uint16_t port_local, port_remote;
    bool natoa, encap;
    struct ip_addr oa_local, oa_remote;
    struct ip_addr host_local, host_remote; /* of the selectors; family 0 when they hold none */
    uint32_t replaces;                      /* as initiator: the pair that this one follows; 0: none */
};

struct quick {
    struct link of_sa;
    struct sa *sa;
    uint32_t message_id;
    enum quick_state state;
    bool initiator;
    uint8_t iv[CIPHER_BLOCK_MAX];
    struct digest last_in;
    struct resend resend;    /* its alarm also ends the memory of a finished exchange */
    struct quick_work *work; /* NULL when done */
    struct child *child;     /* that came of it, while it lives */
};

struct child {
    struct node node; /* by spi_in */
    struct link of_peer;
    struct peer *peer;
    uint32_t spi_in, spi_out;
    uint32_t lifetime;
    uint64_t attempt;
    uint16_t port_local, port_remote;
    struct ip_addr host_local, host_remote;
    bool initiator; /* we began its quick mode */
    bool confirmed; /* QM3 or ESP came */
    bool replaced;  /* a younger pair does the work */
    bool rekeying;
    struct alarm soft, hard;
    struct quick *quick; /* while its quick mode is remembered */
};

struct peer {
    uint32_t number;
    struct node node; /* by remote endpoint */
    struct path path;
    struct link sas, children; /* youngest last */
    uint8_t sa_count, child_count;
    bool initiator;
    bool dpd;
    bool ending;    /* peer_end() is at work, which frees it */
    bool quick_due; /* as initiator: begin quick mode once main mode is done */
    uint32_t quick_replaces;
    struct vendors vendors;
    usec_t alive;
    struct alarm watch; /* DPD */
    bool dpd_asking;
    uint32_t dpd_sent;          /* sequence number */
    struct ike_connect connect; /* as initiator */
    char psk_name[64], identity[IDENTITY_TEXT_MAX];
};

struct datagram;
struct notice;

struct ike {
    struct ike_config config;
    struct ike_env env;
    usec_t now; /* of the call that is running */
    struct timers timers;
    uint64_t seed; /* of the tables' keys */
    uint64_t attempts, works;

    struct half_open *half_open; /* max_half_open of them */
    uint32_t half_open_cap, half_open_used;
    struct link half_open_age, half_open_spare;
    struct alarm half_open_expiry;
    struct table by_half_cookie, by_half_initiator, by_source;

    struct table by_cookie, by_spi, by_remote, by_work;
    struct link young;
    uint32_t sa_count, young_count, child_count;
    struct peer **peers; /* by number - 1 */
    uint32_t *peer_spare;
    uint32_t peer_cap, peer_spare_count;

    struct datagram *out_first, **out_last;
    struct notice *event_first, **event_last, *event_told;
    usec_t notice_since;
    uint32_t notice_count;
};

/* ---- queue.c ---- */

void queue_datagram(struct ike *ike, const struct path *path, struct view bytes); /* empty: a keepalive */
void queue_done(struct ike *ike);
/* An event to fill, already queued; NULL when out of memory. */
struct ike_event *queue_event(struct ike *ike, enum ike_event_type type);
/* The keys of a CHILD_NEW event that was just queued: copied, and lent through it. */
void queue_keymat(struct ike_event *e, struct view in, struct view out);
/* Whether one more answer or event may go to somebody who holds no state here. */
bool notice_allowed(struct ike *ike);

/* ---- resend.c ---- */

/* Sends and remembers. armed: repeats by the clock until resend_stop(); false: only when the peer repeats. */
void resend_send(struct ike *ike, struct resend *r, const struct path *path, struct view message, bool armed);
/* Answers a repeated message from memory. */
void resend_answer(struct ike *ike, struct resend *r, const struct path *path);
/* From an alarm: sends once more; false when all tries are used up. */
bool resend_again(struct ike *ike, struct resend *r, const struct path *path);
void resend_stop(struct ike *ike, struct resend *r); /* keeps the message for repeats */
void resend_done(struct ike *ike, struct resend *r); /* forgets it */

/* ---- crypt.c: encrypted messages ---- */

/* Decrypts into out (body.n bytes); iv is a copy of the caller's to be committed once the message proved true. */
enum drop crypt_open(const struct keys *k, uint8_t iv[static CIPHER_BLOCK_MAX], struct view body, uint8_t *out);
/* Pads, encrypts, finishes. Empty on failure. */
struct view crypt_seal(struct draft *d, const struct keys *k, uint8_t iv[static CIPHER_BLOCK_MAX]);
/* An encrypted phase 2 message of an SA begins with its HASH payload. */
void draft_phase2(struct draft *d, const struct sa *sa, enum exchange exchange, uint32_t message_id);
/* Fills in the HASH over all that was written behind it, with the nonces in front, then seals. */
struct view draft_phase2_seal(struct draft *d, const struct sa *sa, bool zero, struct view nonce_a, struct view nonce_b,
                              uint8_t iv[static CIPHER_BLOCK_MAX]);
/* Whether the HASH payload in front covers the rest. */
bool phase2_hash_ok(const struct sa *sa, const struct payloads *p, bool zero, uint32_t message_id, struct view nonce_a,
                    struct view nonce_b);

/* ---- half_open.c ---- */

enum err half_open_init(struct ike *ike);
void half_open_done(struct ike *ike);
struct half_open *half_open_find(struct ike *ike, const struct header *h);
struct half_open *half_open_find_initiator(struct ike *ike, const struct header *h, const struct path *path);
/* A place for a new one, an old one evicted if need be; NULL when this source has as many as it may. */
struct half_open *half_open_take(struct ike *ike, const struct message *m);
void half_open_drop(struct ike *ike, struct half_open *h);
bool source_full(struct ike *ike, const struct ip_addr *a);
void source_add(struct ike *ike, struct source *s, const struct ip_addr *a);
void source_remove(struct ike *ike, struct source *s);

/* ---- sa.c ---- */

uint64_t cookie_key(const uint8_t cookie[static COOKIE_SIZE]);
void cookie_make(struct ike *ike, uint8_t cookie[static COOKIE_SIZE]);
/* A fresh IKE SA with phase 1 state; NULL when a limit or memory forbids it. */
struct sa *sa_new(struct ike *ike, bool initiator, const struct path *path, const struct header *cookies,
                  uint64_t attempt);
struct sa *sa_find(struct ike *ike, const struct header *h);
/* Tells of it and frees it with its quick modes. Its peer goes too when nothing else is left of it. */
void sa_down(struct ike *ike, struct sa *sa, enum cause cause);
/* Frees it without a word. */
void sa_free(struct ike *ike, struct sa *sa);
/* The main mode failed: tells and frees. */
void sa_failed(struct ike *ike, struct sa *sa, enum cause cause, const char *detail);
/* Phase 1 is over: timers, and the burnt material goes. */
void sa_established(struct ike *ike, struct sa *sa);
/* Tells the peer that this IKE SA goes. */
void sa_send_delete(struct ike *ike, struct sa *sa);
/* Authenticated bytes came by this path. */
void sa_seen(struct ike *ike, struct sa *sa, const struct path *path);
/* True when a phase 2 message id was not seen before; remembers it. */
bool sa_message_id_fresh(struct sa *sa, uint32_t message_id);
uint32_t sa_message_id_make(struct ike *ike, struct sa *sa);
struct ike_event *sa_event(struct ike *ike, const struct sa *sa, enum ike_event_type type);
void sa_stage(struct ike *ike, struct sa *sa, enum stage stage, const char *detail);
void sa_told(struct ike *ike, const struct sa *sa, enum cause cause, const char *detail); /* FAILED, lives on */

/* ---- work.c: Diffie-Hellman that is out ---- */

/* Draws a private key unless given, and puts the work into an event. peer may be empty: the public value only. */
enum err work_ask(struct ike *ike, struct pending *p, enum dh_group group, const uint8_t *private_key,
                  struct view peer);
void work_forget(struct ike *ike, struct pending *p); /* its answer will find nobody */

/* ---- main_mode.c (responder), main_mode_initiator.c ---- */

enum drop main_mode_first(struct ike *ike, const struct message *m);
enum drop main_mode_input(struct ike *ike, struct sa *sa, const struct message *m);
enum drop main_mode_key(struct ike *ike, struct half_open *h, const struct message *m);
void main_mode_worked(struct ike *ike, struct sa *sa, const struct dh_work *work);
enum err initiator_begin(struct ike *ike, struct peer *peer);
enum drop initiator_choice(struct ike *ike, struct sa *sa, const struct message *m);
enum drop initiator_key(struct ike *ike, struct sa *sa, const struct message *m);
enum drop initiator_proof(struct ike *ike, struct sa *sa, const struct message *m);
void initiator_worked(struct ike *ike, struct sa *sa, const struct dh_work *work);
void initiator_timeout(struct ike *ike, struct sa *sa);
/* Shared by both: KE, nonce and NAT-D payloads of MM3 and MM4; MM5 and MM6. */
void key_message_write(struct ike *ike, const struct sa *sa, struct draft *d, struct view ke, struct view nonce);
enum drop key_message_read(enum dh_group group, const struct payloads *p, struct view *ke, struct view *nonce);
void natt_detect(struct sa *sa, const struct payloads *p, const struct path *path);
void proof_write(const struct sa *sa, struct draft *d, const uint8_t *skeyid, bool initial_contact);
bool payloads_initial_contact(const struct payloads *p);
/* Both sides have proved themselves: tells UP and starts the clocks. */
void main_mode_up(struct ike *ike, struct sa *sa, bool initial_contact);

/* ---- quick_mode.c and its two sides ---- */

/* A decrypted message of phase 2; iv becomes the exchange's once the message proved true. */
struct opened {
    uint8_t iv[CIPHER_BLOCK_MAX];
    uint8_t plain[IKE_MESSAGE_MAX];
    struct payloads payloads;
};
enum drop quick_open(const struct sa *sa, const struct message *m, struct opened *o);
bool mode_is_transport(uint16_t mode);
bool mode_is_udp(uint16_t mode);
void natoa_write(struct draft *d, const struct sa *sa, const struct ip_addr *initiator,
                 const struct ip_addr *responder);
/* Whether the peer sent any; leaves alone what it did not tell. */
bool natoa_read(const struct payloads *p, struct ip_addr *initiator, struct ip_addr *responder);
enum drop quick_input(struct ike *ike, struct sa *sa, const struct message *m);
struct quick *quick_new(struct ike *ike, struct sa *sa, uint32_t message_id, bool initiator);
void quick_free(struct ike *ike, struct quick *q);
void quick_settle(struct ike *ike, struct quick *q); /* done: only what repeats need is kept */
void quick_worked(struct ike *ike, struct quick *q, const struct dh_work *work);
enum drop quick_responder_first(struct ike *ike, struct sa *sa, const struct message *m);
enum drop quick_responder_last(struct ike *ike, struct quick *q, const struct message *m, const struct opened *o);
void quick_responder_worked(struct ike *ike, struct quick *q, const struct dh_work *work);
void quick_responder_timeout(struct ike *ike, struct quick *q);
/* replaces: the spi_in of the pair that shall be followed; 0 for a first one. */
enum err quick_begin(struct ike *ike, struct sa *sa, uint32_t replaces);
enum drop quick_initiator_reply(struct ike *ike, struct quick *q, const struct message *m, const struct opened *o);
void quick_initiator_worked(struct ike *ike, struct quick *q, const struct dh_work *work);
void quick_initiator_failed(struct ike *ike, struct quick *q, enum cause cause, const char *detail);
/* Derives both keys and tells CHILD_NEW. NULL when a limit or memory forbids it. */
struct child *quick_child(struct ike *ike, struct quick *q);

/* ---- child.c ---- */

struct child *child_new(struct ike *ike, struct peer *peer, const struct quick *q);
struct child *child_find(const struct ike *ike, uint32_t spi_in);
/* QM3 came: send with it. */
void child_use(struct ike *ike, struct child *c);
/* Traffic came on it, so that a lost QM3 does not matter any more. */
void child_proved(struct ike *ike, struct child *c);
/* Tells CHILD_DOWN and frees. tell_peer: sends a Delete through the peer's IKE SA, if it has one. */
void child_down(struct ike *ike, struct child *c, enum cause cause, bool tell_peer);
void child_event(struct ike *ike, const struct child *c, enum ike_event_type type, enum cause cause);

/* ---- peer.c ---- */

struct peer *peer_new(struct ike *ike, const struct path *path);
/* The live peer of this identity, key and remote endpoint. */
struct peer *peer_find(const struct ike *ike, const struct path *path, const char *psk_name, const char *identity);
struct peer *peer_get(const struct ike *ike, uint32_t number);
void peer_adopt(struct ike *ike, struct peer *peer, struct sa *sa);
/* tell: with an event; not when the caller knows it already. */
void peer_moved(struct ike *ike, struct peer *peer, const struct path *path, bool tell);
/* The youngest established IKE SA; NULL when there is none. */
struct sa *peer_sa(const struct peer *peer);
/* Frees the peer when neither IKE SA nor child is left. */
void peer_settle(struct ike *ike, struct peer *peer);
void peer_watch(struct ike *ike, struct peer *peer);
/* A quick mode through the peer's IKE SA; as initiator a main mode first if it has none. */
void peer_want_quick(struct ike *ike, struct peer *peer, uint32_t replaces);
void peer_drop_older(struct ike *ike, struct peer *peer, const struct sa *keep);
void peer_free(struct ike *ike, struct peer *peer);
/* Ends all it has, with events. tell_peer: with Deletes. */
void peer_end(struct ike *ike, struct peer *peer, enum cause cause, bool tell_peer);

/* ---- informational.c, dpd.c ---- */

enum drop info_input(struct ike *ike, struct sa *sa, const struct message *m);
enum drop info_plain(struct sa *sa, const struct message *m);
void info_send(struct ike *ike, struct sa *sa, struct draft *d); /* a draft of draft_phase2() */
void info_begin(struct ike *ike, struct sa *sa, struct draft *d);
void info_notify(struct ike *ike, struct sa *sa, uint8_t protocol, uint16_t type, struct view spi);
void info_refuse(struct ike *ike, const struct message *m, uint16_t type); /* in clear, without state */
enum drop dpd_input(struct ike *ike, struct sa *sa, const struct notify *n);
void dpd_ring(struct ike *ike, struct alarm *a);

#endif
