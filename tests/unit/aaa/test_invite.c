/* Invitations and the tokens of programs: good once, or until they are over or taken back, and known by hash alone. */
#include "tests/test.h"

#include "tests/unit/aaa/service.h"

static char token[AAA_TOKEN_MAX];
static struct aaa_invite invite;

static struct aaa *with_alice(void)
{
    struct aaa *a = service_fresh();
    service_add(a, "Alice");
    return a;
}

static void make(struct aaa *a, uint32_t valid)
{
    if (aaa_invite_make(a, "alice", SERVICE_WALL, valid, token, &invite, &service.why) != ERR_OK)
        fail_msg("%s", service.why.sentence);
}

static enum err use(struct aaa *a, const char *password, int64_t wall)
{
    return aaa_invite_use(a, token, view_str(password), wall, &invite, &service.why);
}

static void an_invitation_sets_a_password_once(void **state)
{
    (void)state;
    struct aaa *a = with_alice();
    make(a, 0);
    assert_int_equal(strlen(token), 32);
    assert_int_equal(invite.expires, SERVICE_WALL + 86400);
    assert_int_equal(aaa_invite_show(a, token, SERVICE_WALL, &invite, &service.why), ERR_OK);
    assert_string_equal(invite.name, "Alice");
    assert_int_equal(use(a, "new words", SERVICE_WALL), ERR_OK);
    assert_true(service_login(a, "alice", "new words", 1).accepted);
    assert_int_equal(use(a, "other words", SERVICE_WALL), ERR_NOTFOUND);
    assert_int_equal(aaa_invite_show(a, token, SERVICE_WALL, &invite, &service.why), ERR_NOTFOUND);
    assert_true(service_login(a, "alice", "new words", 2).accepted);
    aaa_close(a);
}

static void a_password_that_cannot_be_taken_leaves_the_invitation_good(void **state)
{
    (void)state;
    struct aaa *a = with_alice();
    make(a, 0);
    assert_int_equal(use(a, "a\nb", SERVICE_WALL), ERR_INVALID);
    assert_int_equal(use(a, "\xff\xfe", SERVICE_WALL), ERR_INVALID);
    assert_true(service_login(a, "alice", "secret", 1).accepted);
    assert_int_equal(use(a, "good words", SERVICE_WALL), ERR_OK);
    aaa_close(a);
}

static void an_invitation_may_be_used_without_a_password(void **state)
{
    (void)state;
    struct aaa *a = with_alice();
    make(a, 0);
    assert_int_equal(use(a, "", SERVICE_WALL), ERR_OK);
    assert_string_equal(invite.name, "Alice");
    assert_true(service_login(a, "alice", "secret", 1).accepted);
    assert_int_equal(use(a, "", SERVICE_WALL), ERR_NOTFOUND);
    aaa_close(a);
}

static void an_invitation_ends_with_its_time_its_user_and_a_newer_one(void **state)
{
    (void)state;
    struct aaa *a = with_alice();
    struct aaa_user alice;
    char older[AAA_TOKEN_MAX];
    make(a, 60);
    assert_int_equal(use(a, "late", SERVICE_WALL + 60), ERR_NOTFOUND);
    memcpy(older, token, sizeof older);
    make(a, 60);
    assert_int_equal(aaa_invite_show(a, older, SERVICE_WALL, &invite, &service.why), ERR_NOTFOUND);
    assert_int_equal(aaa_user_get(a, "alice", &alice, &service.why), ERR_OK);
    alice.enabled = false;
    assert_int_equal(aaa_user_set(a, &alice, &service.why), ERR_OK);
    assert_int_equal(use(a, "words", SERVICE_WALL), ERR_NOTFOUND);
    alice.enabled = true;
    assert_int_equal(aaa_user_set(a, &alice, &service.why), ERR_OK);
    assert_int_equal(aaa_invite_show(a, token, SERVICE_WALL, &invite, &service.why), ERR_OK);
    assert_int_equal(aaa_user_del(a, "alice", &service.why), ERR_OK);
    service_add(a, "Alice"); /* another person of that name */
    assert_int_equal(use(a, "words", SERVICE_WALL), ERR_NOTFOUND);
    assert_int_equal(aaa_invite_make(a, "alice", SERVICE_WALL, AAA_INVITE_LONGEST + 1, token, &invite, &service.why),
                     ERR_INVALID);
    assert_int_equal(aaa_invite_make(a, "bob", SERVICE_WALL, 0, token, &invite, &service.why), ERR_NOTFOUND);
    aaa_close(a);
}

