/*
 * IKEv1 (RFC 2407, 2408, 2409): all IKE SAs of one shard, as responder and as initiator. Main mode with a pre-shared
 * key or with signatures (RFC 4945, RFC 4754), quick mode in transport mode for L2TP, informational exchanges, DPD (RFC
 * 3706), NAT traversal (RFC 3947 and drafts 02 and 03), retransmission, fragmentation ([MS-IKEE] 3.3.2).
 *
 * Certificates travel through here as bytes: who may be trusted, and what is signed with which key, is asked by an
 * event (IKE_EVENT_PROOF). No private key ever comes in here.
 *
 * Sans-I/O: datagrams and time in, datagrams and events out. Datagrams are given without the non-ESP marker; the
 * caller adds and removes it on port 4500 (path.local.port and path.remote.port tell).
 */
#ifndef SEKISHO_IKE_H
#define SEKISHO_IKE_H

#include "crypto/crypto.h"

struct ike;

/* What is acceptable. `compatible` is all that current Windows, Apple and Linux clients offer; `legacy` adds MODP-1024
 * in first place nowhere but somewhere, 3DES, MD5, DES and NULL; `modern` wants SHA-2, AES and MODP-2048 or better. */
enum ike_policy { IKE_POLICY_MODERN, IKE_POLICY_COMPATIBLE, IKE_POLICY_LEGACY };

struct ike_psk {
    char name[64]; /* for logs and groups */
    struct secret key;
    struct ip_addr peer; /* family 0: from any address */
};

/* How both sides prove who they are. */
enum ike_auth {
#define AUTH(name, number, word, hash) IKE_AUTH_##name,
#include "ike/auth.def"
#undef AUTH
    IKE_AUTH_COUNT
};
/* "psk", "rsa", "ecdsa256", ... */
const char *ike_auth_word(enum ike_auth auth);

#define IKE_IDENTITY_MAX       512         /* bytes of an ID payload's data */
#define IKE_PROOF_CERTIFICATES 8           /* in one chain */
#define IKE_CHAIN_MAX          (24 * 1024) /* bytes of all certificates of one chain */
#define IKE_SIGNATURE_MAX      1024        /* bytes: RSA of 8192 bits */
#define IKE_DATAGRAM_MAX       (28 * 1024) /* bytes of a message, as ike_output() may write it */

/* Types of identities, RFC 2407 4.6.2.1 */
enum ike_id {
    IKE_ID_IPV4_ADDR = 1,
    IKE_ID_FQDN = 2,
    IKE_ID_USER_FQDN = 3,
    IKE_ID_IPV6_ADDR = 5,
    IKE_ID_DER_ASN1_DN = 9,
    IKE_ID_DER_ASN1_GN = 10,
    IKE_ID_KEY_ID = 11
};

/* One whom we can be. All views are borrowed like psks. */
struct ike_credential {
    char name[64];      /* by which the answerer of IKE_EVENT_PROOF finds the private key; unique among credentials */
    enum ike_auth auth; /* by its key; not PSK */
    uint8_t id_type;    /* enum ike_id */
    struct view id;     /* our ID payload's data: for DER_ASN1_DN the subject; at most IKE_IDENTITY_MAX bytes */
    const struct view *certificates; /* DER; our own first, then those between it and the root */
    size_t certificate_count;        /* beyond IKE_PROOF_CERTIFICATES or IKE_CHAIN_MAX they are not sent */
    const struct view *issuers;      /* DER names of the authorities above it: a request for one of them selects it */
    size_t issuer_count;
};

enum ike_encap { IKE_ENCAP_AUTO, IKE_ENCAP_FORCE, IKE_ENCAP_OFF };

