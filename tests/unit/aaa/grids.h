/* People who log in by grids: alice and bob with the password "secret", on a service of their own where grids are on.
 * What they do is here; the tests tell what comes of it. */
#ifndef TESTS_UNIT_AAA_GRIDS_H
#define TESTS_UNIT_AAA_GRIDS_H

#include "tests/unit/aaa/service.h"

#define WALL   1700000010 /* ten seconds into a step of 30 */
#define START  (1000 * USEC_SEC)
#define GOOD   "0,22,45,11,17,35,28,6"
#define BETTER "1,40,19,14,33,21,7,30"

static struct aaa *a;
static usec_t now;
static int64_t wall;

static const struct ip_addr home = {4, {192, 0, 2, 1}}, office = {4, {198, 51, 100, 7}};

static inline void settings_changed(void)
{
    assert_int_equal(aaa_reconfigure(a, &service.config), ERR_OK);
}

static inline void setup(enum config_totp totp)
{
    const struct aaa_user alice = {.name = "alice", .enabled = true}, bob = {.name = "bob", .enabled = true};
    now = START;
    wall = WALL;
    a = service_fresh();
    service_grids(a);
    service.config.grid.totp = totp;
    settings_changed();
    assert_int_equal(aaa_user_add(a, &alice, view_str("secret"), WALL, &service.why), ERR_OK);
    assert_int_equal(aaa_user_add(a, &bob, view_str("secret"), WALL, &service.why), ERR_OK);
}

static inline void pass(uint32_t seconds)
{
    now += seconds * USEC_SEC;
    wall += seconds;
}

/* ---- what the user does ---- */

static inline struct aaa_grid fetch(const char *name, const struct ip_addr *from)
{
    struct aaa_grid grid = {0};
    const struct aaa_visit visit = {.user = name, .source = *from, .wall = wall, .now = now};
    if (aaa_grid_show(a, &visit, &grid, &service.why) != ERR_OK)
        fail_msg("%s", service.why.sentence);
    return grid;
}

/* What stands on the pattern's cells. */
static inline const char *read_from(const struct aaa_grid *grid, const char *cells)
{
    static char answer[GRID_ANSWER_MAX];
    struct grid_secret secret = {0};
    struct grid_pattern p;
    assert_int_equal(grid_pattern_parse(cells, &grid->shape, &p), ERR_OK);
    grid_secret_renew(&secret, &grid->shape, &p);
    grid_answer(&secret, grid->cells, answer);
    return answer;
}

static inline void enrol(const char *name, const char *cells)
{
    const struct aaa_new_pattern wanted = {.user = name, .cells = cells, .phrase = "", .wall = wall, .now = now};
    struct aaa_enrolment e;
    if (aaa_grid_enrol(a, &wanted, &e, &service.why) != ERR_OK)
        fail_msg("%s", service.why.sentence);
    assert_true(e.accepted);
    while (e.rounds > 0) {
        const struct aaa_grid grid = e.grid;
        const struct aaa_practice practice = {name, grid.code, read_from(&grid, cells), wall, now};
        assert_int_equal(aaa_grid_practise(a, &practice, &e, &service.why), ERR_OK);
        assert_true(e.accepted);
    }
}

static inline struct aaa_answer login_as(const struct aaa_proof *proof, const struct ip_addr *from, const char *station,
                                         uint64_t session)
{
    const struct aaa_request r = {
        .proof = *proof, .peer = *from, .station = station, .session = session, .wall = wall, .now = now};
    struct aaa_answer answer;
    aaa_login(a, &r, &answer);
    return answer;
}

static inline enum cause pap(const char *name, const char *password, const struct ip_addr *from, uint64_t session)
{
    const struct aaa_proof proof = {.method = AAA_METHOD_PAP, .user = name, .password = view_str(password)};
    return login_as(&proof, from, "", session).cause;
}

static inline enum cause chap(const char *name, const char *password, const struct ip_addr *from, uint64_t session)
{
    const uint8_t challenge[16] = {9, 8, 7};
    uint8_t response[CHAP_MD5_SIZE];
    assert_int_equal(chap_md5_response(3, view_str(password), VIEW(challenge), response), ERR_OK);
    const struct aaa_proof proof = {
        .method = AAA_METHOD_CHAP_MD5, .user = name, .id = 3, .challenge = VIEW(challenge), .response = VIEW(response)};
    return login_as(&proof, from, "", session).cause;
}

static inline enum cause mschap(const char *name, const char *password, const struct ip_addr *from, uint64_t session)
{
    const uint8_t ours[16] = {1, 2}, theirs[16] = {3, 4};
    uint8_t hash[MSCHAP_NT_HASH_SIZE], response[MSCHAP_NT_RESPONSE], back[MSCHAP_AUTH_RESPONSE];
    assert_int_equal(mschap_nt_hash(view_str(password), hash), ERR_OK);
    assert_int_equal(mschapv2_nt_response(hash, ours, theirs, view_str(name), response), ERR_OK);
    const struct aaa_proof proof = {.method = AAA_METHOD_MSCHAPV2,
                                    .user = name,
                                    .challenge = VIEW(ours),
                                    .peer_challenge = VIEW(theirs),
                                    .response = VIEW(response)};
    const struct aaa_answer answer = login_as(&proof, from, "", session);
    if (answer.accepted) {
        assert_int_equal(mschapv2_authenticator_response(hash, response, ours, theirs, view_str(name), back), ERR_OK);
        assert_memory_equal(answer.authenticator_response, back, sizeof back);
    }
    return answer.cause;
}

static inline struct aaa_user about(const char *name)
{
    struct aaa_user u;
    assert_int_equal(aaa_user_get(a, name, &u, &service.why), ERR_OK);
    return u;
}

static inline void done(void)
{
    aaa_close(a);
    a = NULL;
}

static uint8_t totp_secret[TOTP_SECRET_SIZE];

static inline void unbase32(const char *text)
{
    uint32_t bits = 0;
    size_t have = 0, n = 0;
    for (; *text; text++) {
        bits = bits << 5 | (uint32_t)(*text >= 'A' ? *text - 'A' : *text - '2' + 26);
        have += 5;
        if (have >= 8) {
            have -= 8;
            totp_secret[n++] = (uint8_t)(bits >> have);
        }
    }
    assert_int_equal(n, TOTP_SECRET_SIZE);
}

static inline const char *with_code(const char *password, int64_t at)
{
    static char typed[128];
    char code[TOTP_CODE_SIZE];
    assert_int_equal(totp_code(VIEW(totp_secret), (uint64_t)at / TOTP_STEP, code), ERR_OK);
    snprintf(typed, sizeof typed, "%s%s", password, code);
    return typed;
}

static inline void give_codes(const char *name)
{
    char text[BASE32_SIZE(TOTP_SECRET_SIZE)], uri[AAA_URI_MAX];
    assert_int_equal(aaa_totp_begin(a, name, text, uri, &service.why), ERR_OK);
    unbase32(text);
    assert_non_null(strstr(uri, text));
    assert_int_equal(aaa_totp_confirm(a, name, "000000", wall, &service.why), ERR_INVALID);
    assert_false(about(name).totp);
    assert_int_equal(aaa_totp_confirm(a, name, with_code("", wall), wall, &service.why), ERR_OK);
    assert_true(about(name).totp);
    assert_int_equal(aaa_totp_begin(a, name, text, uri, &service.why), ERR_EXISTS);
    pass(90);
}

#endif
