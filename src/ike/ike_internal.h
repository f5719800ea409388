/*
 * What the files of ike share, besides messages as bytes (ike_message.h). Read in this order: the tools (alarm,
 * queue), the keys, the objects (half-open, SA, quick mode, child, peer), the machine.
 *
 * Ownership: struct ike owns all. A peer owns its IKE SAs and its children; an IKE SA owns its quick modes. An IKE SA
 * whose peer is not authenticated yet belongs to no peer and is young: it lives for seconds and makes way for others.
 */
#ifndef SEKISHO_IKE_INTERNAL_H
#define SEKISHO_IKE_INTERNAL_H

#include "ike/ike_message.h"

/* ---- limits ---- */

#define NONCE_OURS         32
#define CHOICE_MAX         512 /* bytes of the SA payload of QM2 */
#define KEYMAT_MAX         128 /* bytes for one ESP SA: AES-256 or GCM with salt, and SHA-512 */
#define PROOFS_MAX         16  /* MM5 messages that are tried on one IKE SA with pre-shared keys */
#define REPEATS_MAX        12  /* times a repeated message is answered from memory */
#define QUICKS_MAX         16  /* quick modes of one IKE SA, finished ones that are still remembered included */
#define CHILDREN_MAX       16  /* ESP SA pairs of one peer; the oldest makes way */
#define PEER_SAS_MAX       4   /* IKE SAs of one peer; the oldest makes way */
#define MESSAGE_IDS_KEPT   32  /* message ids that an IKE SA refuses to see again, of either exchange of phase 2 */
#define QUICKS_WAITING_MAX 4   /* answered quick modes of one IKE SA that wait for their third message */
#define WORKS_MAX          128 /* pieces of Diffie-Hellman that are out; above it no stranger gets one */
#define PROOFS_OUT_MAX     64  /* signatures that are out, likewise */
#define IP6_SOURCE_BYTES   8   /* of an IPv6 address that tell sources apart: everyone has at least a /64 */
#define NOTICES_PER_SECOND 16  /* answers and events about peers that hold no state here */

#define FRAGMENT_PACKET_MAX     1280 /* bytes of an IP packet, above which a message is cut: passes everywhere */
#define REASSEMBLIES_MAX        64   /* messages that are being put together, in all */
#define REASSEMBLIES_PER_SOURCE 16   /* an office behind one NAT may come at once */

/* ---- times ---- */

#define HALF_OPEN_LIFE         (30 * USEC_SEC)      /* from MM1 to MM3, and again from MM3 to MM5 */
#define PROOF_LIFE             (30 * USEC_SEC)      /* of a signature that is out */
#define HINT_GRACE             (3 * USEC_SEC)       /* for the true answer, after a complaint that anyone can forge */
#define MEMORY_LIFE            (30 * USEC_SEC)      /* how long the last message of an exchange is kept for repeats */
#define REASSEMBLY_LIFE        (30 * USEC_SEC)      /* of fragments whose message is not whole */
#define EXPIRY_MARGIN          (30 * USEC_SEC)      /* what we grant a peer beyond a lifetime that it should watch */
#define CHILDLESS_LIFE         (10 * 60 * USEC_SEC) /* of a client's IKE SA while there is no ESP pair */
#define PEER_FRESH             (5 * 60 * USEC_SEC)  /* of silence, after which a NAT may have given a port to another */
#define REKEY_RETRY            (30 * USEC_SEC)      /* after a rekeying that failed, while the old pair still lives */
#define REKEY_RETRY_LATE       (5 * 60 * USEC_SEC)  /* likewise, beyond our own lifetime */
#define DPD_REPEAT             (5 * USEC_SEC)
#define LIFETIME_IKE_DEFAULT   28800 /* seconds, when nothing was said (RFC 2407 4.5) */
#define LIFETIME_CHILD_DEFAULT 28800

/* ---- tools ---- */

