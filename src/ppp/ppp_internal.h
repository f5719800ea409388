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

/* A packet of LCP, an NCP, PAP or CHAP: they share one header. Views are borrowed from the frame. */
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
    uint32_t digest;   /* of the peer's last request that was acknowledged */
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
    usec_t resend_at; /* of the Challenge, Response or Authenticate-Request */
    usec_t deadline;  /* of the whole login */
    usec_t close_at;  /* refused: the end, after the peer has had time to read why */
    uint32_t tries;   /* resends left */
    uint8_t method;   /* enum ppp_auth */
    uint8_t state;    /* enum auth_state */
    uint8_t id;       /* of the challenge or request */
    bool asked;       /* server: the caller owes an answer */
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

enum phase { PHASE_DEAD, PHASE_ESTABLISH, PHASE_AUTHENTICATE, PHASE_NETWORK, PHASE_FINISHED };

#define EVENTS_MAX 8

enum happening {
    HAPPENED_LCP,
    HAPPENED_QUESTION,
    HAPPENED_AUTH,
    HAPPENED_IPCP,
    HAPPENED_NETWORK,
    HAPPENED_NETWORK6,
};

struct frame;

struct ppp {
    const struct ppp_config *config;
    struct ppp_env env;
    usec_t now; /* of the call that is being served */
    struct fsm lcp_fsm, ipcp_fsm, ipv6cp_fsm;
    struct lcp lcp;
    struct ipcp ipcp;
    struct ipv6cp ipv6cp;
    struct auth auth;
    struct echo echo;
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
bool frame_take(struct ppp *ppp, struct writer *w);
void frame_drop_all(struct ppp *ppp);

/* event.c */
void event_push(struct ppp *ppp, enum happening what);

/* link.c: the phases (RFC 1661 3.2). */
void link_lcp_up(struct ppp *ppp);
void link_lcp_down(struct ppp *ppp);
void link_authenticated(struct ppp *ppp);
void link_blame(struct ppp *ppp, enum cause cause);
void link_close(struct ppp *ppp, enum cause cause);
void link_finished(struct ppp *ppp);

/* reject.c */
void reject_protocol(struct ppp *ppp, uint16_t protocol, struct view information);
enum drop reject_received(struct ppp *ppp, const struct control *in);
void reject_code(struct fsm *f, const struct control *in);
/* Cuts a packet that is quoted back to the peer's MRU. */
struct view reject_quote(const struct ppp *ppp, struct view packet, size_t header);

/* echo.c */
void echo_start(struct ppp *ppp);
void echo_stop(struct ppp *ppp);
void echo_alive(struct ppp *ppp);
void echo_check(struct ppp *ppp);
void echo_timeout(struct ppp *ppp);
void echo_answer(struct ppp *ppp, const struct control *in);

/* lcp.c */
enum lcp_ask { LCP_ASK_MRU = 1, LCP_ASK_AUTH = 2, LCP_ASK_MAGIC = 4, LCP_ASK_PFC = 8, LCP_ASK_ACFC = 16 };
extern const struct fsm_protocol lcp_protocol, ipcp_protocol, ipv6cp_protocol;

/* ipcp.c */
enum ipcp_ask { IPCP_ASK_ADDRESS = 1, IPCP_ASK_DNS1 = 2, IPCP_ASK_DNS2 = 4 };

/* auth.c: what the methods share. */
struct auth_method {
    uint16_t protocol;
    uint8_t algorithm; /* of CHAP; 0 for PAP */
    const char *name;
};
const struct auth_method *auth_method(enum ppp_auth method);
bool auth_method_allowed(const struct ppp_config *config, enum ppp_auth method);
/* The method of an LCP Authentication-Protocol option; PPP_AUTH_NONE when it is none of ours. */
enum ppp_auth auth_method_of(const struct option *o);
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
/* Client: the server said yes or no. */
void auth_accepted(struct ppp *ppp);
void auth_refused(struct ppp *ppp, enum cause cause);
/* Client: room for a proof, zeroed; NULL without memory. */
struct proof *auth_proof(struct ppp *ppp);
void auth_arm_resend(struct ppp *ppp);

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
