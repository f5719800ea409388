/* What a stranger can learn of names: nothing. Whatever is asked, and however a name is spelled, a name that does not
 * exist gets the same answer as one that does, and the same work goes into it: every hash, cipher, code, grid and
 * statement of the store, one by one. How that looks in time is measured by `bench/run oracle`. */
#include "tests/test.h"

#include "aaa/aaa_internal.h"
#include "tests/unit/aaa/grids.h"
#include "tests/unit/aaa/work.h"

#define ROUNDS 8 /* from the sixth on, whose failures are counted has to wait */

static const char *const known[] = {"alice", "bob",  "carol",           "dave", "erin", "frank", "gina", "henry",
                                    "iris",  "judy", "kim@corp.example"};

static void add(const char *name, const char *group, bool enabled, int64_t expires)
{
    struct aaa_user u = {.enabled = enabled, .expires = expires};
    snprintf(u.name, sizeof u.name, "%s", name);
    snprintf(u.group, sizeof u.group, "%s", group);
    assert_int_equal(aaa_user_add(a, &u, view_str("secret"), WALL, &service.why), ERR_OK);
}

/* One of each kind. Beside alice and bob, who has no pattern: */
static void everybody(enum config_totp totp)
{
    const struct aaa_group closed = {.name = "closed"}, grids = {.name = "grids", .enabled = true, .login = "grid"};
    setup(totp);
    assert_int_equal(aaa_group_add(a, &closed, &service.why), ERR_OK);
    assert_int_equal(aaa_group_add(a, &grids, &service.why), ERR_OK);
    enrol("alice", GOOD);
    add("carol", "", true, 0); /* has a grid open */
    enrol("carol", GOOD);
    fetch("carol", &home);
    add("dave", "", false, 0);
    add("erin", "", true, WALL - 1);
    add("frank", "", true, 0); /* is locked */
    assert_int_equal(store_lock(a->store, "frank", WALL), ERR_OK);
    add("gina", "closed", true, 0);
    add("henry", "", true, 0);
    add("iris", "", true, 0);
    enrol("iris", BETTER);
    if (totp != CONFIG_TOTP_OFF) {
        give_codes("henry");
        give_codes("iris");
    }
    add("judy", "grids", true, 0); /* must choose a pattern still */
    add("kim@corp.example", "", true, 0);
    enrol("kim@corp.example", GOOD);
}

/* ---- the ways to ask ---- */

/* What a stranger is told, as far as it may differ: one word. Grids themselves are random. */
typedef const char *way(const char *name);

static const char *told(const struct aaa_answer *answer)
{
    static const uint8_t nothing[MSCHAP_AUTH_RESPONSE];
    assert_false(answer->accepted);
    assert_memory_equal(answer->authenticator_response, nothing, sizeof nothing);
    switch ((unsigned)answer->cause) { /* of these the other side is told nothing: see the tests of ppp and portal */
    case CAUSE_AUTH_NO_USER:
    case CAUSE_AUTH_PASSWORD:
    case CAUSE_AUTH_CODE:
    case CAUSE_AUTH_WAIT:
    case CAUSE_GRID_NONE:
    case CAUSE_GRID_EXPIRED:
    case CAUSE_GRID_WRONG:
    case CAUSE_GRID_NOT_ENROLLED:
        return answer->again ? "refused, may try again" : "refused";
    default:
        return cause_word(answer->cause);
    }
}

static const char *tell_of(const struct aaa_proof *proof, uint64_t session)
{
    const struct aaa_answer answer = login_as(proof, &office, "", session);
    return told(&answer);
}

static const char *by_pap(const char *name)
{
    return tell_of(&(struct aaa_proof){.method = AAA_METHOD_PAP, .user = name, .password = view_str("00000000")}, 7);
}

static const char *by_chap(const char *name)
{
    static const uint8_t challenge[16] = {9}, response[CHAP_MD5_SIZE] = {1};
    return tell_of(&(struct aaa_proof){.method = AAA_METHOD_CHAP_MD5,
                                       .user = name,
                                       .id = 3,
                                       .challenge = VIEW(challenge),
                                       .response = VIEW(response)},
                   7);
}

static const char *by_mschap(const char *name)
{
    static const uint8_t ours[16] = {1}, theirs[16] = {2}, response[MSCHAP_NT_RESPONSE] = {3};
    return tell_of(&(struct aaa_proof){.method = AAA_METHOD_MSCHAPV2,
                                       .user = name,
                                       .challenge = VIEW(ours),
                                       .peer_challenge = VIEW(theirs),
                                       .response = VIEW(response)},
                   7);
}