/* A timer that knows what to do. */
struct alarm {
    struct timer timer;
    void (*ring)(struct ike *ike, struct alarm *a);
};
void alarm_set(struct ike *ike, struct alarm *a, usec_t at);
void alarm_clear(struct ike *ike, struct alarm *a);
bool alarm_is_set(const struct alarm *a);

/* The last message of an exchange: sent again by the clock, or when the peer repeats its own. */
struct resend {
    struct alarm alarm;
    usec_t began;   /* sent for the first time */
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
void digest_take_parts(struct digest *d, const struct view *parts, size_t n);

/* Who a peer is: for people, where the text may be cut, and to tell it from all others by. */
struct who {
    char text[IDENTITY_TEXT_MAX];
    struct digest digest;
    struct ip_addr claims; /* its identity is this address; family 0: it is none */
};
/* proved: the name that its certificate bears, as the judge gave it; or empty. */
void who_is(struct who *out, const struct identity *id, struct view proved);
bool digest_matches(const struct digest *d, struct view message);

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

/* Diffie-Hellman or a signature that is out; quick is NULL when main mode asked. */
struct pending {
    struct index_node node; /* by the work's id */
    struct sa *sa;
    struct quick *quick;
};

/* What main mode needs until both sides are authenticated; freed then. */
struct phase1 {
    struct pending dh, proof;
    uint8_t nonce_i[NONCE_MAX], nonce_r[NONCE_MAX];
    uint16_t nonce_i_len, nonce_r_len;
    uint8_t ke_i[DH_VALUE_MAX], ke_r[DH_VALUE_MAX], shared[DH_VALUE_MAX];
    uint16_t ke_len, shared_len;
    uint8_t dh_private[DH_PRIVATE_MAX]; /* as initiator, between the two pieces of work */
    uint8_t skeyid[HASH_SIZE_MAX];
    uint8_t sa_body[SA_PAYLOAD_MAX]; /* SAi_b */
    uint16_t sa_len;
    /* With signatures: the credential that the peer asked for, "" none in particular; and, as responder, what MM5 said,
     * while it is judged. */
    char credential[64];
    struct path path;
    struct who who;
    /* In aggressive mode: the peer's ID payload and proof, until they can be checked. */
    uint8_t id_r[ID_FIXED + IKE_IDENTITY_MAX], hash_r[HASH_SIZE_MAX];
    uint16_t id_r_len;
};

/* SKEYID and what follows from it. psk: with a pre-shared key; else unused. */
enum err keys_derive(const struct sa *sa, struct view psk, uint8_t skeyid[static HASH_SIZE_MAX], struct keys *out);
/* The IV of MM5: HASH(g^xi | g^xr). */
enum err keys_first_iv(const struct sa *sa, uint8_t iv[static CIPHER_BLOCK_MAX]);
/* HASH_I or HASH_R over an ID payload's body: keys_auth_size() bytes. */
enum err keys_auth_hash(const struct sa *sa, const uint8_t *skeyid, bool initiator, struct view id_body,
                        uint8_t out[static HASH_SIZE_MAX]);
size_t keys_auth_size(const struct sa *sa);
/* The first IV of a phase 2 exchange: HASH(last phase 1 block | message id). */
enum err keys_exchange_iv(const struct sa *sa, uint32_t message_id, uint8_t iv[static CIPHER_BLOCK_MAX]);
/* KEYMAT of one ESP SA, by the SPI that its receiver chose. */
enum err keys_esp(const struct keys *k, const struct quick_work *w, uint32_t spi, size_t wanted, uint8_t *out);
/* HASH(1) and the hash of informational exchanges: prf(SKEYID_a, message id | [nonce] | rest); before: the zero byte of
 * HASH(3). */
enum err keys_message_hash(const struct keys *k, bool zero, uint32_t message_id, struct view nonce_a,
                           struct view nonce_b, struct view rest, uint8_t out[static HASH_SIZE_MAX]);

/* ---- objects ---- */

/* Something that somebody at a source address holds who has shown no key, for the limit per source. */
struct half_open;
struct source {
    struct index_node node;
    struct ip_addr addr;
    struct half_open *half_open; /* which this is in; NULL: an IKE SA, and so the address is proved */
};

/* A main mode of which only MM1 came. */
struct half_open {
    struct index_node by_cookie;    /* our cookie */
    struct index_node by_initiator; /* the peer's cookie */
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
    SA_MM5_SIGN, /* initiator: our signature is being made */
    SA_MM6_WAIT,
    SA_MM6_PROOF, /* initiator: the peer's signature is being judged */
    SA_MM4_WORK,  /* responder: the shared secret is being made */
    SA_MM5_WAIT,
    SA_MM5_PROOF, /* responder: the peer's signature is being judged */
    SA_MM6_SIGN,  /* responder: our signature is being made */
    SA_AM1_WORK,  /* aggressive mode, as initiator: our public value is being made */
    SA_AM2_WAIT,
    SA_AM3_WORK, /* the shared secret is being made */
    SA_UP,
};

struct peer;

/* Message ids that were seen. There may be more in an IKE SA's life: a message that was recorded can be played again
 * once its id is forgotten. So what needs no more than an id and a HASH never moves a peer nor proves that it lives. */
struct seen {
    uint32_t ids[MESSAGE_IDS_KEPT];
    uint8_t at;
};

struct sa {
    struct index_node node; /* by our own cookie */
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
    bool aggressive; /* its phase 1 */
    bool natt_agreed, nat_local, nat_remote, floated;
    bool heard; /* something under its keys since */
    bool initial_contact;
    bool replaced; /* a younger IKE SA of the same peer does the work */
    uint8_t proofs;
    enum cause cause;            /* what a notification that anyone can forge said, told when main mode times out */
    bool hinted;                 /* which is soon, since there was one */
    struct sa *probe, *probe_of; /* as initiator: what finds out whether port 4500 is open, and for whom it does */
    bool port_open;              /* it is */
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
    usec_t until; /* its lifetime */
    struct link quicks;
    uint8_t quick_count;
    struct seen seen_quick, seen_info;
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
    uint8_t id_i[IKE_IDENTITY_MAX + 4], id_r[IKE_IDENTITY_MAX + 4];
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
    struct path path; /* as responder: where its answer goes, until the third message proves that the peer is there */
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
    struct index_node node; /* by spi_in */
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
    bool overdue; /* beyond our own lifetime, within the peer's */
    bool deleted; /* the peer has been told that it ends */
    struct alarm soft, hard;
    usec_t until;        /* by the lifetime that the peer asked for */
    struct quick *quick; /* while its quick mode is remembered */
};

struct peer {
    uint32_t number;
    struct index_node node; /* by remote endpoint */
    struct path path;
    struct link sas, children; /* youngest last */
    uint8_t sa_count, child_count;
    bool initiator;
    bool dpd;
    bool own_address; /* no NAT before it, by its last main mode */
    bool ending;      /* peer_end() is at work, which frees it */
    bool quick_due;   /* as initiator: begin quick mode once main mode is done */
    uint32_t quick_replaces;
    bool unselected; /* as initiator: it takes no selectors of ours */
    struct vendors vendors;
    usec_t alive;
    struct alarm watch; /* DPD */
    bool dpd_asking;
    uint32_t dpd_first, dpd_sent; /* sequence numbers */
    struct ike_connect connect;   /* as initiator */
    enum ike_auth auth;
    char key_name[64]; /* of the pre-shared key, or with signatures of our credential */
    struct who who;
    struct ip_addr selects; /* its own address by the selector of its last quick mode; family 0: none */
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
    uint32_t works_out, proofs_out; /* those whose exchange still waits */

