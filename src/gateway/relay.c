/* What a shard's stack tells goes to where it is dealt with: Diffie-Hellman to the workers, logins to the service
 * thread and its answers back, steps and failures to the event stream. */
#include "gateway/gateway_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTICES_MAX       1024            /* of a shard on their way; more are only counted */
#define STRANGERS_MAX     20              /* notices a second about senders who need no more than a spoofed address */
#define LOOK_AROUND       (60 * USEC_SEC) /* the calendar's clock may be set */
#define LEASE_SHARD_SHIFT 56
#define LEASE_SESSION     (((uint64_t)1 << LEASE_SHARD_SHIFT) - 1)

uint64_t session_id(const struct gateway *gateway, uint8_t shard, uint32_t session)
{
    return (uint64_t)session << gateway->shard_bits | shard;
}

uint64_t lease_key(const struct shard *shard, uint64_t session_key)
{
    return (uint64_t)shard->number << LEASE_SHARD_SHIFT | session_key;
}

/* ---- logins ---- */

struct login {
    struct letter letter;
    struct shard *shard;
    uint32_t session;
    uint64_t session_key;
    struct ip_addr peer;
    enum aaa_method method;
    uint8_t id;
    char user[PPP_NAME_MAX];
    char station[L2TP_STATION_MAX];
    uint8_t password[PPP_PASSWORD_MAX], challenge[64], peer_challenge[MSCHAP_CHALLENGE_SIZE];
    uint8_t response[MSCHAP_NT_RESPONSE];
    size_t password_n, challenge_n, peer_challenge_n, response_n;
    struct aaa_answer answer;
};

static void login_free(void *login)
{
    bytes_wipe(login, sizeof(struct login));
    free(login);
}

struct logout {
    struct letter letter;
    uint64_t lease;
};

static void run_logout(void *receiver, void *letter)
{
    const struct logout *logout = letter;
    aaa_logout(((struct gateway *)receiver)->aaa, logout->lease, clock_now());
    free(letter);
}

static void post_logout(struct shard *shard, uint64_t session_key)
{
    struct logout *logout = malloc(sizeof(*logout));
    if (!logout)
        abort(); /* an address would be lost for ever; the allocation is a few bytes */
    *logout = (struct logout){.letter = {.run = run_logout}, .lease = lease_key(shard, session_key)};
    mailbox_post(&shard->gateway->mailbox, &logout->letter);
}

static struct ppp_network network_of(const struct aaa_answer *answer)
{
    struct ppp_network network = {.local = answer->gateway, .remote = answer->address};
    memcpy(network.dns, answer->dns, sizeof(network.dns));
    memcpy(network.wins, answer->wins, sizeof(network.wins));
    return network;
}

/* Back on the shard. */
static void run_answer(void *receiver, void *letter)
{
    struct shard *shard = receiver;
    struct login *login = letter;
    const usec_t now = clock_now();
    shard->logins--;
    struct ppp_auth_answer answer = {
        .accepted = login->answer.accepted,
        .cause = login->answer.cause,
        .again = login->answer.again,
        .network = network_of(&login->answer),
    };
    memcpy(answer.authenticator_response, login->answer.authenticator_response, sizeof(answer.authenticator_response));
    const enum err e = stack_auth_done(shard->stack, now, login->session, login->session_key, &answer);
    if (e != ERR_OK && login->answer.accepted)
        post_logout(shard, login->session_key);
    pump_flush(shard->pump, now);
    bytes_wipe(&answer, sizeof(answer));
    login_free(login);
}

/* A session that the service thread ends: on whatever shard it is. */
struct ending {
    struct letter letter;
    uint64_t session_key;
    enum cause cause;
};

static void run_ending(void *receiver, void *letter)
{
    struct shard *shard = receiver;
    const struct ending *ending = letter;
    const usec_t now = clock_now();
    if (ending->cause == CAUSE_REPLACED)
        stack_replace(shard->stack, now, ending->session_key);
    else
        (void)stack_kick(shard->stack, now, ending->session_key, ending->cause);
    pump_flush(shard->pump, now);
    free(letter);
}

static void post_ending(struct gateway *gateway, uint64_t lease, enum cause cause)
{
    struct ending *ending = malloc(sizeof(*ending));
    if (!ending)
        abort(); /* somebody would stay who may not; the allocation is a few bytes */
    *ending = (struct ending){.letter = {.run = run_ending}, .session_key = lease & LEASE_SESSION, .cause = cause};
    mailbox_post(&gateway->shards[lease >> LEASE_SHARD_SHIFT].mailbox, &ending->letter);
}