static bool count(void *ctx, const struct aaa_invite *one)
{
    (void)one;
    ++*(size_t *)ctx;
    return true;
}

/* ---- a pattern ---- */

static struct aaa *with_grids(void)
{
    struct aaa *a = with_alice();
    service_grids(a);
    return a;
}

static const uint8_t shape[] = {0, 21, 10, 35, 5, 44, 18, 31};

static struct aaa_enrolment enrol(struct aaa *a, bool trial)
{
    struct aaa_enrolment e = {0};
    const struct aaa_new_pattern wanted = {
        .cells = "0,21,10,35,5,44,18,31", .phrase = "", .trial = trial, .wall = SERVICE_WALL, .now = 1};
    if (aaa_invite_enrol(a, token, &wanted, &e, &service.why) != ERR_OK)
        fail_msg("%s", service.why.sentence);
    return e;
}

/* Reads the grid; "" as its code asks for another. */
static enum err practise(struct aaa *a, struct aaa_enrolment *e, const char *code)
{
    char answer[sizeof shape + 1] = "";
    for (size_t i = 0; i < sizeof shape; i++)
        answer[i] = e->grid.cells[shape[i]];
    const struct aaa_practice practice = {.code = code, .answer = answer, .wall = SERVICE_WALL, .now = 2};
    return aaa_invite_practise(a, token, &practice, e, &invite, &service.why);
}

static bool is_open(struct aaa *a)
{
    return aaa_invite_show(a, token, SERVICE_WALL, &invite, &service.why) == ERR_OK;
}

static bool has_pattern(struct aaa *a)
{
    struct aaa_user alice;
    assert_int_equal(aaa_user_get(a, "alice", &alice, &service.why), ERR_OK);
    return alice.grid;
}

static void an_invitation_is_good_until_its_pattern_is_in_force(void **state)
{
    (void)state;
    struct aaa *a = with_grids();
    make(a, 0);
    struct aaa_enrolment e = enrol(a, false);
    assert_int_equal(e.rounds, AAA_PRACTICE_ROUNDS);
    for (unsigned left = AAA_PRACTICE_ROUNDS; left > 0; left--) {
        assert_true(is_open(a) && !has_pattern(a));
        assert_int_equal(aaa_grid_practising(a, "alice", 2), left);
        assert_int_equal(practise(a, &e, e.grid.code), ERR_OK);
    }
    assert_int_equal(e.rounds, 0);
    assert_string_equal(invite.name, "Alice");
    assert_true(has_pattern(a) && !is_open(a));
    assert_int_equal(practise(a, &e, ""), ERR_NOTFOUND);
    aaa_close(a);
}

static void practice_goes_on_with_another_grid_after_a_pause(void **state)
{
    (void)state;
    struct aaa *a = with_grids();
    make(a, 0);
    struct aaa_enrolment e = enrol(a, false);
    assert_int_equal(practise(a, &e, e.grid.code), ERR_OK);
    assert_int_equal(e.rounds, 1);
    char before[GRID_CODE_SIZE];
    memcpy(before, e.grid.code, sizeof before);
    for (int i = 0; i < 20; i++) /* looking is no try */
        assert_int_equal(practise(a, &e, ""), ERR_OK);
    assert_true(e.accepted && e.rounds == 1 && strcmp(before, e.grid.code) != 0);
    assert_int_equal(practise(a, &e, e.grid.code), ERR_OK);
    assert_true(has_pattern(a));
    aaa_close(a);
}