struct ike_config {
    enum ike_policy policy;
    enum ike_encap encap; /* FORCE: make the peer believe in a NAT, so that ESP goes in UDP. OFF: no NAT-T at all */
    const struct ike_psk *psks; /* borrowed: must outlive the ike or the next ike_reconfigure() */
    size_t psk_count;
    /* Signatures, beside keys: accepted as responder when there is a credential. Borrowed like psks. */
    const struct ike_credential *credentials;
    size_t credential_count;
    const struct view *authorities; /* DER names, to ask the peer for a certificate below one of them */
    size_t authority_count;
    uint32_t ike_lifetime;             /* seconds, offered as initiator; the responder takes the smaller one silently */
    uint32_t child_lifetime;           /* seconds, likewise */
    uint64_t child_kilobytes;          /* 0: none */
    usec_t dpd_interval;               /* of silence before R-U-THERE, to peers that announced DPD; 0: never */
    usec_t dpd_timeout;                /* of silence before such a peer counts as dead */
    usec_t natt_keepalive;             /* interval when we are behind a NAT; 20 s by RFC 3948 */
    uint32_t max_half_open;            /* main modes whose peer has not yet proved its address: a table made at start */
    uint32_t max_half_open_per_source; /* 0: no limit */
    uint32_t max_sas; /* IKE SAs; IKE SAs whose peer is authenticated are never evicted by those that are not */
    uint8_t shard, shard_bits; /* carried in responder cookies (ours as initiator too), see shard_of_cookie() */
    bool pfs;                  /* as initiator: offer PFS in quick mode */
    usec_t patience;           /* how long a message that is repeated waits for its answer at most; 0: 25 s */
    /* The two proposals are borrowed like the keys. */
    const char *ike_proposal; /* as initiator, e.g. "aes256-sha1-modp2048,aes128-sha1-ecp256"; NULL: by policy */
    const char *esp_proposal; /* as initiator, e.g. "aes256-sha1,aes128gcm16"; NULL: by policy */
};

/* Without keys and credentials only peers that ike_connect() named are talked to. Such a peer may begin main mode anew,
 * with what it was connected to with. */
static inline bool ike_serves(const struct ike_config *config)
{
    return config->psk_count > 0 || config->credential_count > 0;
}

/* Cookies carry the shard in the low bits of their first byte. */
static inline uint8_t shard_of_cookie(const uint8_t cookie[static 8], uint8_t shard_bits)
{
    return (uint8_t)(cookie[0] & ((1u << shard_bits) - 1));
}

struct ike_env {
    struct random random;
    uint32_t (*spi_reserve)(void *ctx);           /* an inbound SPI for an ESP SA; 0 when there is none */
    void (*spi_release)(void *ctx, uint32_t spi); /* one that never came or that is gone; also from ike_free() */
    void *ctx;
};

struct ike *ike_new(const struct ike_config *config, const struct ike_env *env); /* NULL: out of memory */
void ike_free(struct ike *ike);
/* Takes new policy, keys, intervals. SAs that exist live on with what they have. */
void ike_reconfigure(struct ike *ike, const struct ike_config *config);

/* Returns the verdict on the datagram: DROP_NONE when it was used. The datagram is not modified. */
enum drop ike_input(struct ike *ike, usec_t now, const struct path *path, struct view datagram);
void ike_timeout(struct ike *ike, usec_t now);
usec_t ike_deadline(const struct ike *ike);
/* Writes the next datagram to send and its path. An empty datagram (w->n == 0) is a NAT keepalive: one byte 0xff. */
bool ike_output(struct ike *ike, struct path *path, struct writer *w);

/* ---- events ---- */

enum ike_event_type {
    IKE_EVENT_STAGE,        /* a step of the attempt was reached */
    IKE_EVENT_FAILED,       /* an exchange failed; cause tells why */
    IKE_EVENT_DH,           /* run dh_work_run() on event.dh anywhere, then ike_dh_done() */
    IKE_EVENT_PROOF,        /* make or judge the signature of event.proof anywhere, then ike_proof_done() */
    IKE_EVENT_UP,           /* main mode is complete */
    IKE_EVENT_CHILD_NEW,    /* an ESP SA pair: install it; receive with it, do not yet send */
    IKE_EVENT_CHILD_USE,    /* send with this pair from now on */
    IKE_EVENT_CHILD_DOWN,   /* remove this pair */
    IKE_EVENT_CHILD_FAILED, /* as initiator: quick mode gave nothing */
    IKE_EVENT_MOVED,        /* an authenticated message came from a new path */
    IKE_EVENT_DOWN,         /* this IKE SA is gone; the ESP SAs of its peer may live on (IKEv1) */
    IKE_EVENT_DEAD,         /* DPD got no answer: the peer and all it has is gone */
};