static void show_out(void *ctx, uint64_t session, enum cause cause)
{
    post_ending(ctx, session, cause);
}

usec_t gateway_show_out(struct gateway *gateway)
{
    const int64_t wall = clock_wall();
    const enum err e = aaa_unwelcome(gateway->aaa, wall, show_out, gateway);
    if (e != ERR_OK)
        report_say(&gateway->report, CONFIG_LOG_ERROR, "whether users may stay cannot be told: %s", err_text(e));
    const int64_t next = aaa_next_expiry(gateway->aaa, wall);
    const usec_t wait = next > wall ? (usec_t)(next - wall) * USEC_SEC : LOOK_AROUND;
    gateway->show_out_at = clock_now() + usec_min(wait, LOOK_AROUND);
    return gateway->show_out_at;
}

/* On the service thread. */
static void run_login(void *receiver, void *letter)
{
    struct gateway *gateway = receiver;
    struct login *login = letter;
    const struct aaa_request request = {
        .proof = {.method = login->method,
                  .user = login->user,
                  .id = login->id,
                  .password = view_of(login->password, login->password_n),
                  .challenge = view_of(login->challenge, login->challenge_n),
                  .peer_challenge = view_of(login->peer_challenge, login->peer_challenge_n),
                  .response = view_of(login->response, login->response_n)},
        .peer = login->peer,
        .station = login->station,
        .session = lease_key(login->shard, login->session_key),
        .wall = clock_wall(),
        .now = clock_now(),
    };
    aaa_login(gateway->aaa, &request, &login->answer);
    if (login->answer.accepted && login->answer.replaces != 0)
        post_ending(gateway, login->answer.replaces, CAUSE_REPLACED);
    login->letter.run = run_answer;
    mailbox_post(&login->shard->mailbox, &login->letter);
}

static enum aaa_method method_of(enum ppp_auth method)
{
    switch (method) {
    case PPP_AUTH_MSCHAPV2:
    case PPP_AUTH_EAP_MSCHAPV2:
        return AAA_METHOD_MSCHAPV2;
    case PPP_AUTH_CHAP_MD5:
    case PPP_AUTH_EAP_MD5:
        return AAA_METHOD_CHAP_MD5;
    case PPP_AUTH_PAP:
    case PPP_AUTH_EAP_GTC:
        return AAA_METHOD_PAP;
    case PPP_AUTH_EAP_TLS:
        return AAA_METHOD_CERTIFICATE;
    case PPP_AUTH_NONE:
        break;
    }
    return AAA_METHOD_NONE;
}

static size_t copy(uint8_t *to, size_t cap, struct view from)
{
    const size_t n = from.n < cap ? from.n : cap;
    if (n > 0)
        memcpy(to, from.p, n);
    return n;
}

static void post_login(struct shard *shard, const struct stack_event *event)
{
    struct login *login = shard->logins < LOGINS_MAX ? calloc(1, sizeof(*login)) : NULL;
    if (!login)
        return; /* without an answer the link ends by itself */
    shard->logins++;
    const struct ppp_auth_request *auth = &event->auth;
    login->letter = (struct letter){.run = run_login, .discard = login_free};
    login->shard = shard;
    login->session = event->session;
    login->session_key = event->session_key;
    login->peer = event->path.remote.addr;
    login->method = method_of(auth->method);
    login->id = auth->id;
    memcpy(login->user, auth->user, sizeof(login->user));
    memcpy(login->station, event->station, sizeof(login->station));
    login->password_n = copy(login->password, sizeof(login->password), auth->password);
    login->challenge_n = copy(login->challenge, sizeof(login->challenge), auth->challenge);
    login->peer_challenge_n = copy(login->peer_challenge, sizeof(login->peer_challenge), auth->peer_challenge);
    login->response_n = copy(login->response, sizeof(login->response), auth->response);
    mailbox_post(&shard->gateway->mailbox, &login->letter);
}

/* ---- the event stream ---- */

struct notice {
    struct letter letter;
    struct shard *shard;
    uint64_t untold;
    struct stack_event event;
};

/* Ends that nobody has to look at. */
static bool is_ordinary(enum cause cause)
{
    return cause == CAUSE_PEER_CLOSED || cause == CAUSE_REPLACED || cause == CAUSE_SHUTDOWN || cause == CAUSE_ADMIN;
}

