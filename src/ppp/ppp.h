/*
 * PPP (RFC 1661): one link from LCP to a running network layer, as server (authenticator) and as client.
 * LCP, PAP (RFC 1334), CHAP-MD5 (RFC 1994), MS-CHAPv2 (RFC 2759), EAP (RFC 3748) with MS-CHAPv2, MD5, GTC and TLS
 * (RFC 5216, 9190), IPCP (RFC 1332, 1877), IPV6CP (RFC 5072); CCP and all other protocols are rejected as the clients
 * expect.
 *
 * Frames are given without HDLC framing, with or without the address and control field (ff 03).
 */
#ifndef SEKISHO_PPP_H
#define SEKISHO_PPP_H

#include "crypto/crypto.h"

#define PPP_IP     0x0021
#define PPP_IPV6   0x0057
#define PPP_IPCP   0x8021
#define PPP_IPV6CP 0x8057
#define PPP_CCP    0x80fd
#define PPP_LCP    0xc021
#define PPP_PAP    0xc023
#define PPP_CHAP   0xc223
#define PPP_EAP    0xc227

#define PPP_NAME_MAX     256 /* bytes of a user name or CHAP name with NUL */
#define PPP_PASSWORD_MAX 256
#define PPP_OVERHEAD     4    /* bytes before an inner packet: ff 03, protocol; 2 when ACFC was agreed */
#define PPP_FRAME_MAX    1508 /* bytes of the longest control frame taken or made, ff 03 included */
#define PPP_PROMPT_MAX   512  /* bytes of a prompt with NUL */

struct ppp;

/* EAP is one protocol to LCP, whose methods the two sides agree on later: a server offers it where the first of its EAP
 * methods stands, then asks for these in their order, and goes on with the next when the peer Naks. A client whose best
 * method is none of EAP Naks an offer of EAP once: some servers only hold EAP up in front of what they can do. */
enum ppp_auth {
    PPP_AUTH_NONE,
    PPP_AUTH_MSCHAPV2,
    PPP_AUTH_CHAP_MD5,
    PPP_AUTH_PAP,
    PPP_AUTH_EAP_MSCHAPV2,
    PPP_AUTH_EAP_MD5,
    PPP_AUTH_EAP_GTC,
    PPP_AUTH_EAP_TLS,
};
#define PPP_AUTH_METHODS 8 /* entries of a list with all of them and its end */

/* ---- certificates for EAP-TLS ---- */

struct ppp_tls; /* shared by the links; nothing in it changes after it was made */

#define PPP_TLS_WHY_MAX 160

struct ppp_tls_options {
    bool server;
    struct view certificate;    /* PKCS#12, or PEM with our certificate first and those it was issued by */
    struct view key;            /* PEM; empty: it stands beside the certificate */
    const char *password;       /* of the key; NULL: none */
    struct view authorities;    /* PEM: who may have issued the peer's certificate; empty: those in a PKCS#12 */
    const struct view *revoked; /* their lists of revoked certificates, each PEM or DER */
    size_t revoked_count;
    const char *server_name; /* client: name or address that the server's certificate must bear; NULL or "": any */
};

/* NULL with a sentence about what is wrong. The options are not needed afterwards. OpenSSL inside takes the time for
 * certificates from the clock, and randomness from the system. */
struct ppp_tls *ppp_tls_new(const struct ppp_tls_options *options, char why[static PPP_TLS_WHY_MAX]);
/* One more owner, on whichever thread; each of them calls ppp_tls_free(). NULL yields NULL. */
struct ppp_tls *ppp_tls_share(struct ppp_tls *tls);
void ppp_tls_free(struct ppp_tls *tls);