static const char *at_the_portal(const char *name)
{
    const struct aaa_request r = {.proof = {.method = AAA_METHOD_PAP, .user = name, .password = view_str("guess")},
                                  .peer = office,
                                  .wall = wall,
                                  .now = now};
    struct aaa_answer answer;
    aaa_check(a, &r, &answer);
    return told(&answer);
}

static const char *grid_shown(const char *name)
{
    const struct aaa_grid grid = fetch(name, &office);
    assert_int_equal(strlen(grid.cells), 48);
    assert_int_equal(grid.expires, wall + 120);
    return "a grid";
}

static const char *grid_typed(const char *name)
{
    const struct aaa_grid grid = fetch(name, &office);
    const struct aaa_request r = {
        .proof = {.method = AAA_METHOD_PAP, .user = name, .password = view_str("00000000"), .code = grid.code},
        .peer = office,
        .wall = wall,
        .now = now};
    struct aaa_answer answer;
    aaa_check(a, &r, &answer);
    return told(&answer);
}

/* EAP-GTC, from the question to the judgement. */
static const char *in_band(const char *name)
{
    const struct aaa_visit visit = {.user = name, .source = office, .session = 7, .wall = wall, .now = now};
    struct grid_prompt prompt;
    char text[GRID_PROMPT_MAX];
    const size_t n = aaa_prompt(a, &visit, text);
    assert_int_equal(grid_prompt_parse(view_of(text, n), &prompt), ERR_OK);
    assert_int_equal(prompt.life, 120);
    assert_string_equal(prompt.question, a->grid.totp == CONFIG_TOTP_SECOND
                                             ? "What stands on your cells, or your password, with the app's code:"
                                         : a->grid.totp == CONFIG_TOTP_ALTERNATIVE
                                             ? "What stands on your cells, or your password (with the app's code):"
                                             : "What stands on your cells, or your password:");
    return by_pap(name);
}

static const char *by_a_code_alone(const char *name)
{
    const struct aaa_request r = {.proof = {.user = name}, .peer = office, .wall = wall, .now = now};
    return aaa_totp_check(a, &r, "123456") ? "taken" : "refused";
}

static const struct {
    const char *name;
    way *ask;
} ways[] = {
    {"PAP", by_pap},
    {"CHAP, EAP-MD5", by_chap},
    {"MS-CHAPv2, EAP-MSCHAPv2", by_mschap},
    {"EAP-GTC", in_band},
    {"the portal's login", at_the_portal},
    {"a grid", grid_shown},
    {"a grid and its answer", grid_typed},
    {"a one-time code alone", by_a_code_alone},
};

/* ---- the same answer, and the same work ---- */

/* Asks again and again, without success; gives the whole of it. */
static const char *asked(way *ask, const char *name)
{
    static char words[ROUNDS * 32];
    size_t n = 0;
    now += 3600 * USEC_SEC; /* the grids of the one before are over, and so are waits */
    work_begin();
    for (size_t i = 0; i < ROUNDS; i++)
        n += (size_t)snprintf(words + n, sizeof words - n, "%s\n", ask(name));
    work_end();
    return words;
}

static void expect_alike(way *ask, const char *title, const char *unknown, const char *name)
{
    static char want[WORK_MAX], words[ROUNDS * 32];
    snprintf(words, sizeof words, "%s", asked(ask, unknown));
    memcpy(want, work.text, sizeof want);
    assert_true(work.steps > ROUNDS);
    const char *got = asked(ask, name);
    if (strcmp(got, words) != 0)
        fail_msg("%s tells %s from %s:\n%s---\n%s", title, name, unknown, got, words);
    if (strcmp(work.text, want) != 0)
        fail_msg("%s costs %s something else than %s:\n%s---\n%s", title, name, unknown, work.text, want);
}

static void a_known_name_is_answered_like_an_unknown_one_and_by_the_same_work(void **state)
{
    (void)state;
    static const enum config_totp modes[] = {CONFIG_TOTP_OFF, CONFIG_TOTP_ALTERNATIVE, CONFIG_TOTP_SECOND};
    for (size_t m = 0; m < ARRAY_LEN(modes); m++)
        for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
            everybody(modes[m]);
            for (size_t i = 0; i < ARRAY_LEN(known); i++)
                expect_alike(ways[w].ask, ways[w].name, strchr(known[i], '@') ? "nobody@corp.example" : "nobody",
                             known[i]);
            expect_alike(ways[w].ask, ways[w].name, "CORP\\nobody", "CORP\\alice");
            expect_alike(ways[w].ask, ways[w].name, "nobody@x.example", "alice@x.example");
            done();
        }
}