/* What the judge of a login says no with; the stage tells only what was reached before. */
static bool is_refusal(enum cause cause)
{
    static const enum cause refusals[] = {
        CAUSE_AUTH_NO_USER, CAUSE_AUTH_PASSWORD, CAUSE_AUTH_DISABLED, CAUSE_AUTH_EXPIRED,     CAUSE_AUTH_LIMIT,
        CAUSE_AUTH_WAIT,    CAUSE_AUTH_LOCKED,   CAUSE_AUTH_CODE,     CAUSE_AUTH_CERTIFICATE, CAUSE_GRID_NONE,
        CAUSE_GRID_EXPIRED, CAUSE_GRID_WRONG,    CAUSE_GRID_SHAPE,    CAUSE_GRID_NOT_ENROLLED};
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if (cause == refusals[i])
            return true;
    return false;
}

static const char *type_of(const struct stack_event *event)
{
    switch (event->type) {
    case STACK_EVENT_UP:
        return "session-up";
    case STACK_EVENT_DOWN:
        return "session-down";
    case STACK_EVENT_FAILED:
        return is_ordinary(event->cause) ? "ended" : is_refusal(event->cause) ? "login-refused" : "failed";
    case STACK_EVENT_STEP:
    case STACK_EVENT_DH:
    case STACK_EVENT_PROOF:
    case STACK_EVENT_ASK:
    case STACK_EVENT_AUTH:
    case STACK_EVENT_PROMPT:
    case STACK_EVENT_ROUTES:
    case STACK_EVENT_MTU:
    case STACK_EVENT_MOVED:
        break;
    }
    return "stage";
}

static enum config_log_level level_of(const struct stack_event *event)
{
    switch (event->type) {
    case STACK_EVENT_UP:
    case STACK_EVENT_DOWN:
        return CONFIG_LOG_INFO;
    case STACK_EVENT_FAILED:
        return is_ordinary(event->cause) ? CONFIG_LOG_INFO : CONFIG_LOG_WARNING;
    case STACK_EVENT_STEP:
    case STACK_EVENT_DH:
    case STACK_EVENT_PROOF:
    case STACK_EVENT_ASK:
    case STACK_EVENT_AUTH:
    case STACK_EVENT_PROMPT:
    case STACK_EVENT_ROUTES:
    case STACK_EVENT_MTU:
    case STACK_EVENT_MOVED:
        break;
    }
    return CONFIG_LOG_DEBUG;
}

static void sentence_of(const struct stack_event *event, char *out, size_t cap)
{
    char address[IP_TEXT_MAX];
    if (event->type == STACK_EVENT_UP)
        snprintf(out, cap, "has %s", ip_text(&event->network.remote, address));
    else if (event->cause != CAUSE_NONE)
        snprintf(out, cap, event->detail[0] ? "%s (%s)" : "%s", cause_sentence(event->cause), event->detail);
    else
        snprintf(out, cap, "%s%s%s%s", stage_sentence(event->stage), event->detail[0] ? " (" : "", event->detail,
                 event->detail[0] ? ")" : "");
}

/* Before message 3 of main mode anybody may have sent it, from any address. */
static bool is_strangers(const struct stack_event *event)
{
    return event->stage != STAGE_NONE && event->stage < STAGE_IKE_MM3;
}

/* Steps are the stories'. The end of a session is told once: as its own where it had an address, else as that of the
 * attempt. */
static bool is_kept(const struct stack_event *event)
{
    return event->type == STACK_EVENT_UP || (event->type == STACK_EVENT_DOWN && event->network.remote.family != 0) ||
           (event->type == STACK_EVENT_FAILED && event->stage < STAGE_PPP_IPCP);
}

static void run_notice(void *receiver, void *letter)
{
    struct gateway *gateway = receiver;
    const struct notice *notice = letter;
    const struct stack_event *event = &notice->event;
    char peer[ENDPOINT_TEXT_MAX], user[CTL_USER_MAX], text[CTL_DETAIL_MAX];
    const uint64_t session = event->session ? session_id(gateway, notice->shard->number, event->session) : 0;
    atomic_fetch_sub(&notice->shard->notices, 1);
    if (notice->untold > 0)
        report_say(&gateway->report, CONFIG_LOG_WARNING, "%llu events were too many to be told one by one",
                   (unsigned long long)notice->untold);
    endpoint_text(&event->path.remote, peer);
    view_copy_text(user, sizeof(user), view_str(event->user));
    sentence_of(event, text, sizeof(text));
    const char *cause = event->cause ? cause_word(event->cause) : "";
    const char *stage = event->stage ? stage_word(event->stage) : "";
    report_write(&gateway->report, &(struct report_line){.level = level_of(event),
                                                         .type = type_of(event),
                                                         .session = session,
                                                         .user = user,
                                                         .peer = peer,
                                                         .stage = stage,
                                                         .cause = cause,
                                                         .text = text});
    struct ctl_event told = {.time = (uint64_t)clock_wall() * 1000, .session = session};
    view_copy_text(told.type, sizeof(told.type), view_str(type_of(event)));
    view_copy_text(told.user, sizeof(told.user), view_str(user));
    view_copy_text(told.peer, sizeof(told.peer), view_str(peer));
    view_copy_text(told.stage, sizeof(told.stage), view_str(stage));
    view_copy_text(told.cause, sizeof(told.cause), view_str(cause));
    view_copy_text(told.detail, sizeof(told.detail), view_str(text));
    if (event->type == STACK_EVENT_UP)
        ip_text(&event->network.remote, told.address);
    if (is_kept(event))
        told.id = recent_add(&gateway->recent, &told, is_strangers(event));
    if (gateway->control && atomic_load(&gateway->listeners) > 0) {
        char *line = ctl_event_line(ctl_event_json(&told));
        control_tell(gateway->control, line);
        ctl_line_free(line);
    }
    free(letter);
}

