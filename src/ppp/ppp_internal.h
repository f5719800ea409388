/*
 * What the files of ppp share: the link, its three automata, and the words between them.
 */
#ifndef SEKISHO_PPP_INTERNAL_H
#define SEKISHO_PPP_INTERNAL_H

#include "ppp/ppp.h"

#define PPP_MRU_DEFAULT 1500 /* RFC 1661 6.1 */
#define PPP_MRU_MIN     128  /* below this no peer is taken seriously */

/* The lesser defaults of ppp_config. */
#define RESTART_DEFAULT       (3 * USEC_SEC)
#define MAX_CONFIGURE_DEFAULT 10
#define MAX_TERMINATE_DEFAULT 2
#define AUTH_TIMEOUT_DEFAULT  (60 * USEC_SEC)
#define OUR_MRU_DEFAULT       1400

/* ---- control packets (RFC 1661 5) ---- */

enum control_code {
    CONFIGURE_REQUEST = 1,
    CONFIGURE_ACK,
    CONFIGURE_NAK,
    CONFIGURE_REJECT,
    TERMINATE_REQUEST,
    TERMINATE_ACK,
    CODE_REJECT,
    PROTOCOL_REJECT,
    ECHO_REQUEST,
    ECHO_REPLY,
    DISCARD_REQUEST,
    IDENTIFICATION, /* RFC 1570 */
    TIME_REMAINING,
};

/* A packet of LCP, an NCP, PAP, CHAP or EAP: they share one header. Views are borrowed from the frame. */
struct control {
    uint8_t code, id;
    struct view body;  /* behind the header, padding cut off */
    struct view whole; /* header and body */
};

/* False when the length field contradicts the bytes. */
bool control_parse(struct view packet, struct control *out);

/* One option of a Configure packet; whole includes type and length. */
struct option {
    uint8_t type;
    struct view value;
    struct view whole;
};

/* Takes the next option. False at the end, and when the list is broken: ask rd_done() to tell them apart. */
bool option_next(struct reader *r, struct option *out);
uint32_t option_u32(const struct option *o); /* the first four bytes of the value; 0 when they are not there */
void option_write(struct writer *w, uint8_t type, struct view value);
void option_write_u16(struct writer *w, uint8_t type, uint16_t value);
void option_write_u32(struct writer *w, uint8_t type, uint32_t value);

/* ---- the option negotiation automaton (RFC 1661 4) ---- */

enum fsm_state {
    FSM_INITIAL,
    FSM_STARTING,
    FSM_CLOSED,
    FSM_STOPPED,
    FSM_CLOSING,
    FSM_STOPPING,
    FSM_REQ_SENT,
    FSM_ACK_RCVD,
    FSM_ACK_SENT,
    FSM_OPENED,
    FSM_STATES
};

enum fsm_event {
    FSM_UP,
    FSM_DOWN,
    FSM_OPEN,
    FSM_CLOSE,
    FSM_TIMEOUT_MORE,    /* TO+ */
    FSM_TIMEOUT_LAST,    /* TO- */
    FSM_REQUEST_GOOD,    /* RCR+ */
    FSM_REQUEST_BAD,     /* RCR- */
    FSM_ACK,             /* RCA */
    FSM_NAK,             /* RCN: Nak or Reject */
    FSM_TERMINATE,       /* RTR */
    FSM_TERMINATE_ACKED, /* RTA */
    FSM_UNKNOWN,         /* RUC */
    FSM_REJECT_HARMLESS, /* RXJ+ */
    FSM_REJECT_FATAL,    /* RXJ- */
    FSM_ECHO,            /* RXR */
    FSM_EVENTS
};

