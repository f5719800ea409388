/*
 * Replays: what real clients say, byte for byte, from text files, to a whole gateway on a virtual clock.
 *
 * A script (*.rpl) is a list of steps. A step begins in the first column with a word in capitals; indented lines
 * belong to it. '#' begins a comment. The bytes of every payload, AVP and option come from the script; only what nobody
 * could write down beforehand is computed here, by code of its own that shares nothing with src/ike and src/esp: the
 * client's Diffie-Hellman, keys, hashes and encryption, IKE's headers, and the padding.
 *
 *   GATEWAY [seed=N] [policy=legacy|compatible|modern] [address=IP] [psk=NAME:KEY]... [user=NAME:PASSWORD]...
 *           [wins=IP] [signed=CERTIFICATE] [authority=NAME] [dpd=TIME] [hello=TIME] [echo=TIME]
 *           [auth=mschapv2,chap-md5,pap] [plain=yes] [encap=force|off] [route=IP/BITS]...
 *                           The gateway, with every default as in gateway.c. It hands out 172.16.2.2, .3, ...; it is
 *                           172.16.2.1 itself. address= is its own when it sits behind a 1:1 NAT; clients dial
 *                           203.0.113.1.
 *   CLIENT NAME inside=IP [outside=IP:PORT,PORT] [psk=KEY] [l2tp=PORT]
 *                           A client, from now on the one that speaks. outside= is its NAT: what its ports 500 and
 *                           4500 are mapped to.
 *   AS NAME                 from now on this client speaks
 *   MOVE outside=...        its NAT forgot the mappings
 *   IKE COOKIE              from now on its IKE SA with this initiator cookie; a new one when there is none
 *   PORT 500|4500           from now on it sends IKE from this port of its own
 *   PAIR SPI                from now on it sends ESP with the pair that has this inbound SPI (else the newest)
 *   LET NAME BYTES          a variable of this client
 *   FRAMES sent|heard BYTES the L2TP header before every PPP frame, as the client and as the gateway send it
 *   LOGIN mschapv2|chap-md5 [id=N] user=NAME password=TEXT
 *                           Sets $response (and $success) from $challenge and $peer_challenge.
 *
 *   SEND main|quick|info [id=HEX] [size=N]    an IKE message; encrypted once there are keys. Lines: PAYLOAD BYTES
 *   SEND raw [size=N] BYTES                   a datagram as it is, from the current port
 *   SEND plain BYTES                          an L2TP message without IPsec, to port 1701
 *   SEND l2tp [size=N] [to=PORT] BYTES        an L2TP message in UDP in ESP
 *   SEND ppp BYTES                            a PPP frame behind the header of FRAMES
 *   SEND again                                the last datagram once more, bit for bit
 *   TUN BYTES                                 an IP packet from the gateway's own network
 *   TIME SPAN                                 lets it pass: 300ms, 3s, 5m, 2h
 *
 *   EXPECT main|quick|info|raw|plain|l2tp|ppp ...   the next datagram to this client, in the same words as SEND. An IKE
 *                                             message must have exactly these payloads; its hash is always verified.
 *   EXPECT again                              the next datagram is the one before it, bit for bit
 *   EXPECT tun BYTES                          the next packet for the gateway's own network
 *   EXPECT nothing                            no datagram is left for this client
 *   EXPECT drop WORD [N]                      the last SEND counted this drop. A drop that is not expected is an error
 *   EXPECT up|down|failed [user=] [address=] [stage=] [cause=]      the next event of this kind
 *   EXPECT story [kind=] [stage=] [cause=] [psk=] [identity=] [user=] [cure=]   what `explain` knows of this client;
 *                                             identity and cure by a part of them
 *   EXPECT counts [peers=N] [sessions=N] [ike-sas=N] [half-open=N]
 *
 * EXPECT takes times=N too: N alike in a row.
 *
 * With signed= the gateway has an RSA credential, "vpn.example.com", with these bytes (in hex) as its certificate, and
 * asks for certificates of authority=. Making and judging signatures is not what is replayed: each is its hash,
 * unchanged.
 *
 * BYTES are words: hex digits (in pairs), "text", $VARIABLE, rand:N (N bytes that mean nothing), zero:N, natd:IP:PORT
 * (RFC 3947's hash), ke:GROUP (a fresh public value of this message's exchange), hash (HASH_I, HASH_R, HASH(1..3)), len
 * (16 bits: the length of the whole L2TP message). In EXPECT also ?N (N bytes, whatever they are), ?N>NAME (and keeps
 * them as $NAME) and * (whatever is left). At the end nothing may be left unexpected.
 */
#ifndef SEKISHO_REPLAY_H
#define SEKISHO_REPLAY_H

#include "stack/stack.h"

#include <stdnoreturn.h>

#define BYTES_MAX         4096 /* of a message */
#define WORD_MAX          256
#define VARIABLE_NAME_MAX 32