struct ppp_config {
    bool server;                          /* authenticates the peer and hands out the address; else the client */
    enum ppp_auth auth[PPP_AUTH_METHODS]; /* acceptable, best first, ended by PPP_AUTH_NONE */
    uint16_t mru;                         /* what we ask for; 1400 */
    uint16_t mtu;                         /* never send more, whatever the peer allows */
    bool acfc, pfc;                       /* accept from the peer; pfc is never used on sending (RouterOS 6) */
    usec_t echo_interval;                 /* LCP Echo-Request; 0: never; only sent after silence */
    usec_t echo_repeat;                   /* between unanswered ones; 0: as echo_interval */
    uint32_t echo_failures;               /* unanswered ones before the link counts as dead */
    usec_t restart;                       /* 0 means 3 s */
    uint32_t max_configure;               /* 0 means 10 */
    uint32_t max_terminate;               /* 0 means 2 */
    usec_t auth_timeout;                  /* from LCP up to success; 0 means 60 s */
    char name[64];                        /* server: our name in challenges */
    char user[PPP_NAME_MAX];              /* client */
    char password[PPP_PASSWORD_MAX];      /* client; its owner wipes it */
    bool answer_prompts;                  /* client: the password answers EAP-GTC; else PPP_EVENT_PROMPT */
    bool asks;                            /* server: PPP_EVENT_ASK tells what EAP-GTC asks; else "Password: " */
    struct ppp_tls *tls;                  /* borrowed; NULL: no EAP-TLS, whatever auth says */
    bool ipv6;                            /* IPV6CP allowed; else rejected */
    struct ip_addr want;                  /* client: ask for this address again; family 0: any */
};

/* Values that suit most links, for a client without its name and password. */
void ppp_defaults(struct ppp_config *out);

struct ppp_env {
    struct random random;
};

/* config is borrowed and must outlive the ppp: thousands of links share one. env is copied. NULL without memory, and
 * for a server without an authentication method. A client with methods wants the server to ask for one of them. */
struct ppp *ppp_new(const struct ppp_config *config, const struct ppp_env *env);
void ppp_free(struct ppp *ppp);

/* Begins to negotiate; the lower layer is up. A server lets the client speak first, for a second at the most. */
void ppp_up(struct ppp *ppp, usec_t now);

/* A frame of a control protocol, protocol field first (as left by ppp_data_open()); ff 03 and short protocol fields
 * are taken as well. A frame of a protocol that is not served is rejected to the peer from here. */
enum drop ppp_input(struct ppp *ppp, usec_t now, struct view frame);
void ppp_timeout(struct ppp *ppp, usec_t now);
usec_t ppp_deadline(const struct ppp *ppp);
/* Writes the next frame, ff 03 in front. False when there is none, or when w has not the room for it (PPP_FRAME_MAX is
 * always enough): the frame then stays. */
bool ppp_output(struct ppp *ppp, struct writer *w);
/* Whether the frame that ppp_output() writes next is a probe, which must not be fragmented on its way. */
bool ppp_output_whole(const struct ppp *ppp);

enum ppp_event_type {
    PPP_EVENT_STAGE,    /* LCP, PROMPT, AUTH, IPCP reached */
    PPP_EVENT_ASK,      /* server: what is event.auth.user asked by EAP-GTC? ppp_ask() */
    PPP_EVENT_AUTH,     /* server: judge event.auth, answer with ppp_auth_done() */
    PPP_EVENT_PROMPT,   /* client: show event.prompt, give what was typed to ppp_answer() */
    PPP_EVENT_NETWORK,  /* IPv4 is up: event.network; data may flow */
    PPP_EVENT_NETWORK6, /* IPv6 is up */
    PPP_EVENT_MTU,      /* what ppp_probe() has found: event.mtu; ppp_mtu() says so too */
    PPP_EVENT_DOWN,     /* the link is finished: cause. Told exactly once, last; input is dropped from then on */
};

/* What the peer offered as proof. Views are borrowed until the next call into ppp. */
struct ppp_auth_request {
    enum ppp_auth method;
    char user[PPP_NAME_MAX]; /* as sent; may hold DOMAIN\ */
    uint8_t id;
    struct view password;       /* PAP; GTC: what was typed */
    struct view challenge;      /* MD5: ours; MS-CHAPv2: authenticator challenge, 16 bytes */
    struct view peer_challenge; /* MS-CHAPv2: 16 bytes */
    struct view response;       /* MD5: 16 bytes; MS-CHAPv2: NT-Response, 24 bytes */
    /* EAP-TLS: nothing; the certificate was good, and bears the user's name */
};

struct ppp_network {
    struct ip_addr local, remote;
    struct ip_addr dns[2], wins[2]; /* family 0: none */
    uint64_t interface_id;          /* IPv6, of the peer (server) or ours (client) */
};