enum fsm_action {
    FSM_TLU = 1 << 0,
    FSM_TLD = 1 << 1,
    FSM_TLF = 1 << 2, /* tls has no use here: the lower layer is always there */
    FSM_IRC = 1 << 3,
    FSM_ZRC = 1 << 4,
    FSM_SCR = 1 << 5,
    FSM_SCA = 1 << 6,
    FSM_SCN = 1 << 7,
    FSM_STR = 1 << 8,
    FSM_STA = 1 << 9,
    FSM_SCJ = 1 << 10,
    FSM_SER = 1 << 11,
    FSM_IMPOSSIBLE = 1 << 15, /* the dashes of the RFC's table */
};

/* One cell of the RFC's table. */
struct fsm_cell {
    uint16_t actions;
    uint8_t next;
};
struct fsm_cell fsm_cell(enum fsm_event event, enum fsm_state state);

enum verdict { VERDICT_ACK, VERDICT_NAK, VERDICT_REJECT };

/* What makes the automaton LCP, IPCP or IPV6CP. */
struct fsm_protocol {
    uint16_t number;
    /* A new negotiation begins: our options go back to what we wish for. */
    void (*begin)(struct ppp *ppp);
    /* Writes the options of our Configure-Request; the same bytes until nak or reject changed something. */
    void (*request)(const struct ppp *ppp, struct writer *w);
    /* Forgets what the peer's last Configure-Request said. */
    void (*forget)(struct ppp *ppp);
    /* Judges one option of the peer; with VERDICT_NAK it has written the option we would take. */
    enum verdict (*judge)(struct ppp *ppp, const struct option *o, struct writer *nak);
    /* Appends the options that the peer should have sent among these. NULL: there are none. */
    void (*missing)(struct ppp *ppp, struct view options, struct writer *nak);
    /* The peer wants another value for an option of ours, or not the option at all. */
    void (*nak)(struct ppp *ppp, const struct option *o);
    void (*reject)(struct ppp *ppp, const struct option *o);
    /* A code above CODE_REJECT. NULL, or false in *known: answered with Code-Reject. */
    enum drop (*code)(struct ppp *ppp, const struct control *in, bool *known);
    void (*up)(struct ppp *ppp);
    void (*down)(struct ppp *ppp);     /* may be NULL */
    void (*finished)(struct ppp *ppp); /* may be NULL */
    /* No agreement is in sight. */
    void (*stalemate)(struct ppp *ppp);
};

struct fsm {
    const struct fsm_protocol *protocol;
    struct ppp *ppp;
    usec_t at;         /* the restart timer */
    uint32_t restarts; /* the restart counter */
    uint32_t requests; /* Configure-Requests of this negotiation, whatever became of them */
    uint32_t naks;     /* Configure-Naks since the last Ack */
    uint64_t digest;   /* of the peer's last request that was acknowledged */
    uint8_t peer_id;   /* its identifier */
    uint8_t id;        /* of our last request */
    uint8_t state;     /* enum fsm_state */
    bool answered;     /* our last request has its answer: another is a duplicate */
};

void fsm_init(struct fsm *f, struct ppp *ppp, const struct fsm_protocol *protocol);
/* in is the packet behind the event; NULL where there is none. reply is the prepared answer of SCA and SCN. */
void fsm_event(struct fsm *f, enum fsm_event event, const struct control *in, const struct control *reply);
void fsm_timeout(struct fsm *f);
enum drop fsm_input(struct fsm *f, struct view packet);

static inline bool fsm_opened(const struct fsm *f)
{
    return f->state == FSM_OPENED;
}

/* configure.c: the Configure packets of any protocol. */
enum drop configure_request(struct fsm *f, const struct control *in);
enum drop configure_ack(struct fsm *f, const struct control *in);
enum drop configure_refusal(struct fsm *f, const struct control *in);

/* ---- the parts of a link ---- */

#define IDENT_MAX 32 /* bytes of the peer's Identification that are kept, with NUL */

