/* Between libmicrohttpd and exchanges: connections and their time limits, heads and bodies in, responses out. The
 * daemon has no thread of its own: it runs in the loop's turn, and its epoll descriptor wakes the loop. */
#include "portal/portal_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RESPONSE_TIME (60 * USEC_SEC) /* for making and taking a response, and until the next request */
#define TURNS_MAX     8               /* of the daemon in one turn of the loop */
/* While a peer leaves a TLS handshake half done the daemon wants to run again and again; it gets to when something has
 * come, and this often. */
#define BREATH (2 * USEC_MSEC)

struct connection {
    struct connection *next, **link;
    int fd;
    usec_t deadline;           /* when it is shut, whatever trickles in */
    struct exchange *exchange; /* under way; NULL: none. The daemon forgets one whose head was not good */
};

static struct connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static void give_time(struct portal *p, struct MHD_Connection *connection, usec_t time)
{
    struct connection *c = connection_of(connection);
    if (c != NULL)
        c->deadline = time == USEC_NEVER ? USEC_NEVER : loop_now(p->loop) + time;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct portal *p = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct connection *c = calloc(1, sizeof *c);
        if (c == NULL || info == NULL) {
            free(c);
            return;
        }
        *c = (struct connection){p->connections, &p->connections, info->connect_fd,
                                 loop_now(p->loop) + PORTAL_REQUEST_TIME, NULL};
        if (c->next != NULL)
            c->next->link = &c->next;
        p->connections = c;
        *context = c;
        return;
    }
    struct connection *c = *context;
    if (c == NULL)
        return;
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    exchange_free(c->exchange);
    free(c);
    *context = NULL;
}

/* A slow-loris is told nothing: its connection is shut. */
static usec_t shut_late(struct portal *p, usec_t now)
{
    usec_t next = USEC_NEVER;
    for (struct connection *c = p->connections; c != NULL; c = c->next) {
        if (c->deadline <= now) {
            shutdown(c->fd, SHUT_RDWR);
            c->deadline = USEC_NEVER;
            p->again = true;
        }
        next = usec_min(next, c->deadline);
    }
    return next;
}

/* ---- requests in ---- */

static struct ip_addr source_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct ip_addr out = {0};
    if (info == NULL)
        return out;
    if (info->client_addr->sa_family == AF_INET) {
        out.family = 4;
        memcpy(out.b, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr, 4);
    } else if (info->client_addr->sa_family == AF_INET6) {
        const struct in6_addr *a = &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr;
        const bool mapped = IN6_IS_ADDR_V4MAPPED(a);
        out.family = mapped ? 4 : 6;
        memcpy(out.b, a->s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    }
    return out;
}

/* The request line is there. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct portal *p = cls;
    struct connection *c = connection_of(connection);
    struct exchange *x = c != NULL ? calloc(1, sizeof *x) : NULL;
    give_time(p, connection, PORTAL_REQUEST_TIME);
    if (x == NULL)
        return NULL;
    exchange_free(c->exchange);
    c->exchange = x;
    x->portal = p;
    x->connection = connection;
    x->source = source_of(connection);
    x->question.fd = -1;
    if (strlen(target) <= PORTAL_URI_MAX)
        memcpy(x->target, target, strlen(target) + 1);
    return x;
}

/* Targets are decoded by target_split() and form_parse() alone. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)code;
    struct connection *c = connection_of(connection);
    give_time(cls, connection, RESPONSE_TIME);
    if (c != NULL)
        c->exchange = NULL;
    exchange_free(*context);
    *context = NULL;
}

static void take_body(struct exchange *x, const char *bytes, size_t n)
{
    if (x->ready || n > x->body_max - x->body_n) {
        exchange_problem(x, MHD_HTTP_CONTENT_TOO_LARGE, SAY_PROBLEM_TOO_LARGE);
        return;
    }
    memcpy(x->body + x->body_n, bytes, n);
    x->body_n += n;
}

/* ---- responses out ---- */

struct content {
    size_t n;
    char bytes[];
};