static void an_invitation_that_is_taken_back_in_the_middle_of_practice_makes_no_pattern(void **state)
{
    (void)state;
    struct aaa *a = with_grids();
    make(a, 0);
    struct aaa_enrolment e = enrol(a, false);
    assert_int_equal(practise(a, &e, e.grid.code), ERR_OK);
    assert_int_equal(aaa_invite_revoke(a, 0, "alice", &service.why), ERR_OK);
    assert_int_equal(practise(a, &e, e.grid.code), ERR_NOTFOUND);
    assert_false(has_pattern(a));
    aaa_close(a);
}

static void a_trial_keeps_nothing(void **state)
{
    (void)state;
    struct aaa *a = with_grids();
    make(a, 0);
    const struct aaa_enrolment e = enrol(a, true);
    assert_true(e.accepted && e.rounds == 0 && e.guesses > 1u << 20);
    assert_int_equal(aaa_grid_practising(a, "alice", 2), 0);
    assert_true(is_open(a));
    aaa_close(a);
}

static void a_password_by_invitation_takes_the_place_of_a_pattern(void **state)
{
    (void)state;
    struct aaa *a = with_grids();
    make(a, 0);
    struct aaa_enrolment e = enrol(a, false);
    while (e.rounds > 0)
        assert_int_equal(practise(a, &e, e.grid.code), ERR_OK);
    assert_false(service_login(a, "alice", "secret", 1).accepted);
    make(a, 0);
    assert_int_equal(use(a, "new words", SERVICE_WALL), ERR_OK);
    assert_false(has_pattern(a));
    assert_true(service_login(a, "alice", "new words", 2).accepted);
    aaa_close(a);
}