struct lcp {
    uint32_t magic;     /* ours */
    uint16_t mru;       /* what we ask for */
    uint8_t asks;       /* enum lcp_ask */
    uint8_t auth;       /* enum ppp_auth: server: what we demand */
    uint8_t auth_tried; /* bits by enum ppp_auth: refused by the peer */
    uint8_t auth_spent; /* the like, for the link's whole life: agreed on, and then led nowhere */
    uint8_t eap_naks;   /* client: how often an offer of EAP was Nak'd */
    uint8_t peer_auth;  /* enum ppp_auth: client: what the server demands */
    bool peer_auth_odd; /* the peer wants a method that we do not serve */
    bool peer_acfc;     /* the peer takes frames without ff 03 */
    uint16_t peer_mru;  /* what the peer takes */
    char ident[IDENT_MAX];
};

struct ipcp {
    struct ppp_network network; /* server: what is handed out. client: what was agreed */
    uint8_t asks;               /* enum ipcp_ask */
};

struct ipv6cp {
    uint64_t ours, peer; /* interface identifiers */
    bool asks;
};

#define CHALLENGE_SIZE MSCHAP_CHALLENGE_SIZE /* for CHAP-MD5 as well */

/* Server: what the peer has shown, until it is judged. Client: our Response, until it is answered. */
struct proof {
    uint16_t user_len, value_len;
    uint8_t expected[MSCHAP_AUTH_RESPONSE]; /* client, MS-CHAPv2: what the server has to answer */
    uint8_t value[PPP_PASSWORD_MAX];        /* PAP: the password; CHAP: the value field */
};

enum auth_state {
    AUTH_IDLE,
    AUTH_WAITING, /* for the peer's proof, or as client for the challenge */
    AUTH_JUDGING, /* server: asked the caller. client: the Response is out */
    AUTH_ACCEPTED,
    AUTH_REFUSED,
};

struct auth {
    struct proof *proof;
    struct eap *eap;  /* NULL unless a login by EAP is under way */
    usec_t resend_at; /* of the Challenge, Response or Authenticate-Request */
    usec_t deadline;  /* of the whole login */
    usec_t close_at;  /* refused: the end, after the peer has had time to read why */
    uint32_t tries;   /* resends left */
    uint8_t method;   /* enum ppp_auth */
    uint8_t state;    /* enum auth_state */
    uint8_t id;       /* of the challenge or request */
    bool asked;       /* server: the caller owes an answer */
    bool patient;     /* somebody has to type: the deadline has been put off */
    uint8_t wrong;    /* server: answers after which GTC asked anew */
    bool wording;     /* server: the caller owes what is to be asked */
    bool admitted;    /* this link has been authenticated before, as ppp->user */
    uint8_t challenge[CHALLENGE_SIZE];
    uint8_t authenticator_response[MSCHAP_AUTH_RESPONSE]; /* server: for the Success and its repetitions */
};

struct echo {
    usec_t at;    /* USEC_NEVER while LCP is not opened */
    usec_t alive; /* something came from the peer */
    uint32_t unanswered;
    uint8_t id;
};

/* The search for the largest packet that passes whole. */
struct probe {
    usec_t at;          /* USEC_NEVER while none is under way */
    usec_t sent, rtt;   /* rtt 0: not known yet */
    uint64_t nonce;     /* of this size */
    uint16_t low, high; /* the largest that has passed, 0: none; the smallest that cannot */
    uint16_t size;      /* being tried, as often as tries */
    uint16_t found;     /* what came of it; 0: nothing */
    uint8_t tries;
};

enum phase { PHASE_DEAD, PHASE_ESTABLISH, PHASE_AUTHENTICATE, PHASE_NETWORK, PHASE_FINISHED };

#define EVENTS_MAX 8

enum happening {
    HAPPENED_LCP,
    HAPPENED_ASK,
    HAPPENED_ASKED,
    HAPPENED_QUESTION,
    HAPPENED_PROMPT,
    HAPPENED_AUTH,
    HAPPENED_IPCP,
    HAPPENED_NETWORK,
    HAPPENED_NETWORK6,
    HAPPENED_MTU,
};

struct frame;