    struct half_open *half_open; /* max_half_open of them */
    uint32_t half_open_cap, half_open_used;
    struct link half_open_age, half_open_spare;
    struct alarm half_open_expiry;
    struct index by_half_cookie, by_half_initiator, by_source;

    struct link reassemblies; /* oldest first */
    uint32_t reassembly_count;
    struct alarm reassembly_expiry;

    struct index by_cookie, by_spi, by_remote, by_work, by_proof;
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

/* Empty bytes are a keepalive. What is too large goes in fragments, if its receiver can put them together. */
void queue_datagram(struct ike *ike, const struct path *path, struct view bytes);
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

/* Decrypts into out (body.n bytes, at most cap); iv is a copy of the caller's to be committed once the message proved
 * true. */
enum drop crypt_open(const struct keys *k, uint8_t iv[static CIPHER_BLOCK_MAX], struct view body, uint8_t *out,
                     size_t cap);
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
/* A place for a new one, an old one evicted if need be; NULL when this source's share is all IKE SAs of those who have
 * proved the address. */
struct half_open *half_open_take(struct ike *ike, const struct message *m);
void half_open_drop(struct ike *ike, struct half_open *h);
struct ip_addr source_of(const struct ip_addr *a); /* what counts as one source */
void source_add(struct ike *ike, struct source *s, const struct ip_addr *a);
void source_remove(struct ike *ike, struct source *s);

/* ---- fragment.c ---- */

void fragment_init(struct ike *ike);
void fragment_done(struct ike *ike);
/* Takes a fragment; the message goes to ike_input() once it is whole. */
enum drop fragment_input(struct ike *ike, const struct message *m);
/* Sends a message in fragments when it is too large for one packet and its receiver announced that it can put them
 * together; false when it must go whole. */
bool fragment_send(struct ike *ike, const struct path *path, struct view whole);

/* ---- sa.c ---- */

uint64_t cookie_key(const uint8_t cookie[static COOKIE_SIZE]);
void cookie_make(struct ike *ike, uint8_t cookie[static COOKIE_SIZE]);
/* A fresh IKE SA with phase 1 state; NULL when a limit or memory forbids it. */
struct sa *sa_new(struct ike *ike, bool initiator, const struct path *path, const struct header *cookies,
                  uint64_t attempt);
struct sa *sa_find(struct ike *ike, const struct header *h);
/* Tells of it and frees it with its quick modes. Its peer goes too when nothing else is left of it. */
void sa_down(struct ike *ike, struct sa *sa, enum cause cause);
/* Frees it without a word. If it did its peer's work, the youngest that is left does it again. */
void sa_free(struct ike *ike, struct sa *sa);
/* The main mode failed: tells and frees. */
void sa_failed(struct ike *ike, struct sa *sa, enum cause cause, const char *detail);
/* Phase 1 is over: timers, and the burnt material goes. */
void sa_established(struct ike *ike, struct sa *sa);
/* When it ends: soon while its peer, a client of ours, has no ESP pair, lest it outlive the vanished for hours. */
void sa_schedule_end(struct ike *ike, struct sa *sa);
/* Tells the peer that this IKE SA goes. */
void sa_send_delete(struct ike *ike, struct sa *sa);
void sa_delete_write(const struct sa *sa, struct draft *d);
/* A message that cannot be an old one played again came by this path: the peer lives, and is there. */
void sa_seen(struct ike *ike, struct sa *sa, const struct path *path);
/* True when a phase 2 message id was not seen before; remembers it. */
bool seen_first(struct seen *s, uint32_t message_id);
uint32_t sa_message_id_make(struct ike *ike, struct sa *sa);
struct ike_event *sa_event(struct ike *ike, const struct sa *sa, enum ike_event_type type);
/* Whether NAT detection found the peer at its own address; false too when it was not tried. */
static inline bool sa_own_address(const struct sa *sa)
{
    return sa->natt_agreed && !sa->nat_remote;
}
void sa_stage(struct ike *ike, struct sa *sa, enum stage stage, const char *detail);
void sa_told(struct ike *ike, const struct sa *sa, enum cause cause, const char *detail); /* FAILED, lives on */

/* ---- work.c: Diffie-Hellman that is out ---- */

/* Draws a private key unless given, and puts the work into an event. peer may be empty: the public value only. */
enum err work_ask(struct ike *ike, struct pending *p, enum dh_group group, const uint8_t *private_key,
                  struct view peer);
void work_forget(struct ike *ike, struct pending *p); /* its answer will find nobody */
/* Whether somebody who has proved nothing but its address may have one more. */
bool work_allowed(const struct ike *ike);

/* ---- proof.c: signatures that are out ---- */

struct ike_proof *proof_new(void);        /* NULL: out of memory */
void proof_drop(struct ike_proof *proof); /* wipes and frees; NULL-safe */
/* Puts it into an event; takes it, also when it fails. */
enum err proof_ask(struct ike *ike, struct sa *sa, struct ike_proof *proof);
void proof_forget(struct ike *ike, struct pending *p); /* its answer will find nobody */
/* Whether somebody who has proved nothing but its address may have one more. */
bool proof_allowed(const struct ike *ike);

/* ---- signature.c: MM5 and MM6 with signatures, of both roles ---- */

/* The methods for which we have what it takes as responder to this path: bit per enum ike_auth. */
uint32_t signature_auths(const struct ike *ike, const struct path *path);
/* A message of the peer's may ask for certificates of certain authorities. */
void signature_requested(const struct ike *ike, struct sa *sa, const struct payloads *p);
/* Asks for our signature: MM5 or MM6 follows when it comes back. May free the IKE SA. */
void signature_ask(struct ike *ike, struct sa *sa);
/* MM5 or MM6. */
enum drop signature_input(struct ike *ike, struct sa *sa, const struct message *m);
/* An encrypted notification instead of MM6. */
enum drop signature_refused(struct ike *ike, struct sa *sa, const struct payloads *p);
void signature_proved(struct ike *ike, struct sa *sa, const struct ike_proof *proof);
bool signature_is_out(const struct sa *sa);

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
void proof_write(const struct ike *ike, const struct sa *sa, struct draft *d, const uint8_t *skeyid,
                 bool initial_contact);
void initial_contact_write(const struct sa *sa, struct draft *d);
bool payloads_initial_contact(const struct payloads *p);
/* As responder, once the peer has proved itself: the peer that this IKE SA belongs to, known already or made now; NULL:
 * out of memory. */
struct peer *main_mode_peer(struct ike *ike, const struct sa *sa, const char *key_name, const struct who *who);
/* As responder: MM6 goes out to that peer, and main mode is over. */
void main_mode_finish(struct ike *ike, struct sa *sa, struct peer *peer, struct view mm6, bool initial_contact);
/* As initiator, after MM6: main mode is over, and quick mode begins if it is due. */
void initiator_finish(struct ike *ike, struct sa *sa, const struct who *who);
bool initiator_first_contact(const struct sa *sa);
/* Both sides have proved themselves: tells UP and starts the clocks. */
void main_mode_up(struct ike *ike, struct sa *sa, bool initial_contact);

void our_identity_write(const struct ike *ike, struct writer *w, const struct sa *sa); /* with a key */
/* Sends MM1 with the offers of phase 1. */
void first_message_send(struct ike *ike, struct sa *sa);
/* The vendor IDs of a first message. */
void first_vendors_write(const struct ike *ike, struct draft *d);
/* The responder must have picked one of ours, unchanged but for its lifetime. */
enum drop initiator_judge(const struct ike *ike, const struct peer *peer, struct view sa_body, struct suite *out);
/* RFC 3947 4: from our proof on both ports are 4500 once a NAT was found. */
void initiator_float(const struct ike *ike, struct sa *sa);
/* The NAT-D payloads, about the path that is used now. */
void natd_write(struct ike *ike, const struct sa *sa, struct draft *d);

/* ---- aggressive_initiator.c ---- */

enum err aggressive_begin(struct ike *ike, struct sa *sa, enum dh_group group);
enum drop aggressive_input(struct ike *ike, struct sa *sa, const struct message *m);
void aggressive_worked(struct ike *ike, struct sa *sa, const struct dh_work *work);
/* Says the third message again, which nothing confirms, unless the peer has shown that it has it. */
void aggressive_remind(struct ike *ike, struct sa *sa);

/* ---- hint.c, probe.c: why a phase 1 that we began fails ---- */

/* Somebody complains in clear, or what came cannot be true. */
enum drop hint_notify(struct ike *ike, struct sa *sa, uint16_t type);
enum drop hint_take(struct ike *ike, struct sa *sa, enum cause cause);
void hint_forget(struct ike *ike, struct sa *sa); /* main mode has gone on */
/* Begins to ask on port 4500; harmless when there is nothing to find out. */
void probe_begin(struct ike *ike, struct sa *sa);
enum drop probe_answered(struct ike *ike, struct sa *probe);
void probe_forget(struct ike *ike, struct sa *sa); /* of either side of a probe */

/* ---- quick_mode.c and its two sides ---- */

/* A decrypted message of phase 2; iv becomes the exchange's once the message proved true. */
struct opened {
    uint8_t iv[CIPHER_BLOCK_MAX];
    uint8_t plain[MESSAGE_SMALL];
    struct payloads payloads;
};
enum drop quick_open(const struct sa *sa, const struct message *m, struct opened *o);
/* The same for the first message of an exchange of phase 2, with the hash that all of these have; once for each. */
enum drop quick_open_first(struct sa *sa, const struct message *m, struct seen *seen, struct opened *o);
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
/* Where a NAT was not looked for, the responder may refuse an address that it does not see: once more without
 * selectors, which means the addresses that both sides see (RFC 2409 5.5). False when that was tried, or makes no
 * sense. */
bool quick_without_selectors(struct ike *ike, struct quick *q);
void quick_initiator_failed(struct ike *ike, struct quick *q, enum cause cause, const char *detail);
/* Derives both keys and tells CHILD_NEW. NULL when a limit or memory forbids it. */
struct child *quick_child(struct ike *ike, struct quick *q);

/* ---- child.c ---- */

struct child *child_new(struct ike *ike, struct peer *peer, const struct quick *q);
struct child *child_find(const struct ike *ike, uint32_t spi_in);
/* Its rekeying failed: tries again in a while. Harmless for pairs that are gone. */
void child_retry(struct ike *ike, uint32_t spi_in);
/* QM3 came, or traffic, after which a lost QM3 does not matter any more: send with it. Tells so once. */
void child_use(struct ike *ike, struct child *c);
/* Tells CHILD_DOWN and frees. tell_peer: sends a Delete through the peer's IKE SA, if it has one. */
void child_down(struct ike *ike, struct child *c, enum cause cause, bool tell_peer);

/* ---- peer.c ---- */

struct peer *peer_new(struct ike *ike, const struct path *path);
/* The live peer that this IKE SA belongs to, by identity, key or credential, and remote endpoint. */
struct peer *peer_find(const struct ike *ike, const struct sa *sa, const char *key_name, const struct who *who);
/* The peer at the other end of this path that we opened; NULL when there is none. */
const struct peer *peer_opened(const struct ike *ike, const struct path *path);
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
enum drop info_plain(struct ike *ike, struct sa *sa, const struct message *m);
void info_send(struct ike *ike, struct sa *sa, struct draft *d); /* a draft of draft_phase2() */
void info_begin(struct ike *ike, struct sa *sa, struct draft *d);
void info_notify(struct ike *ike, struct sa *sa, uint8_t protocol, uint16_t type, struct view spi);
void info_refuse(struct ike *ike, const struct message *m, uint16_t type); /* in clear, without state */
enum drop dpd_input(struct ike *ike, struct sa *sa, const struct notify *n, const struct path *path);
void dpd_ring(struct ike *ike, struct alarm *a);

#endif