static ssize_t read_content(void *cls, uint64_t at, char *out, size_t max)
{
    const struct content *content = cls;
    const size_t left = at < content->n ? content->n - at : 0, n = left < max ? left : max;
    if (n == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    memcpy(out, content->bytes + at, n);
    return (ssize_t)n;
}

static void free_content(void *cls)
{
    struct content *content = cls;
    bytes_wipe(content->bytes, content->n);
    free(content);
}

/* Pages may hold secrets: what is sent is wiped behind. */
static struct MHD_Response *page_response(struct exchange *x)
{
    struct content *content = malloc(sizeof *content + x->page.n);
    if (content == NULL)
        return NULL;
    content->n = x->page.n;
    if (x->page.n > 0)
        memcpy(content->bytes, x->page.p, x->page.n);
    struct MHD_Response *r = MHD_create_response_from_callback(x->page.n, 16384, read_content, content, free_content);
    if (r == NULL)
        free_content(content);
    return r;
}

static void add_headers(struct exchange *x, struct MHD_Response *r)
{
    static const char *const always[][2] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
         "'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
        {"Strict-Transport-Security", "max-age=31536000"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Frame-Options", "DENY"},
        {"Referrer-Policy", "same-origin"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
    };
    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        MHD_add_response_header(r, always[i][0], always[i][1]);
    MHD_add_response_header(r, "Content-Type", x->media != NULL ? x->media : "text/html; charset=utf-8");
    MHD_add_response_header(r, "Cache-Control", x->cached ? "public, max-age=300" : "no-store");
    MHD_add_response_header(r, "Vary", "Accept-Language, Cookie");
    const struct {
        const char *name, *value;
    } sometimes[] = {
        {"Location", x->location},
        {"Set-Cookie", x->set_cookie},
        {"Set-Cookie", x->set_language},
        {"Set-Cookie", x->set_device},
        {"Content-Disposition", x->disposition},
        {"Allow", x->status != MHD_HTTP_METHOD_NOT_ALLOWED ? ""
                  : x->allow[0] != '\0'                    ? x->allow
                                                           : "GET, HEAD, POST"},
        {"WWW-Authenticate", x->challenge},
    };
    for (size_t i = 0; i < ARRAY_LEN(sometimes); i++)
        if (sometimes[i].value[0] != '\0')
            MHD_add_response_header(r, sometimes[i].name, sometimes[i].value);
    char retry[16];
    snprintf(retry, sizeof retry, "%u", x->retry);
    if (x->retry > 0)
        MHD_add_response_header(r, "Retry-After", retry);
}

static enum MHD_Result send_response(struct exchange *x)
{
    const bool lasts = x->stream != NULL;
    struct MHD_Response *r = lasts ? stream_response(x->stream) : page_response(x);
    if (r == NULL)
        return MHD_NO;
    x->stream = NULL; /* the response has it */
    add_headers(x, r);
    give_time(x->portal, x->connection, lasts ? USEC_NEVER : RESPONSE_TIME);
    const enum MHD_Result result = MHD_queue_response(x->connection, x->status, r);
    MHD_destroy_response(r);
    return result;
}

/* Called when the head is there, for each piece of the body, when all is there, and again when a connection that was
 * set aside goes on. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *n, void **context)
{
    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    struct exchange *x = *context;
    if (x == NULL)
        return MHD_NO;
    if (!x->begun) {
        x->begun = true;
        exchange_begin(x, method);
        return x->ready ? send_response(x) : MHD_YES;
    }
    if (*n > 0) {
        take_body(x, bytes, *n);
        *n = 0;
        return MHD_YES;
    }
    if (!x->ready && !x->asking)
        exchange_body(x);
    return x->ready ? send_response(x) : MHD_YES;
}

void http_wait(struct portal *p, struct MHD_Connection *connection)
{
    p->suspended++;
    MHD_suspend_connection(connection);
}

void http_go_on(struct portal *p, struct MHD_Connection *connection)
{
    p->suspended--;
    p->again = true;
    MHD_resume_connection(connection);
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    const char *value = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
    return value != NULL ? value : "";
}

/* ---- the daemon ---- */

/* What the daemon has to say is about single connections: nobody's business. */
static void be_quiet(void *cls, const char *format, va_list args)
{
    (void)cls;
    (void)format;
    (void)args;
}

static void daemon_ready(void *ctx, uint32_t what)
{
    (void)what;
    ((struct portal *)ctx)->woken = true; /* the loop's turn runs the daemon */
}

static void write_address(const struct config *c, struct sockaddr_storage *out, unsigned *flags)
{
    *out = (struct sockaddr_storage){0};
    struct sockaddr_in *v4 = (void *)out;
    struct sockaddr_in6 *v6 = (void *)out;
    if (c->portal.listen.family == 4) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)c->portal.port);
        memcpy(&v4->sin_addr, c->portal.listen.b, 4);
        return;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)c->portal.port);
    memcpy(&v6->sin6_addr, c->portal.listen.b, 16);
    *flags |= c->portal.listen.family == 6 ? MHD_USE_IPv6 : MHD_USE_DUAL_STACK;
}

enum err http_start(struct portal *p, const struct config *c, const struct papers *papers, char *why, size_t cap)
{
    struct sockaddr_storage address;
    unsigned flags = MHD_USE_TLS | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    write_address(c, &address, &flags);
    errno = 0;
    p->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, p, MHD_OPTION_EXTERNAL_LOGGER, be_quiet, NULL, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&address, MHD_OPTION_HTTPS_MEM_CERT, papers->certificate.text, MHD_OPTION_HTTPS_MEM_KEY,
        papers->key.text, MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE",
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)PORTAL_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)PORTAL_PER_SOURCE_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)PORTAL_MEMORY_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PORTAL_IDLE_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_URI_LOG_CALLBACK, on_target, p, MHD_OPTION_UNESCAPE_CALLBACK,
        leave_escaped, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, p, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        p, MHD_OPTION_END);
    if (p->daemon == NULL) {
        snprintf(why, cap, "cannot serve on TCP port %u: %s", c->portal.port,
                 errno != 0 ? strerror(errno) : "certificate and key cannot be used");
        return ERR_SYSTEM;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(p->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info != NULL && loop_add(p->loop, info->epoll_fd, LOOP_READ, daemon_ready, p) == ERR_OK)
        return ERR_OK;
    snprintf(why, cap, "out of memory");
    return ERR_SYSTEM;
}

void http_stop(struct portal *p)
{
    if (p->daemon == NULL)
        return;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(p->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info != NULL)
        loop_remove(p->loop, info->epoll_fd);
    MHD_stop_daemon(p->daemon);
    p->daemon = NULL;
}

usec_t http_turn(struct portal *p, usec_t now)
{
    MHD_UNSIGNED_LONG_LONG wait;
    usec_t next = shut_late(p, now);
    int turns = 0;
    do {
        p->again = false;
        MHD_run(p->daemon);
    } while (p->again && ++turns < TURNS_MAX);
    if (MHD_get_timeout(p->daemon, &wait) == MHD_YES)
        next = usec_min(next, now + (wait == 0 && !p->woken ? BREATH : wait * USEC_MSEC));
    p->woken = false;
    return next;
}