struct ppp {
    const struct ppp_config *config;
    struct ppp_env env;
    usec_t now;          /* of the call that is being served */
    usec_t listen_until; /* server: for the client's first word; USEC_NEVER once it came, or was waited for */
    struct fsm lcp_fsm, ipcp_fsm, ipv6cp_fsm;
    struct lcp lcp;
    struct ipcp ipcp;
    struct ipv6cp ipv6cp;
    struct auth auth;
    struct echo echo;
    struct probe probe;
    char *user; /* allocated; NULL until known */
    struct frame *out_head, *out_tail;
    uint8_t out_count;
    uint8_t phase; /* enum phase */
    uint8_t reject_id;
    bool down_told;
    uint8_t events[EVENTS_MAX]; /* enum happening */
    uint8_t event_count;
    enum cause cause; /* the first one stays */
};

/* frame.c: frames on their way out. */
void frame_send(struct ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id, struct view body);
/* One that must not be fragmented on its way. */
void frame_send_whole(struct ppp *ppp, uint16_t protocol, uint8_t code, uint8_t id, struct view body);
bool frame_is_whole(const struct ppp *ppp);
bool frame_take(struct ppp *ppp, struct writer *w);
void frame_drop_all(struct ppp *ppp);

/* event.c */
void event_push(struct ppp *ppp, enum happening what);

/* link.c: the phases (RFC 1661 3.2). */
void link_up(struct ppp *ppp);
/* The peer has sent something by LCP. */
void link_heard(struct ppp *ppp);
void link_timeout(struct ppp *ppp);
void link_lcp_up(struct ppp *ppp);
void link_lcp_down(struct ppp *ppp);
void link_authenticated(struct ppp *ppp);
void link_blame(struct ppp *ppp, enum cause cause);
void link_close(struct ppp *ppp, enum cause cause);
/* Negotiates LCP anew, from our side. */
void link_renegotiate(struct ppp *ppp);
void link_finished(struct ppp *ppp);

/* reject.c */
void reject_protocol(struct ppp *ppp, uint16_t protocol, struct view information);
enum drop reject_received(struct ppp *ppp, const struct control *in);
void reject_code(struct fsm *f, const struct control *in);

/* echo.c */
void echo_start(struct ppp *ppp);
void echo_stop(struct ppp *ppp);
void echo_alive(struct ppp *ppp);
void echo_check(struct ppp *ppp);
void echo_timeout(struct ppp *ppp);
void echo_answer(struct ppp *ppp, const struct control *in);

/* The magic number of an echo of ours. */
uint32_t echo_magic(const struct ppp *ppp);

/* mtu.c */
void mtu_begin(struct ppp *ppp, uint16_t least, uint16_t most);
void mtu_stop(struct ppp *ppp);
void mtu_answer(struct ppp *ppp, const struct control *in);
void mtu_timeout(struct ppp *ppp);

/* lcp.c */
/* Server: the protocol that was agreed on for the login has led nowhere. True when another is tried: LCP is up no more.
 */
bool lcp_spend_auth(struct ppp *ppp);
enum lcp_ask { LCP_ASK_MRU = 1, LCP_ASK_AUTH = 2, LCP_ASK_MAGIC = 4, LCP_ASK_PFC = 8, LCP_ASK_ACFC = 16 };
extern const struct fsm_protocol lcp_protocol, ipcp_protocol, ipv6cp_protocol;

/* ipcp.c */
enum ipcp_ask { IPCP_ASK_ADDRESS = 1, IPCP_ASK_DNS1 = 2, IPCP_ASK_DNS2 = 4 };