/* ---- script.c: text to steps ---- */

struct line {
    uint32_t number;
    char *text;
};

struct step {
    struct line head; /* its text without the body */
    struct line *body;
    size_t n;
};

struct script {
    char *text;
    struct step *steps;
    size_t n;
};

void script_read(struct script *s, const char *path);
void script_free(struct script *s);
/* The next word, quotes and all; false at the end. */
bool word_next(const char **at, char out[static WORD_MAX]);
/* The nth word of a step's head; false when there are fewer. */
bool step_word(const struct step *s, size_t nth, char out[static WORD_MAX]);
/* The value of key=value in a step's head, without quotes; skips the first `skip` of that key. */
bool step_option(const struct step *s, const char *key, size_t skip, char out[static WORD_MAX]);
uint32_t step_number(const struct step *s, const char *key, uint32_t missing);
/* Text of the head after the first `words` words and after all options; then the body, as one list of words. */
void step_bytes(const struct step *s, size_t words, char *out, size_t cap);
usec_t span_parse(const char *text);

/* Says what is wrong and where, and ends the program. */
noreturn void broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Where the words of broken() point to. */
void broken_at(const char *file, uint32_t line);
void wanted(bool so, const char *what);

/* ---- pattern.c: words to bytes, and bytes against them ---- */

struct client;

struct pattern {
    uint8_t bytes[BYTES_MAX], mask[BYTES_MAX];
    size_t n;
    bool rest;              /* anything may follow */
    size_t hash_at, hash_n; /* hash_n 0: none */
    struct {
        char name[VARIABLE_NAME_MAX];
        size_t at, n;
    } kept[8];
    size_t kept_n;
};

/* wild: of an EXPECT. before: bytes that will stand in front, counted by `len`. */
void pattern_read(struct pattern *p, struct client *c, const char *text, bool wild, size_t before);
/* Ends the program with both sides shown unless the bytes match; keeps what is to be kept. */
void pattern_match(const struct pattern *p, struct client *c, const char *what, struct view bytes);

/* ---- gateway.c: the gateway under test, its user store, its clock ---- */

struct sent { /* a datagram of the gateway's */
    struct sent *next;
    struct path path;
    size_t n;
    uint8_t bytes[];
};

struct told { /* one of its events */
    struct told *next;
    struct stack_event event;
};

struct account {
    char name[64], password[64];
};

struct gateway {
    struct stack *stack;
    struct random_test generator;
    struct random random;
    usec_t now;
    struct ip_addr address, dialled, wins;
    struct ike_psk psks[4];
    struct account accounts[4];
    size_t accounts_n;
    uint32_t next_address;
    struct ike_credential credential;
    struct view authority;
    uint8_t named[2][BYTES_MAX]; /* what these two hold */
    struct sent *sent, *frames;  /* datagrams, and packets for the TUN */
    struct told *told;
    uint64_t drops[DROP_COUNT]; /* that were accounted for */
};

void gateway_start(struct gateway *g, const struct step *s);
void gateway_stop(struct gateway *g);
void gateway_receive(struct gateway *g, const struct path *path, const uint8_t *bytes, size_t n);
void gateway_tun(struct gateway *g, const uint8_t *bytes, size_t n);
void gateway_pass(struct gateway *g, usec_t span);
/* Takes the oldest event of a type; false when there is none. */
bool gateway_told(struct gateway *g, enum stack_event_type type, struct stack_event *out);
/* Ends the program when drops were counted that nobody expected. */
void gateway_no_drops(const struct gateway *g);
/* Ends the program when anything is left to be expected. */
void gateway_nothing_left(const struct gateway *g);

/* ---- phase1.c, phase2.c: the client's own keys (RFC 2409) ---- */

struct ike_keys {
    uint8_t icookie[8], rcookie[8];
    uint8_t sa[BYTES_MAX]; /* body of our SA payload */
    size_t sa_n;
    bool is_signed; /* not with a pre-shared key */
    enum hash hash;
    enum cipher cipher;
    uint16_t key_bytes;
    enum dh_group group;
    struct dh_work dh;
    bool derived;
    uint8_t nonce_i[256], nonce_r[256];
    size_t nonce_i_n, nonce_r_n;
    uint8_t skeyid[HASH_SIZE_MAX], skeyid_d[HASH_SIZE_MAX], skeyid_a[HASH_SIZE_MAX], skeyid_e[HASH_SIZE_MAX];
    uint8_t key[32];
    uint8_t iv[HASH_SIZE_MAX]; /* after the last message of phase 1 */
};

struct exchange { /* one of phase 2 */
    struct ike_keys *ike;
    uint32_t id;
    uint8_t iv[HASH_SIZE_MAX];
    uint8_t turn; /* messages so far */
    uint8_t nonce_i[256], nonce_r[256];
    size_t nonce_i_n, nonce_r_n;
    struct dh_work dh;
    bool pfs;
    uint32_t spi_ours;
};

