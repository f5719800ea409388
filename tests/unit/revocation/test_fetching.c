/* Real HTTP on the loopback: what is asked, how often, and what a silent responder leads to. */
#include "tests/unit/pki/responder.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "revocation/revocation.h"

/* ---- a web server ---- */

struct server {
    int listener;
    uint16_t port;
    pthread_t thread;
    struct pki_ca *ca; /* borrowed */
    struct pki_bytes crl;
    struct rig_answer ocsp;
    bool silent, rubbish;
    bool moved; /* all but the list, to where the list is */
    unsigned gets, posts;
};

static size_t read_request(int fd, char *out, size_t cap, size_t *body)
{
    size_t n = 0, length = 0;
    char *end = NULL;
    for (ssize_t got; n < cap - 1 && (got = read(fd, out + n, cap - 1 - n)) > 0;) {
        n += (size_t)got;
        out[n] = '\0';
        end = end != NULL ? end : strstr(out, "\r\n\r\n");
        if (end == NULL)
            continue;
        const char *said = strcasestr(out, "Content-Length:");
        length = said != NULL ? strtoul(said + 15, NULL, 10) : 0;
        *body = (size_t)(end + 4 - out);
        if (n >= *body + length)
            break;
    }
    return n;
}

static void reply(int fd, const char *type, struct view what)
{
    char head[256];
    int n =
        snprintf(head, sizeof head, "HTTP/1.0 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", type, what.n);
    (void)!write(fd, head, (size_t)n);
    (void)!write(fd, what.p, what.n);
}

static void redirect(const struct server *s, int fd)
{
    char head[256];
    int n =
        snprintf(head, sizeof head, "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:%u/elsewhere\r\n\r\n", s->port);
    (void)!write(fd, head, (size_t)n);
}

static void *serve(void *ctx)
{
    struct server *s = ctx;
    char request[8192];
    for (int fd; (fd = accept(s->listener, NULL, NULL)) >= 0; close(fd)) {
        size_t body = 0, n = read_request(fd, request, sizeof request, &body);
        bool post = strncmp(request, "POST", 4) == 0;
        s->posts += post;
        s->gets += !post;
        if (s->silent) {
            while (read(fd, request, sizeof request) > 0)
                continue;
        } else if (s->moved && strncmp(request, "GET /elsewhere", 14) != 0) {
            redirect(s, fd);
        } else if (s->rubbish) {
            reply(fd, "text/html", view_str("<html>Please log in to the hotel's network.</html>"));
        } else if (post) {
            struct view answer = rig_respond(view_of(request + body, n - body), &s->ocsp);
            reply(fd, "application/ocsp-response", answer);
            free((void *)(uintptr_t)answer.p);
        } else {
            reply(fd, "application/pkix-crl", bytes_view(&s->crl));
        }
    }
    return NULL;
}

static void server_start(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &n), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    pki_bytes_free(&s->crl);
}

/* ---- alice ---- */

struct world {
    struct pki_ca *ca;
    struct pki_trust *trust;
    struct server server;
    struct pki_issued issued;
    struct rig_peer peer;
    struct pki_chain *chain;
    struct revocation *revocation;
    char detail[PKI_WHY_MAX];
};

static void world_init(struct world *w, enum revocation_mode mode, bool refuse_silent, bool crl_url, bool ocsp_url)
{
    char crl[64], ocsp[64];
    struct pki_plan plan = rig_plan("alice", NULL);
    struct pki_verdict v;
    *w = (struct world){.ca = rig_ca("Example Root", NULL)};
    w->trust = rig_trust(w->ca);
    w->server.ocsp = (struct rig_answer){V_OCSP_CERTSTATUS_GOOD, NOW - 60, NOW + DAY, w->ca, NULL, false};
    assert_int_equal(pki_crl_write(w->ca, NULL, 0, 1, NOW - DAY, NOW + DAY, &w->server.crl), ERR_OK);
    server_start(&w->server);
    snprintf(crl, sizeof crl, "http://127.0.0.1:%u/ca.crl", w->server.port);
    snprintf(ocsp, sizeof ocsp, "http://127.0.0.1:%u/ocsp", w->server.port);
    plan.crl_url = crl_url ? crl : NULL;
    plan.ocsp_url = ocsp_url ? ocsp : NULL;
    w->issued = rig_issue(w->ca, &plan);
    rig_peer(&w->peer, &w->issued, NULL);
    pki_verify(w->trust, &w->peer.shown, NOW, &v);
    assert_int_equal(v.cause, CAUSE_NONE);
    w->chain = v.chain;
    const struct revocation_config config = {mode, refuse_silent, 4};
    w->revocation = revocation_new(&config);
    assert_non_null(w->revocation);
}

static void world_done(struct world *w)
{
    revocation_free(w->revocation);
    server_stop(&w->server);
    pki_chain_free(w->chain);
    rig_peer_done(&w->peer);
    pki_issued_done(&w->issued);
    pki_trust_free(w->trust);
    pki_ca_free(w->ca);
}

static void revoke_alice(struct world *w)
{
    struct pki_revoked r = {.at = NOW - DAY};
    snprintf(r.serial, sizeof r.serial, "%s", w->issued.serial);
    pki_bytes_free(&w->server.crl);
    assert_int_equal(pki_crl_write(w->ca, &r, 1, 2, NOW - DAY, NOW + DAY, &w->server.crl), ERR_OK);
    w->server.ocsp.status = V_OCSP_CERTSTATUS_REVOKED;
}