struct ppp_event {
    enum ppp_event_type type;
    enum stage stage;
    enum cause cause;
    struct ppp_auth_request auth;
    struct ppp_network network;
    uint16_t mtu; /* the largest inner packet that came through whole; 0: the peer does not play */
    char detail[128];
    char prompt[PPP_PROMPT_MAX]; /* printable lines */
    uint8_t round;               /* PROMPT: how often the server has asked in this login, from 1 */
};
bool ppp_event(struct ppp *ppp, struct ppp_event *out);

/* ---- verbs ---- */

/* The answer to PPP_EVENT_ASK, with the rules of ppp_auth_done(): printable lines; copied. What does not fit into the
 * peer's MRU, or into PPP_PROMPT_MAX, is asked as "Password: ". */
void ppp_ask(struct ppp *ppp, usec_t now, struct view text);
/* The answer to PPP_EVENT_AUTH: exactly one for each event that was pulled, whenever it is known. The peer may
 * negotiate anew at any time (RFC 1661 4.1); then a new PPP_EVENT_AUTH follows and, after it, a new PPP_EVENT_NETWORK.
 * Until the first question is answered no second is asked, and an answer that has become stale is thrown away. A peer
 * once let in cannot become another user: that is refused without a question. */
struct ppp_auth_answer {
    bool accepted;
    enum cause cause; /* when refused: kept for the story; the peer only learns "failed" */
    bool again;       /* refused: what was typed is wrong. With `asks`, EAP-GTC asks anew, three times in all */
    uint8_t authenticator_response[MSCHAP_AUTH_RESPONSE]; /* MS-CHAPv2, accepted */
    struct ppp_network network;                           /* accepted: what IPCP hands out */
};
void ppp_auth_done(struct ppp *ppp, usec_t now, const struct ppp_auth_answer *answer);
/* What the user typed at PPP_EVENT_PROMPT; copied. Too late it is thrown away. */
void ppp_answer(struct ppp *ppp, usec_t now, struct view text);
/* Client, once IPv4 is up: finds the largest inner packet from least to most bytes that passes whole in both
 * directions, by Echo-Requests of its size (RFC 1661 5.8). PPP_EVENT_MTU follows; least is at least 128, and packets up
 * to it are taken to pass. Before LCP is up, or with nothing between least and ppp_mtu(), it does nothing. */
void ppp_probe(struct ppp *ppp, usec_t now, uint16_t least, uint16_t most);
/* Ends the link with Terminate-Request; PPP_EVENT_DOWN follows with this cause. */
void ppp_close(struct ppp *ppp, usec_t now, enum cause cause);
/* Data came from the peer: no echo is due. Cheap; it does not move the deadline, which is looked at again when it
 * comes. */
void ppp_alive(struct ppp *ppp, usec_t now);
/* Asks at once whether the peer still lives: without an answer the link ends after echo_failures repeats. Harmless
 * while LCP is not open. */
void ppp_check(struct ppp *ppp, usec_t now);
/* The user's name once known, else "". */
const char *ppp_user(const struct ppp *ppp);
/* How the peer or we are authenticated; PPP_AUTH_NONE before it was agreed. */
enum ppp_auth ppp_method(const struct ppp *ppp);
/* What has been found to be wrong so far, also while the link still says goodbye; CAUSE_NONE while all is well. */
enum cause ppp_cause(const struct ppp *ppp);

/* ---- data: plain functions, no events ---- */

/* Takes ff 03 (if there) and the protocol field (one or two bytes) off an IP packet and sets packet->protocol. Every
 * other frame keeps its protocol field, as two bytes, for ppp_input(). DROP_IP_NOT_UP for an IP packet before its
 * network layer is up; on any drop the packet is unchanged. */
enum drop ppp_data_open(const struct ppp *ppp, struct packet *packet);
/* Puts protocol (PPP_IP or PPP_IPV6) and, where it has to be, ff 03 in front. False without head room, or when that
 * network layer is not up. */
bool ppp_data_seal(const struct ppp *ppp, uint16_t protocol, struct packet *packet);
uint32_t ppp_data_overhead(const struct ppp *ppp);
/* The largest inner packet we may send: the least of the peer's MRU, config.mtu, and what a probe has found. */
uint16_t ppp_mtu(const struct ppp *ppp);

#endif