struct pair { /* of ESP SAs */
    uint32_t spi_ours, spi_theirs;
    enum cipher cipher;
    enum hash hash;
    uint16_t key_bytes, icv;
    bool gcm; /* RFC 4106: the key, then a salt of four bytes; the hash is none */
    uint8_t key_in[36], key_out[36], auth_in[HASH_SIZE_MAX], auth_out[HASH_SIZE_MAX];
    uint32_t sequence;
    bool udp;
};

struct payload_at {
    uint8_t type;
    struct view body;
};

struct chain {
    struct payload_at at[32];
    size_t n;
};

#define P_SA    1
#define P_KE    4
#define P_ID    5
#define P_CERT  6
#define P_CR    7
#define P_HASH  8
#define P_SIG   9
#define P_NONCE 10

/* Walks payloads; ends the program when they contradict themselves. */
void chain_read(struct chain *c, uint8_t first, struct view body);
const struct view *chain_find(const struct chain *c, uint8_t type);

/* Takes in what a message of phase 1 says, ours or the gateway's; derives the keys once all is there. */
void ike_keys_learn(struct ike_keys *k, struct view psk, const struct chain *c, bool ours);
/* Our public value of a group, made when first asked for. */
struct view dh_own(struct dh_work *dh, unsigned group, const struct random *random);
void natd_bytes(const struct ike_keys *k, const struct endpoint *e, uint8_t out[static HASH_SIZE_MAX]);
void ike_hash_auth(const struct ike_keys *k, bool initiator, struct view id, uint8_t *out);

void exchange_begin(struct exchange *x, struct ike_keys *k, uint32_t id);
/* HASH(1), (2) or (3) by whose turn it is; rest: all behind the hash payload. */
void exchange_hash(const struct exchange *x, bool quick, struct view rest, uint8_t *out);
/* Takes in a message of quick mode; true when *pair became complete. */
bool exchange_learn(struct exchange *x, const struct chain *c, bool ours, struct pair *pair);

/* ---- seal.c: the client's own ESP ---- */

/* Seals a transport packet; returns the length. */
size_t pair_seal(struct pair *p, const struct random *random, struct view plain, uint8_t *out);
/* Opens one; ends the program unless it is authentic. */
struct view pair_open(struct pair *p, struct view esp, uint8_t *out);

/* ---- client.c: one client, its messages on the way out and in ---- */

struct variable {
    char name[VARIABLE_NAME_MAX];
    uint8_t bytes[512];
    size_t n;
};

struct client {
    struct gateway *gateway;
    struct random random;
    char name[VARIABLE_NAME_MAX];
    struct ip_addr inside, outside;
    uint16_t ports[2]; /* outside, of 500 and 4500 */
    uint16_t ike_port; /* 500 or 4500 */
    uint16_t l2tp_port;
    struct secret psk;
    struct ike_keys ike[4];
    size_t ike_n;
    struct ike_keys *current;
    struct exchange exchanges[64];
    size_t exchanges_n;
    struct exchange *exchange; /* of the message being made or read; NULL in phase 1 */
    struct pair pairs[16];
    size_t pairs_n, pair;
    char frames_sent[WORD_MAX], frames_heard[WORD_MAX];
    struct variable variables[48];
    size_t variables_n;
    struct path last_path;
    uint8_t last[BYTES_MAX], heard[BYTES_MAX]; /* the last datagram each way */
    size_t last_n, heard_n;
};

void client_start(struct client *c, struct gateway *g, const struct step *s);
void client_outside(struct client *c, const struct step *s);
void client_use_ike(struct client *c, const char *cookie);
void client_use_pair(struct client *c, const char *spi);
struct variable *client_variable(struct client *c, const char *name);
void client_let(struct client *c, const char *name, struct view bytes);
void client_login(struct client *c, const struct step *s);
/* The way of its IKE, of its ESP and of its plain L2TP, as the gateway sees it. */
struct path client_path_ike(const struct client *c);
struct path client_path_esp(const struct client *c, const struct pair *p);
struct path client_path_plain(const struct client *c);
void client_send_bytes(struct client *c, const struct path *path, const uint8_t *bytes, size_t n);
void client_hear_nothing(const struct client *c);
/* The next datagram to this client, which must come on this path (NULL: any); kept in c->heard. */
struct view client_hear(struct client *c, const struct path *path);

/* ---- message.c: IKE messages ---- */

bool message_exchange(const char *word, uint8_t *exchange);
void message_send(struct client *c, const struct step *s, uint8_t exchange);
void message_expect(struct client *c, const struct step *s, uint8_t exchange);

/* ---- carry.c: L2TP and PPP, in ESP ---- */

void carry_send(struct client *c, const struct step *s, const char *frame_header);
void carry_expect(struct client *c, const struct step *s, const char *frame_header);

#endif