/* auth.c: what the methods share. */
struct auth_method {
    uint16_t protocol;
    uint8_t algorithm; /* of CHAP; else 0 */
    const char *name;
};
const struct auth_method *auth_method(enum ppp_auth method);
/* The method at this place of the configuration; PPP_AUTH_NONE behind the last. */
enum ppp_auth auth_method_at(const struct ppp_config *config, size_t i);
/* The best of the configuration that an LCP Authentication-Protocol option stands for; PPP_AUTH_NONE: none. */
enum ppp_auth auth_method_of(const struct ppp_config *config, const struct option *o);
/* The bits of all methods that look the same to LCP. */
uint8_t auth_methods_like(enum ppp_auth method);
static inline bool auth_is_eap(enum ppp_auth method)
{
    return method >= PPP_AUTH_EAP_MSCHAPV2;
}
void auth_begin(struct ppp *ppp);
void auth_stop(struct ppp *ppp);
void auth_done(struct ppp *ppp);
enum drop auth_input(struct ppp *ppp, uint16_t protocol, struct view packet);
void auth_timeout(struct ppp *ppp);
usec_t auth_deadline(const struct ppp *ppp);
/* Server: keeps the proof and asks the caller. */
enum drop auth_ask(struct ppp *ppp, struct view user, struct view value);
void auth_question(struct ppp *ppp, struct ppp_auth_request *out);
void auth_judged(struct ppp *ppp, const struct ppp_auth_answer *answer);
/* Server: the login is over. */
void auth_decide(struct ppp *ppp, bool accepted, enum cause cause);
/* Client: the server said yes or no. */
void auth_accepted(struct ppp *ppp);
void auth_refused(struct ppp *ppp, enum cause cause);
/* Client: room for a proof, zeroed; NULL without memory. */
struct proof *auth_proof(struct ppp *ppp);
void auth_arm_resend(struct ppp *ppp);
/* A human is asked: more time, once. */
void auth_wait_for_human(struct ppp *ppp);
void auth_wait_for_server(struct ppp *ppp);

/* pap.c */
enum drop pap_input(struct ppp *ppp, const struct control *in);
void pap_request(struct ppp *ppp);
void pap_verdict(struct ppp *ppp);

/* chap.c */
enum drop chap_input(struct ppp *ppp, const struct control *in);
void chap_challenge(struct ppp *ppp);
void chap_respond(struct ppp *ppp);
void chap_verdict(struct ppp *ppp);

/* mschapv2.c */
#define MSCHAPV2_VALUE_SIZE 49 /* RFC 2759 4: peer challenge, reserved, NT-Response, flags */

/* Client: fills proof's value and expected. */
enum err mschapv2_prove(struct ppp *ppp, struct proof *proof);
bool mschapv2_success_matches(const struct proof *proof, struct view message);
void mschapv2_success(const struct ppp *ppp, struct writer *w);
void mschapv2_failure(const struct ppp *ppp, struct writer *w);
/* What a server's Failure says: "E=691 R=0 C=... V=3 M=..." (RFC 2759 6). */
enum cause mschapv2_failure_cause(struct view message);

/* ---- EAP (RFC 3748) ---- */

#define EAP_FRAGMENT 1024                /* bytes of TLS in one packet: with all headers it passes any network */
#define EAP_DATA_MAX (EAP_FRAGMENT + 16) /* bytes behind the type in one of our packets */

enum eap_type { EAP_IDENTITY = 1, EAP_NOTIFICATION, EAP_NAK, EAP_MD5, EAP_GTC = 6, EAP_TLS = 13, EAP_MSCHAPV2 = 26 };

enum eap_step {
    EAP_IDENTIFY, /* who are you? */
    EAP_PROPOSE,  /* the method's first Request is out: the peer may Nak it */
    EAP_WITHIN,   /* the method goes on */
    EAP_WORDING,  /* server, GTC: what to ask is being found out; nothing is out */
    EAP_CONFIRM,  /* server, MS-CHAPv2: the verdict is out */
};

/* A login by EAP while it is under way. The last packet is kept: a server repeats it until it is answered, a client
 * when it is asked for again (RFC 3748 4.1). */