/* Notices about strangers must not fill the log. */
static bool is_strangers_share_spent(struct shard *shard, usec_t now, const struct stack_event *event)
{
    if (!is_strangers(event))
        return false;
    if (now - shard->strangers_at >= USEC_SEC) {
        shard->strangers_at = now;
        shard->strangers = STRANGERS_MAX;
    }
    if (shard->strangers == 0)
        return true;
    shard->strangers--;
    return false;
}

/* Sessions that come and go are as many as logins; of the rest only so much is told as the service thread can write. */
static void post_notice(struct shard *shard, usec_t now, const struct stack_event *event)
{
    const bool droppable = event->type == STACK_EVENT_STEP || event->type == STACK_EVENT_FAILED;
    const bool crowded =
        droppable && (is_strangers_share_spent(shard, now, event) || atomic_load(&shard->notices) >= NOTICES_MAX);
    struct notice *notice = crowded ? NULL : malloc(sizeof(*notice));
    if (!notice) {
        shard->untold++;
        return;
    }
    *notice = (struct notice){.letter = {.run = run_notice}, .shard = shard, .untold = shard->untold, .event = *event};
    shard->untold = 0;
    atomic_fetch_add(&shard->notices, 1);
    mailbox_post(&shard->gateway->mailbox, &notice->letter);
}

/* ---- the switch ---- */

/* There are twenty steps to a login, and a fifth of its time would go into telling nobody. */
static bool steps_are_heard(struct gateway *gateway)
{
    return atomic_load(&gateway->steps_logged) || atomic_load(&gateway->listeners) > 0;
}

static void relay(struct shard *shard, usec_t now, const struct stack_event *event)
{
    struct gateway *gateway = shard->gateway;
    switch (event->type) {
    case STACK_EVENT_DH:
        workers_submit(gateway->workers, shard, event->dh);
        break;
    case STACK_EVENT_PROOF:
        workers_prove(gateway->provers, shard, event->proof);
        break;
    case STACK_EVENT_ASK:
        post_question(shard, event);
        break;
    case STACK_EVENT_AUTH:
        post_login(shard, event);
        break;
    case STACK_EVENT_UP:
        addresses_set(gateway->addresses, ip4_value(&event->network.remote), shard->number);
        post_notice(shard, now, event);
        break;
    case STACK_EVENT_DOWN:
        addresses_clear(gateway->addresses, ip4_value(&event->network.remote), shard->number);
        post_logout(shard, event->session_key);
        post_notice(shard, now, event);
        break;
    case STACK_EVENT_MOVED:
        whereabouts_set(gateway->whereabouts, &event->path.remote, shard->number);
        break;
    case STACK_EVENT_STEP:
        if (event->stage == STAGE_IKE_MM6) /* the peer has proved who it is */
            whereabouts_set(gateway->whereabouts, &event->path.remote, shard->number);
        if (steps_are_heard(gateway))
            post_notice(shard, now, event);
        break;
    case STACK_EVENT_FAILED:
        atomic_fetch_add(&gateway->ends[event->cause], 1);
        post_notice(shard, now, event);
        break;
    case STACK_EVENT_PROMPT: /* a client's */
    case STACK_EVENT_ROUTES:
    case STACK_EVENT_MTU:
        break;
    }
}

void relay_events(void *ctx, usec_t now)
{
    struct shard *shard = ctx;
    struct stack_event event;
    while (stack_event(shard->stack, &event))
        relay(shard, now, &event);
    bytes_wipe(&event, sizeof(event));
}