static void so_it_is_where_grids_are_off(void **state)
{
    (void)state;
    everybody(CONFIG_TOTP_OFF);
    service.config.grid.enabled = false;
    settings_changed();
    for (size_t w = 0; w < 3; w++)
        for (size_t i = 0; i < ARRAY_LEN(known) - 1; i++)
            expect_alike(ways[w].ask, ways[w].name, "nobody", known[i]);
    done();
}

/* ---- grids, looked at from outside ---- */

static const char *const domains[] = {"%s", "CORP\\%s", "%s@x.example", "CORP\\%s@x.example", "%s@corp.example"};

/* Fetches under every spelling; which codes are the same, as a text. */
static const char *sameness(const char *name, char codes[ARRAY_LEN(domains)][GRID_CODE_SIZE])
{
    static char seen[64];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        char spelled[64];
        snprintf(spelled, sizeof spelled, domains[i], name);
        const struct aaa_grid grid = fetch(spelled, &office);
        size_t first = 0;
        memcpy(codes[i], grid.code, GRID_CODE_SIZE);
        while (strcmp(codes[first], codes[i]) != 0)
            first++;
        n += (size_t)snprintf(seen + n, sizeof seen - n, "%zu ", first);
    }
    return seen;
}

/* A name that is found under several spellings would show by getting the same grid under them, or by losing it under
 * one when an answer under another was wrong. */
static void however_a_name_is_spelled_its_grids_tell_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"nobody", "alice", "bob", "kim"};
    char first[ARRAY_LEN(names)][64], then[ARRAY_LEN(names)][64];
    everybody(CONFIG_TOTP_OFF);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char before[ARRAY_LEN(domains)][GRID_CODE_SIZE], after[ARRAY_LEN(domains)][GRID_CODE_SIZE];
        size_t n = 0;
        snprintf(first[i], sizeof first[i], "%s", sameness(names[i], before));
        (void)by_pap(names[i]);
        (void)sameness(names[i], after);
        for (size_t k = 0; k < ARRAY_LEN(domains); k++)
            n += (size_t)snprintf(then[i] + n, sizeof then[i] - n, "%d ", strcmp(before[k], after[k]) == 0);
        assert_string_equal(first[i], first[0]);
        assert_string_equal(then[i], then[0]);
    }
    done();
}

/* The three that open are a stranger's by chance; what the user does meanwhile must not show in them. */
static void whoever_looks_at_a_grid_again_does_not_see_that_its_user_is_there(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    enrol("alice", GOOD);
    struct aaa_grid seen[DESK_OPEN], own;
    for (uint8_t i = 0; i < DESK_OPEN; i++) {
        const struct ip_addr stranger = {4, {203, 0, 113, i}};
        seen[i] = fetch("alice", &stranger);
    }
    const struct aaa_visit proved = {.user = "alice", .source = home, .proved = true, .wall = wall, .now = now};
    assert_int_equal(aaa_grid_show(a, &proved, &own, &service.why), ERR_OK); /* in place of one of them */
    assert_int_equal(pap("alice", read_from(&own, GOOD), &home, 1), CAUSE_NONE);
    enrol("alice", BETTER);
    assert_int_equal(aaa_user_password(a, "alice", view_str("changed"), &service.why), ERR_OK);
    struct aaa_user alice = about("alice");
    alice.enabled = false;
    assert_int_equal(aaa_user_set(a, &alice, &service.why), ERR_OK);
    assert_int_equal(aaa_grid_off(a, "alice", &service.why), ERR_OK);
    assert_int_equal(aaa_user_del(a, "alice", &service.why), ERR_OK);
    for (uint8_t i = 0; i < DESK_OPEN; i++) {
        const struct ip_addr stranger = {4, {203, 0, 113, i}};
        assert_string_equal(fetch("alice", &stranger).code, seen[i].code);
    }
    done();
}

/* Its secrets were moved or spoilt, and open nothing. */
static void a_damaged_row_shows_no_more_than_one_that_is_not_there(void **state)
{
    (void)state;
    setup(CONFIG_TOTP_OFF);
    assert_int_equal(store_password(a->store, "bob", view_str("nothing that was sealed with this key")), ERR_OK);
    static const char *const names[] = {"bob", "nobody"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct aaa_grid grid = fetch(names[i], &office);
        assert_string_equal(fetch(names[i], &office).code, grid.code);
        assert_string_not_equal(fetch(names[i], &home).code, grid.code);
    }
    done();
}