/* A pair of ESP SAs. Views are borrowed until the next call into ike. */
struct ike_child {
    uint32_t spi_in, spi_out;
    struct esp_transform transform;
    struct view keymat_in, keymat_out;
    bool encap;          /* ESP in UDP */
    bool rekey;          /* the peer had a pair already */
    uint32_t lifetime;   /* seconds, as agreed */
    uint64_t kilobytes;  /* as agreed; 0: none */
    uint16_t port_local; /* inner UDP ports by the IDs; 0: any */
    uint16_t port_remote;
    enum dh_group pfs;                  /* DH_NONE: without */
    struct ip_addr oa_local, oa_remote; /* original addresses (NAT-OA), family 0 when not told */
};

/*
 * A signature to make or to judge: slow work, complete in itself, which any thread may do. Answered in place: `cause`
 * says whether, and `detail` and `subject` are for people. RSA: PKCS #1 v1.5 over `hash` as it is, without DigestInfo
 * (RFC 2409 5.1). ECDSA: over `hash` as it is; the signature is r and s, each as long as the field (RFC 4754 7).
 */
struct ike_proof {
    uint64_t id; /* ike's */
    bool sign;   /* else judge */
    enum ike_auth auth;
    char credential[64]; /* sign: with whose key. Judge: as whom we answer */
    uint8_t hash_len;
    uint8_t hash[HASH_SIZE_MAX];          /* HASH_I or HASH_R: what is signed */
    uint16_t signature_len;               /* sign: the answer. Judge: the peer's */
    uint8_t signature[IKE_SIGNATURE_MAX]; /* likewise */
    /* The ID payload and certificates of whoever signs: own certificate first, as a rule. Nothing is checked yet: that
     * the chain leads to a trusted authority, that it bears the identity, and that its key made the signature, is all
     * for the judge. */
    uint8_t id_type; /* enum ike_id */
    uint16_t identity_len;
    uint8_t identity[IKE_IDENTITY_MAX];
    uint8_t certificate_count;
    uint16_t certificate_at[IKE_PROOF_CERTIFICATES], certificate_len[IKE_PROOF_CERTIFICATES]; /* in chain */
    uint8_t chain[IKE_CHAIN_MAX];
    char expect[256];  /* judge, as initiator: the name that the peer must prove; "": any */
    bool server;       /* judge: the peer is one that we connected to: its certificate must be one for servers */
    enum cause cause;  /* the answer: CAUSE_NONE, or why not. Never CAUSE_NONE before it was answered */
    char detail[160];  /* the answer: more about the cause */
    char subject[128]; /* judge, the answer: the peer's name; "": what its ID payload says */
};
/* Wipes it: before free(), when it is thrown away instead of being given back. */
void ike_proof_wipe(struct ike_proof *proof);

struct ike_event {
    enum ike_event_type type;
    uint32_t peer; /* stays the same over rekeying, and over a new main mode of the same client; 0 before it is known */
    uint64_t attempt; /* names the main mode in stories: unique per ike; carried by all events of one IKE SA */
    struct path path;
    enum stage stage; /* STAGE: reached now. FAILED: the last one reached */
    enum cause cause;
    struct ike_child child;
    struct dh_work *dh;         /* DH: the caller takes it (malloc'd) and gives it back through ike_dh_done() */
    struct ike_proof *proof;    /* PROOF: the caller takes it (malloc'd) and gives it back through ike_proof_done() */
    char detail[160];           /* for people: the chosen transforms, both sides' proposals, the peer's kind */
    enum ike_auth auth;         /* UP */
    char psk[64];               /* UP: which key matched; with signatures our credential's name */
    char identity[128];         /* UP: the peer's ID payload as text; with signatures its certificate's name */
    bool nat_local, nat_remote; /* UP */
    bool initial_contact;       /* UP: the peer says that it knows of no other SA */
};

