/*
 * IKE messages as bytes, without any state: header, payloads, SA payloads and what is understood of them, identities,
 * vendor IDs, drafts of messages to send. ike_internal.h goes on with the machine.
 */
#ifndef SEKISHO_IKE_MESSAGE_H
#define SEKISHO_IKE_MESSAGE_H

#include "ike/ike.h"

/* ---- limits ---- */

#define IKE_MESSAGE_MAX   IKE_DATAGRAM_MAX /* bytes of a message that is read or written */
#define MESSAGE_SMALL     4096             /* of one that carries no certificates */
#define SA_PAYLOAD_MAX    2048 /* bytes of a phase 1 SA payload that is kept before the peer proved its address */
#define PAYLOADS_MAX      128  /* in a message; some ask for a certificate of each authority they know */
#define PROPOSALS_MAX     32   /* in an SA payload */
#define TRANSFORMS_MAX    128  /* in an SA payload, all proposals together */
#define OFFERS_MAX        24   /* transforms that we offer as initiator */
#define FRAGMENTS_MAX     64   /* of one message */
#define NONCE_MIN         8    /* bytes, RFC 2409 5 */
#define NONCE_MAX         256
#define IDENTITY_TEXT_MAX 128

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

/* The commit bit (2) is tolerated and not acted on: the message that it asks for adds nothing. */
enum { FLAG_ENCRYPTED = 1 };

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
/* Walks the chain. padded: any number of bytes may follow the last payload (encrypted messages). */
enum drop payloads_parse(uint8_t first, struct view body, bool padded, struct payloads *out);
/* The nth payload of a type, NULL when there are fewer. */
const struct payload *payload_nth(const struct payloads *p, enum payload_type type, size_t nth);
size_t payload_count(const struct payloads *p, enum payload_type type);
/* The body of the first payload of a type; empty when there is none. */
struct view payload_body(const struct payloads *p, enum payload_type type);

/* The only payload of a message that carries a part of another. */
struct fragment {
    uint16_t id;
    uint8_t number; /* from 1 */
    bool last;
    struct view data;
};
/* body: of the message, with the payload's generic header. */
enum drop fragment_parse(struct view body, struct fragment *out);

/* The messages by their payloads, for form_check(). */
enum form { FORM_MM_SA, FORM_MM_KE, FORM_MM_ID, FORM_MM_SIGNED, FORM_AM, FORM_QM_SA, FORM_QM_HASH, FORM_INFO };
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

#define KEY_IKE 1 /* the transform of phase 1 (RFC 2407 4.4.2) */

enum drop offer_parse(struct view sa_body, struct offer *out);
/* The body of an SA payload with one proposal of ours: begun, then for each of its n transforms begin, attributes and
 * end, then the proposal's end. What begin returns is for end. */
size_t proposal_begin(struct writer *w, uint8_t protocol, struct view spi, size_t n);
size_t transform_begin(struct writer *w, size_t i, size_t n, uint8_t id);
void transform_end(struct writer *w, size_t begun);
void proposal_end(struct writer *w, size_t begun);
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
bool notify_is_error(uint16_t type);
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

#define ID_FIXED 4 /* bytes of an ID payload's body before its data: type, protocol, port */

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
/* The body of an ID payload as text says it: "@group" a key ID, "name@host", an address, or else a host's name. */
void identity_write_text(struct writer *w, const char *text);
void identity_write(struct writer *w, const struct ip_addr *a, uint8_t protocol, uint16_t port);

/* A distinguished name (X.501, in DER) as text by RFC 4514, most specific first: "CN=alice, O=Example". What is not
 * plain ASCII is written as \XX. What does not fit is cut. False when it is no name: out is empty then. */
bool name_text(struct view der, char *out, size_t cap);

/* ---- certificates (RFC 2408 3.9, 3.10) ---- */

/* The certificate of a CERT payload: DER of X.509, or of PKCS #7 that holds some; empty for other encodings. */
struct view certificate_read(struct view body);
struct draft;
void certificate_write(struct draft *d, struct view der);
/* A CERTREQ payload for X.509 certificates. False for another kind; authority is the DER name, empty: any. */
bool request_read(struct view body, struct view *authority);
/* Asks for a certificate below one of the authorities; below any when there are too many to say. */
void requests_write(struct draft *d, const struct view *authorities, size_t n);

/* ---- suites and policy ---- */

/* The attribute's value (RFC 2409 appendix A). ERR_UNSUPPORTED for a method that we do not have. */
enum err auth_of(uint64_t number, enum ike_auth *out);
uint16_t auth_number(enum ike_auth auth);
/* The hash behind HASH_I and HASH_R. */
enum hash auth_hash(enum ike_auth auth, enum hash negotiated);

/* A phase 1 transform, understood. */
struct suite {
    enum ike_auth auth;
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
/* "aes256-sha1-ecp256"; "aes256-sha1-ecp256-rsa" */
const char *suite_text(const struct suite *s, char out[static SUITE_TEXT_MAX]);
const char *esp_suite_text(const struct esp_suite *s, char out[static SUITE_TEXT_MAX]);
/* ERR_INVALID unless the text is one suite in the words of suite.def. auth is PSK. */
enum err suite_parse(struct view text, struct suite *out);
enum err esp_suite_parse(struct view text, struct esp_suite *out);

/* Larger is better; negative when the policy refuses it. */
int suite_rank(enum ike_policy policy, const struct suite *s);
/* weak_sha256: the peer may cut HMAC-SHA-256 to 96 bits, so everything else is better. */
int esp_suite_rank(enum ike_policy policy, bool weak_sha256, const struct esp_suite *s);
/* The strongest acceptable transform of the peer's offer; NULL when there is none. auths: bit per enum ike_auth, for
 * which we have what it takes. */
const struct transform *policy_choose_ike(enum ike_policy policy, uint32_t auths, const struct offer *o,
                                          struct suite *out);
#define AUTHS_ALL ((1u << IKE_AUTH_COUNT) - 1)
/* Whether its hash can carry its signature. */
bool suite_is_sound(const struct suite *s);
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
/* "Windows 8+", "Apple", ...; "?" */
const char *vendors_kind(const struct vendors *v);
/* Whether the peer looks like Android's racoon, whose kernels may truncate HMAC-SHA-256 (clients.md rule 8). */
bool vendors_weak_sha256(const struct vendors *v);
size_t vendor_bytes(enum vendor which, uint8_t out[static 20]);

#define NATD_MAX HASH_SIZE_MAX

/* ---- outgoing messages ---- */

struct draft {
    struct writer w;
    size_t next_at; /* where the type of the next payload belongs */
    size_t open_at; /* length field of the payload being written */
    size_t hash_at; /* body of the HASH payload of phase 2 */
    uint32_t message_id;
    uint8_t bytes[MESSAGE_SMALL];
};

/* In room instead of the draft's own bytes, for large messages; it must live as long as the draft. */
void draft_begin_in(struct draft *d, struct writer room, const struct header *cookies, enum exchange exchange,
                    uint32_t message_id);
void draft_begin(struct draft *d, const struct header *cookies, enum exchange exchange, uint32_t message_id);
void draft_payload(struct draft *d, enum payload_type type);
void draft_payload_end(struct draft *d);
void draft_put(struct draft *d, enum payload_type type, struct view body);
void draft_vendor(struct draft *d, enum vendor v);
void draft_notify(struct draft *d, uint8_t protocol, uint16_t type, struct view spi, struct view data);
/* Patches the length. The bytes to send; empty when it did not fit. */
struct view draft_finish(struct draft *d);

#endif