struct eap {
    uint8_t step;       /* enum eap_step */
    uint8_t refused;    /* server: bits by enum ppp_auth: methods that the peer has Nak'd */
    uint8_t request_id; /* client: of the Request that is being answered */
    uint8_t mschap_id;
    bool done;        /* client: the method is through; Success may follow */
    bool prompting;   /* client: the answer is being typed */
    bool accepted;    /* server: the verdict while step is EAP_CONFIRM, with its cause */
    bool told;        /* server: that this login needs to know what to ask */
    uint8_t rounds;   /* GTC: how often was asked */
    enum cause cause; /* server, GTC: also why it is asked again */
    struct tls *tls;
    char identity[PPP_NAME_MAX];
    char prompt[PPP_PROMPT_MAX];
    uint8_t sent_id;
    uint16_t sent_len; /* 0: nothing sent yet; type included */
    uint8_t sent[1 + EAP_DATA_MAX];
};

/* One method, on both sides. data is what follows the type. */
struct eap_method {
    uint8_t type;
    void (*ask)(struct ppp *ppp);                             /* server: sends the first Request */
    enum drop (*response)(struct ppp *ppp, struct view data); /* server */
    enum drop (*request)(struct ppp *ppp, struct view data);  /* client */
};
extern const struct eap_method eap_mschapv2, eap_md5, eap_gtc, eap_tls;

/* eap.c: what both sides share, and the client. */
const struct eap_method *eap_method(enum ppp_auth method);
struct eap *eap_new(void); /* NULL without memory */
void eap_free(struct eap *eap);
enum drop eap_input(struct ppp *ppp, const struct control *in);
/* Sends and keeps a packet; code is that of our side. */
void eap_send(struct ppp *ppp, uint8_t id, uint8_t type, struct view data);
void eap_resend(struct ppp *ppp);
/* Client: answers the Request that is being looked at. */
void eap_respond(struct ppp *ppp, uint8_t type, struct view data);
void eap_answer(struct ppp *ppp, struct view text);
/* Server, GTC: what to ask is known. */
void eap_ask(struct ppp *ppp, struct view text);
/* Client: a server that negotiates the network has let us in, though its Success was lost (RFC 3748 4.2). */
bool eap_is_done(const struct ppp *ppp);

/* eap_server.c */
void eap_begin(struct ppp *ppp);
/* Sends a new Request, and repeats it until it is answered. */
void eap_request(struct ppp *ppp, uint8_t type, struct view data);
enum drop eap_take_response(struct ppp *ppp, const struct control *in);
void eap_judged(struct ppp *ppp, const struct ppp_auth_answer *answer);
/* Server: whether GTC asks anew after a wrong answer; if so it is under way. */
bool gtc_asks_again(struct ppp *ppp, enum cause cause);
void eap_verdict(struct ppp *ppp);

/* tls.c: OpenSSL, in memory. */
#define TLS_FLIGHT_MAX (64 * 1024) /* bytes of one message of TLS, in fragments, that a peer may send */

enum tls_state { TLS_UNDER_WAY, TLS_FINISHED, TLS_FAILED };
struct tls *tls_new(struct ppp_tls *shared); /* NULL without memory */
void tls_free(struct tls *tls);
/* False when it is more than anybody needs. */
bool tls_take(struct tls *tls, struct view bytes);
enum tls_state tls_advance(struct tls *tls);
size_t tls_pending(const struct tls *tls);
/* Moves up to cap bytes of what is to be sent to out. */
size_t tls_give(struct tls *tls, uint8_t *out, size_t cap);
/* Whether it failed over the peer's certificate. */
bool tls_blames_peer(const struct tls *tls);
/* Whether the peer's certificate bears this name. */
bool tls_peer_is(const struct tls *tls, const char *name);

/* ---- configuration with its defaults ---- */

static inline usec_t config_restart(const struct ppp *ppp)
{
    return ppp->config->restart ? ppp->config->restart : RESTART_DEFAULT;
}

static inline uint32_t config_max_configure(const struct ppp *ppp)
{
    return ppp->config->max_configure ? ppp->config->max_configure : MAX_CONFIGURE_DEFAULT;
}

static inline uint32_t config_max_terminate(const struct ppp *ppp)
{
    return ppp->config->max_terminate ? ppp->config->max_terminate : MAX_TERMINATE_DEFAULT;
}

#endif