static enum cause check(struct world *w, int64_t wall)
{
    w->detail[0] = '\0';
    return revocation_check(w->revocation, w->chain, wall, w->detail);
}

/* ---- the stories ---- */

static void a_crl_is_fetched_once_an_hour(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, REVOCATION_CRL, true, true, true);
    assert_int_equal(check(&w, NOW), CAUSE_NONE);
    assert_int_equal(check(&w, NOW + 10), CAUSE_NONE);
    assert_int_equal(w.server.gets, 1);
    revoke_alice(&w);
    assert_int_equal(check(&w, NOW + 3500), CAUSE_NONE);
    assert_int_equal(check(&w, NOW + 3700), CAUSE_CERT_REVOKED);
    assert_non_null(strstr(w.detail, "CN=alice was revoked on 2027-01-14"));
    assert_int_equal(w.server.gets, 2);
    assert_int_equal(w.server.posts, 0);
    world_done(&w);
}

static void an_answer_of_ocsp_is_kept_too(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, REVOCATION_OCSP, true, true, true);
    assert_int_equal(check(&w, NOW), CAUSE_NONE);
    assert_int_equal(check(&w, NOW + 10), CAUSE_NONE);
    assert_int_equal(w.server.posts, 1);
    revoke_alice(&w);
    assert_int_equal(check(&w, NOW + 3700), CAUSE_CERT_REVOKED);
    assert_string_equal(w.detail, "CN=alice was revoked on 2027-01-12 08:00 UTC (keyCompromise).");
    assert_int_equal(w.server.posts, 2);
    assert_int_equal(w.server.gets, 0);
    world_done(&w);
}

static void the_crl_is_asked_where_ocsp_gives_nothing(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, REVOCATION_ANY, true, true, true);
    revoke_alice(&w);
    w.server.ocsp.status = V_OCSP_CERTSTATUS_UNKNOWN;
    assert_int_equal(check(&w, NOW), CAUSE_CERT_REVOKED);
    assert_int_equal(w.server.posts, 1);
    assert_int_equal(w.server.gets, 1);
    world_done(&w);
}

static void silence_is_let_pass_or_refused_as_it_was_said(void **state)
{
    (void)state;
    for (int refuse = 0; refuse <= 1; refuse++) {
        struct world w;
        world_init(&w, REVOCATION_ANY, refuse == 1, true, true);
        w.server.silent = true;
        time_t before = time(NULL);
        assert_int_equal(check(&w, NOW), refuse ? CAUSE_CERT_REVOCATION : CAUSE_NONE);
        assert_true(time(NULL) - before <= 10);
        if (refuse)
            assert_non_null(strstr(w.detail, "CN=alice: No CRL comes from http://127.0.0.1:"));
        assert_int_equal(check(&w, NOW + 30),
                         refuse ? CAUSE_CERT_REVOCATION : CAUSE_NONE); /* left alone for a minute */
        assert_int_equal(w.server.posts + w.server.gets, 2);
        w.server.silent = false;
        assert_int_equal(check(&w, NOW + 61), CAUSE_NONE);
        assert_int_equal(w.server.posts, 2);
        world_done(&w);
    }
}

static void a_page_of_a_hotel_is_no_answer(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, REVOCATION_ANY, true, true, true);
    w.server.rubbish = true;
    assert_int_equal(check(&w, NOW), CAUSE_CERT_REVOCATION);
    world_done(&w);
}

/* An authority says whom to ask; whoever sits there does not send us on to hosts of the gateway's own network. */
static void a_redirection_is_not_followed(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, REVOCATION_CRL, true, true, false);
    w.server.moved = true;
    assert_int_equal(check(&w, NOW), CAUSE_CERT_REVOCATION);
    assert_int_equal(w.server.gets, 1);
    world_done(&w);
}

static void who_names_nobody_is_judged_by_the_policy(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, REVOCATION_ANY, true, false, false);
    assert_int_equal(check(&w, NOW), CAUSE_CERT_REVOCATION);
    assert_string_equal(w.detail, "CN=alice: It does not say whom to ask.");
    world_done(&w);
    world_init(&w, REVOCATION_OFF, true, true, true);
    revoke_alice(&w);
    assert_int_equal(check(&w, NOW), CAUSE_NONE);
    assert_int_equal(w.server.posts + w.server.gets, 0);
    world_done(&w);
}

/* ---- many threads ---- */

static void *many(void *ctx)
{
    struct world *w = ctx;
    char detail[PKI_WHY_MAX];
    for (int64_t i = 0; i < 50; i++)
        if (revocation_check(w->revocation, w->chain, NOW + i * 61, detail) != CAUSE_NONE)
            return w;
    return NULL;
}

static void threads_share_what_is_kept(void **state)
{
    (void)state;
    struct world w;
    pthread_t threads[4];
    world_init(&w, REVOCATION_ANY, true, true, true);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many, &w), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crl_is_fetched_once_an_hour),
        cmocka_unit_test(an_answer_of_ocsp_is_kept_too),
        cmocka_unit_test(the_crl_is_asked_where_ocsp_gives_nothing),
        cmocka_unit_test(silence_is_let_pass_or_refused_as_it_was_said),
        cmocka_unit_test(a_page_of_a_hotel_is_no_answer),
        cmocka_unit_test(a_redirection_is_not_followed),
        cmocka_unit_test(who_names_nobody_is_judged_by_the_policy),
        cmocka_unit_test(threads_share_what_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