bool ike_event(struct ike *ike, struct ike_event *out);

/* ---- verbs ---- */

/* Takes finished work back and frees it. Harmless when its exchange is gone meanwhile. */
void ike_dh_done(struct ike *ike, usec_t now, struct dh_work *work);

/* Takes an answered proof back and frees it. Harmless when its exchange is gone meanwhile. */
void ike_proof_done(struct ike *ike, usec_t now, struct ike_proof *proof);

struct ike_connect {
    struct path path;          /* to port 500 of the responder */
    const struct ike_psk *psk; /* borrowed until the peer is gone; unused with a credential */
    /* With signatures: who we are, and whom we expect ("": anybody of our authorities). Borrowed likewise. */
    const struct ike_credential *credential; /* NULL: with the key */
    char expect[256];
    /* With a key: who we say that we are. "" our address, "@group" a key ID, "name@host", "host", or an address. */
    char identity[256];
    /* Aggressive mode, with a key only. All offers are of the first one's group; the identity goes in clear; and
     * whoever answers or listens may guess keys against what the server says. For servers that take nothing else. */
    bool aggressive;
    uint16_t natt_port_local; /* our port from the fifth message on when there is a NAT; 0: 4500 */
    uint16_t l2tp_port_local; /* inner UDP source port for IDci; 0: any */
    struct ip_addr oa_remote; /* the responder's address as dialled, for NAT-OA and IDcr; family 0: path.remote */
};

/* Begins main mode, then quick mode, as initiator. *peer names it in events from now on. */
enum err ike_connect(struct ike *ike, usec_t now, const struct ike_connect *connect, uint32_t *peer);
/* Deletes ESP SAs and IKE SAs of the peer, telling it so; CHILD_DOWN and DOWN events follow, with CAUSE_NONE. */
void ike_close(struct ike *ike, usec_t now, uint32_t peer);
/* Starts a quick mode that replaces this pair (a soft limit in bytes was reached). */
void ike_child_rekey(struct ike *ike, usec_t now, uint32_t spi_in);
/* Deletes one pair, telling the peer (a hard limit was reached, or it was replaced). */
void ike_child_close(struct ike *ike, usec_t now, uint32_t spi_in);
/* An authenticated ESP packet of the peer came: it lives; and by this path. */
void ike_peer_alive(struct ike *ike, usec_t now, uint32_t peer, const struct path *path);

/* Our own address towards the peer is another from now on: its SAs go on from there. */
void ike_move(struct ike *ike, usec_t now, uint32_t peer, const struct ip_addr *local);
/* Asks at once whether the peer lives; harmless for one without DPD. */
void ike_probe(struct ike *ike, usec_t now, uint32_t peer);

/* The first authenticated ESP packet came in on this pair: quick mode's third message need not come any more, and
 * CHILD_USE follows. */
void ike_child_alive(struct ike *ike, usec_t now, uint32_t spi_in);

struct ike_stats {
    uint32_t half_open, sas, children;
};
struct ike_stats ike_stats(const struct ike *ike);

struct ike_peer_info {
    struct path path;
    enum ike_auth auth;
    char psk[64], identity[128]; /* as in IKE_EVENT_UP */
    char ike_transform[64];
    char kind[48]; /* "Windows 8+", "Apple", ... by vendor IDs */
    bool nat_local, nat_remote, initiator, dpd;
    bool natt_here, natt_there; /* who offers NAT traversal; both: it was agreed */
    /* The address that the peer takes for its own, by its identity or its selector; family 0: it names none. Another
     * than that of the path: addresses are translated on the way. */
    struct ip_addr claims;
};
bool ike_peer_info(const struct ike *ike, uint32_t peer, struct ike_peer_info *out);

#endif