static void invitations_are_listed_and_taken_back(void **state)
{
    (void)state;
    struct aaa *a = with_alice();
    size_t n = 0;
    make(a, 60);
    assert_int_equal(aaa_invite_each(a, SERVICE_WALL, count, &n, &service.why), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(aaa_invite_each(a, SERVICE_WALL + 60, count, &n, &service.why), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(aaa_invite_revoke(a, invite.id, "", &service.why), ERR_OK);
    assert_int_equal(aaa_invite_revoke(a, invite.id, "", &service.why), ERR_NOTFOUND);
    assert_int_equal(use(a, "words", SERVICE_WALL), ERR_NOTFOUND);
    make(a, 60);
    assert_int_equal(aaa_invite_revoke(a, 0, "ALICE", &service.why), ERR_OK);
    assert_int_equal(use(a, "words", SERVICE_WALL), ERR_NOTFOUND);
    aaa_close(a);
}

static void a_user_made_for_an_invitation_has_a_password_that_nobody_knows(void **state)
{
    (void)state;
    struct aaa *a = with_alice();
    const struct aaa_user bob = {.name = "bob", .enabled = true};
    assert_int_equal(aaa_invite_user(a, &bob, SERVICE_WALL, &service.why), ERR_OK);
    assert_int_equal(service_login(a, "bob", "", 1).cause, CAUSE_AUTH_PASSWORD);
    assert_int_equal(aaa_invite_make(a, "bob", SERVICE_WALL, 0, token, &invite, &service.why), ERR_OK);
    assert_int_equal(use(a, "builder", SERVICE_WALL), ERR_OK);
    assert_true(service_login(a, "bob", "builder", 1).accepted);
    aaa_close(a);
}

/* No token, or part of one, is in the files. */
static bool file_has(const char *ending, const char *text)
{
    char path[80];
    static uint8_t bytes[1 << 20];
    snprintf(path, sizeof path, "%s%s", service.database, ending);
    FILE *f = fopen(path, "rb");
    const size_t n = f != NULL ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f != NULL)
        fclose(f);
    return memmem(bytes, n, text, strlen(text)) != NULL;
}

static void the_store_does_not_have_the_tokens_themselves(void **state)
{
    (void)state;
    struct aaa *a = with_alice();
    char program[AAA_TOKEN_MAX];
    const struct aaa_token t = {.name = "robot", .scopes = "status"};
    make(a, 0);
    assert_int_equal(aaa_token_make(a, &t, SERVICE_WALL, program, &service.why), ERR_OK);
    assert_true(file_has("-wal", "robot") || file_has("", "robot"));
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        assert_false(file_has(endings[i], token) || file_has(endings[i], program));
    aaa_close(a);
}

/* ---- programs ---- */

static void a_token_tells_what_it_is_for_until_it_is_over_or_taken_back(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    char text[AAA_TOKEN_MAX];
    struct aaa_token t = {.name = "robot", .scopes = "status,sessions", .expires = SERVICE_WALL + 100}, got;
    assert_int_equal(aaa_token_make(a, &t, SERVICE_WALL, text, &service.why), ERR_OK);
    assert_int_equal(strncmp(text, "sekisho_", 8), 0);
    assert_int_equal(aaa_token_make(a, &t, SERVICE_WALL, (char[AAA_TOKEN_MAX]){0}, &service.why), ERR_EXISTS);
    assert_int_equal(aaa_token_check(a, text, SERVICE_WALL + 5, &got, &service.why), ERR_OK);
    assert_string_equal(got.name, "robot");
    assert_string_equal(got.scopes, "status,sessions");
    assert_int_equal(aaa_token_get(a, "Robot", &got, &service.why), ERR_OK);
    assert_int_equal(got.last_used, SERVICE_WALL + 5);
    assert_int_equal(aaa_token_check(a, text, SERVICE_WALL + 100, &got, &service.why), ERR_NOTFOUND);
    text[10] ^= 1;
    assert_int_equal(aaa_token_check(a, text, SERVICE_WALL + 5, &got, &service.why), ERR_NOTFOUND);
    text[10] ^= 1;
    assert_int_equal(aaa_token_revoke(a, "robot", &service.why), ERR_OK);
    assert_int_equal(aaa_token_check(a, text, SERVICE_WALL + 5, &got, &service.why), ERR_NOTFOUND);
    assert_int_equal(aaa_token_revoke(a, "robot", &service.why), ERR_NOTFOUND);
    aaa_close(a);
}

static void a_token_is_for_known_things_only(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    char text[AAA_TOKEN_MAX];
    static const char *const bad[] = {"", "everything", "status,", ",status", "status, users", "Status"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct aaa_token t = {.name = "robot"};
        snprintf(t.scopes, sizeof t.scopes, "%s", bad[i]);
        assert_int_equal(aaa_token_make(a, &t, SERVICE_WALL, text, &service.why), ERR_INVALID);
    }
    const struct aaa_token over = {.name = "robot", .scopes = "status", .expires = SERVICE_WALL};
    assert_int_equal(aaa_token_make(a, &over, SERVICE_WALL, text, &service.why), ERR_INVALID);
    aaa_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_sets_a_password_once),
        cmocka_unit_test(a_password_that_cannot_be_taken_leaves_the_invitation_good),
        cmocka_unit_test(an_invitation_may_be_used_without_a_password),
        cmocka_unit_test(an_invitation_ends_with_its_time_its_user_and_a_newer_one),
        cmocka_unit_test(an_invitation_is_good_until_its_pattern_is_in_force),
        cmocka_unit_test(practice_goes_on_with_another_grid_after_a_pause),
        cmocka_unit_test(an_invitation_that_is_taken_back_in_the_middle_of_practice_makes_no_pattern),
        cmocka_unit_test(a_trial_keeps_nothing),
        cmocka_unit_test(a_password_by_invitation_takes_the_place_of_a_pattern),
        cmocka_unit_test(invitations_are_listed_and_taken_back),
        cmocka_unit_test(a_user_made_for_an_invitation_has_a_password_that_nobody_knows),
        cmocka_unit_test(the_store_does_not_have_the_tokens_themselves),
        cmocka_unit_test(a_token_tells_what_it_is_for_until_it_is_over_or_taken_back),
        cmocka_unit_test(a_token_is_for_known_things_only),
    };
    return cmocka_run_group_tests(tests, service_folder, service_away);
}