/* ---- administrators ---- */

static const char *as_administrator(const char *name)
{
    static char words[64];
    uint8_t salt[ARGON2_SALT_SIZE], hash[ARGON2_HASH_SIZE] = {1};
    const enum err begun = aaa_admin_begin(a, name, &office, now, salt);
    const enum err judged = begun == ERR_OK ? aaa_admin_judge(a, name, hash, "123456", &office, wall, now) : begun;
    snprintf(words, sizeof words, "%d %d", begun, judged);
    return words;
}

static void an_administrators_name_is_not_told_either(void **state)
{
    (void)state;
    static const uint8_t salt[ARGON2_SALT_SIZE] = {5}, hash[ARGON2_HASH_SIZE] = {6};
    uint8_t secret[TOTP_SECRET_SIZE];
    setup(CONFIG_TOTP_OFF);
    assert_int_equal(aaa_admin_add(a, "keeper", salt, hash, WALL, secret, &service.why), ERR_OK);
    expect_alike(as_administrator, "the administrators' login", "nobody", "keeper");
    expect_alike(as_administrator, "the administrators' login", "nobody", "alice"); /* who is a user */
    done();
}

/* ---- invitations ---- */

static const char *with_token(const char *token)
{
    static char words[4 * AAA_WHY_MAX];
    const struct aaa_new_pattern wanted = {.cells = GOOD, .phrase = "", .wall = wall, .now = now};
    const struct aaa_practice practice = {.code = "", .answer = "", .wall = wall, .now = now};
    struct aaa_enrolment e;
    struct aaa_invite invite;
    struct aaa_why why[4];
    assert_int_equal(aaa_invite_show(a, token, wall, &invite, &why[0]), ERR_NOTFOUND);
    assert_int_equal(aaa_invite_use(a, token, view_str("mine now"), wall, &invite, &why[1]), ERR_NOTFOUND);
    assert_int_equal(aaa_invite_enrol(a, token, &wanted, &e, &why[2]), ERR_NOTFOUND);
    assert_int_equal(aaa_invite_practise(a, token, &practice, &e, &invite, &why[3]), ERR_NOTFOUND);
    snprintf(words, sizeof words, "%s%s%s%s", why[0].sentence, why[1].sentence, why[2].sentence, why[3].sentence);
    return words;
}

static void a_code_of_an_invitation_that_is_not_good_never_tells_why(void **state)
{
    (void)state;
    char used[AAA_TOKEN_MAX], over[AAA_TOKEN_MAX], revoked[AAA_TOKEN_MAX], first[4 * AAA_WHY_MAX];
    static char want[WORK_MAX];
    struct aaa_invite invite;
    setup(CONFIG_TOTP_OFF);
    assert_int_equal(aaa_invite_make(a, "alice", wall, 0, used, &invite, &service.why), ERR_OK);
    assert_int_equal(aaa_invite_use(a, used, view_str("words"), wall, &invite, &service.why), ERR_OK);
    assert_int_equal(aaa_invite_make(a, "alice", wall, 60, over, &invite, &service.why), ERR_OK);
    assert_int_equal(aaa_invite_make(a, "bob", wall, 0, revoked, &invite, &service.why), ERR_OK);
    assert_int_equal(aaa_invite_revoke(a, 0, "bob", &service.why), ERR_OK);
    pass(60);
    const char *const tokens[] = {"abcdefghijklmnopqrstuvwxyz234567", used, over, revoked, "", "alice"};
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        work_begin();
        const char *words = with_token(tokens[i]);
        work_end();
        if (i == 0) {
            snprintf(first, sizeof first, "%s", words);
            memcpy(want, work.text, sizeof want);
            assert_true(work.steps > 4);
        }
        assert_string_equal(words, first);
        assert_string_equal(work.text, want);
    }
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_name_is_answered_like_an_unknown_one_and_by_the_same_work),
        cmocka_unit_test(so_it_is_where_grids_are_off),
        cmocka_unit_test(however_a_name_is_spelled_its_grids_tell_nothing),
        cmocka_unit_test(whoever_looks_at_a_grid_again_does_not_see_that_its_user_is_there),
        cmocka_unit_test(a_damaged_row_shows_no_more_than_one_that_is_not_there),
        cmocka_unit_test(an_administrators_name_is_not_told_either),
        cmocka_unit_test(a_code_of_an_invitation_that_is_not_good_never_tells_why),
    };
    return cmocka_run_group_tests(tests, service_folder, service_away);
}
