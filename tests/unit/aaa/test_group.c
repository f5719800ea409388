/* Groups: what they give, what they take away at once, and a store of the first version that comes to have them. */
#include "tests/test.h"

#include <unistd.h>

#include <sqlite3.h>

#include "tests/unit/aaa/service.h"

static struct aaa_group group(const char *name)
{
    struct aaa_group g = {.enabled = true};
    snprintf(g.name, sizeof g.name, "%s", name);
    return g;
}

static void put(struct aaa *a, const char *name, const char *into)
{
    struct aaa_user u;
    assert_int_equal(aaa_user_get(a, name, &u, &service.why), ERR_OK);
    snprintf(u.group, sizeof u.group, "%s", into);
    if (aaa_user_set(a, &u, &service.why) != ERR_OK)
        fail_msg("%s", service.why.sentence);
}

static void a_group_gives_pool_and_limit_to_who_has_none_of_their_own(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    service_second_pool(a);
    struct aaa_group staff = group("staff"), got;
    snprintf(staff.pool, sizeof staff.pool, "more");
    snprintf(staff.login, sizeof staff.login, AAA_LOGIN_PASSWORD);
    staff.max_sessions = 1;
    assert_int_equal(aaa_group_add(a, &staff, &service.why), ERR_OK);
    service_add(a, "alice");
    service_add(a, "bob");
    put(a, "alice", "Staff");
    assert_string_equal(service_login(a, "alice", "secret", 1).pool, "more");
    assert_int_equal(service_login(a, "alice", "secret", 2).cause, CAUSE_AUTH_LIMIT);
    assert_string_equal(service_login(a, "bob", "secret", 3).pool, "home");
    assert_true(service_login(a, "bob", "secret", 4).accepted);
    struct aaa_user alice;
    assert_int_equal(aaa_user_get(a, "alice", &alice, &service.why), ERR_OK);
    assert_string_equal(alice.group, "staff");
    alice.max_sessions = 2; /* one's own counts more */
    assert_int_equal(aaa_user_set(a, &alice, &service.why), ERR_OK);
    assert_true(service_login(a, "alice", "secret", 5).accepted);
    assert_int_equal(aaa_group_get(a, "STAFF", &got, &service.why), ERR_OK);
    assert_int_equal(got.users, 1);
    put(a, "alice", "");
    assert_int_equal(aaa_group_get(a, "staff", &got, &service.why), ERR_OK);
    assert_int_equal(got.users, 0);
    aaa_close(a);
}

static void a_full_pool_of_a_group_is_not_made_up_for_by_others(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    service_second_pool(a); /* "more" has two addresses */
    struct aaa_group staff = group("staff");
    snprintf(staff.pool, sizeof staff.pool, "more");
    assert_int_equal(aaa_group_add(a, &staff, &service.why), ERR_OK);
    service_add(a, "alice");
    put(a, "alice", "staff");
    assert_true(service_login(a, "alice", "secret", 1).accepted);
    assert_true(service_login(a, "alice", "secret", 2).accepted);
    assert_int_equal(service_login(a, "alice", "secret", 3).cause, CAUSE_POOL_EMPTY);
    service.config.pool_count = 1; /* the pool is gone from the configuration */
    assert_int_equal(aaa_reconfigure(a, &service.config), ERR_OK);
    assert_int_equal(service_login(a, "alice", "secret", 4).cause, CAUSE_ADDRESS_OUTSIDE);
    aaa_close(a);
}

struct told {
    uint64_t session[8];
    enum cause cause[8];
    size_t n;
};

static void take_down(void *ctx, uint64_t session, enum cause cause)
{
    struct told *told = ctx;
    assert_true(told->n < ARRAY_LEN(told->session));
    told->session[told->n] = session;
    told->cause[told->n++] = cause;
}

static struct told unwelcome(struct aaa *a, int64_t wall)
{
    struct told told = {0};
    assert_int_equal(aaa_unwelcome(a, wall, take_down, &told), ERR_OK);
    return told;
}

static void who_may_not_stay_is_told_with_the_cause(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    struct aaa_group staff = group("staff");
    assert_int_equal(aaa_group_add(a, &staff, &service.why), ERR_OK);
    service_add(a, "alice");
    service_add(a, "bob");
    service_add(a, "carol");
    put(a, "carol", "staff");
    assert_true(service_login(a, "CORP\\ALICE", "secret", 1).accepted);
    assert_true(service_login(a, "bob@example.com", "secret", 2).accepted);
    assert_true(service_login(a, "carol", "secret", 3).accepted);
    assert_string_equal(aaa_session_user(a, 1), "alice"); /* as in the store, whatever was sent */
    assert_null(aaa_session_user(a, 4));
    assert_int_equal(unwelcome(a, SERVICE_WALL).n, 0);

    struct aaa_user alice;
    assert_int_equal(aaa_user_get(a, "alice", &alice, &service.why), ERR_OK);
    alice.expires = SERVICE_WALL + 10;
    assert_int_equal(aaa_user_set(a, &alice, &service.why), ERR_OK);
    assert_int_equal(aaa_next_expiry(a, SERVICE_WALL), SERVICE_WALL + 10);
    assert_int_equal(unwelcome(a, SERVICE_WALL + 9).n, 0);
    struct told told = unwelcome(a, SERVICE_WALL + 10);
    assert_true(told.n == 1 && told.session[0] == 1 && told.cause[0] == CAUSE_AUTH_EXPIRED);
    assert_int_equal(aaa_next_expiry(a, SERVICE_WALL + 10), 0);
    aaa_logout(a, 1, USEC_SEC);

    staff.enabled = false;
    assert_int_equal(aaa_group_set(a, &staff, &service.why), ERR_OK);
    told = unwelcome(a, SERVICE_WALL);
    assert_true(told.n == 1 && told.session[0] == 3 && told.cause[0] == CAUSE_AUTH_DISABLED);
    assert_int_equal(service_login(a, "carol", "secret", 4).cause, CAUSE_AUTH_DISABLED);
    aaa_logout(a, 3, USEC_SEC);

    assert_int_equal(aaa_user_del(a, "bob", &service.why), ERR_OK);
    told = unwelcome(a, SERVICE_WALL);
    assert_true(told.n == 1 && told.session[0] == 2 && told.cause[0] == CAUSE_ADMIN);
    aaa_close(a);
}

static void a_group_with_users_stays(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    struct aaa_group staff = group("staff"), bad = group("a b");
    service_add(a, "alice");
    assert_int_equal(aaa_group_add(a, &staff, &service.why), ERR_OK);
    assert_int_equal(aaa_group_add(a, &staff, &service.why), ERR_EXISTS);
    assert_int_equal(aaa_group_add(a, &bad, &service.why), ERR_INVALID);
    put(a, "alice", "staff");
    assert_int_equal(aaa_group_del(a, "staff", &service.why), ERR_EXISTS);
    assert_string_equal(service.why.sentence, "There are users in the group staff; put them elsewhere first.");
    snprintf(staff.pool, sizeof staff.pool, "nowhere");
    assert_int_equal(aaa_group_set(a, &staff, &service.why), ERR_INVALID);
    snprintf(staff.pool, sizeof staff.pool, "home");
    snprintf(staff.login, sizeof staff.login, "knock");
    assert_int_equal(aaa_group_set(a, &staff, &service.why), ERR_INVALID);
    put(a, "alice", "");
    assert_int_equal(aaa_group_del(a, "staff", &service.why), ERR_OK);
    assert_int_equal(aaa_group_del(a, "staff", &service.why), ERR_NOTFOUND);
    struct aaa_user alice = {.name = "alice", .enabled = true, .group = "staff"};
    assert_int_equal(aaa_user_set(a, &alice, &service.why), ERR_INVALID);
    assert_string_equal(service.why.sentence, "There is no group staff.");
    aaa_close(a);
}

/* ---- a login at the portal ---- */

static struct aaa_answer check(struct aaa *a, const char *name, const char *password)
{
    struct aaa_request r = {.proof = {.method = AAA_METHOD_PAP, .user = name, .password = view_str(password)},
                            .peer = ip4_addr(0xc0000201),
                            .wall = SERVICE_WALL,
                            .now = 1000};
    struct aaa_answer answer;
    aaa_check(a, &r, &answer);
    return answer;
}

static void a_check_judges_as_a_login_and_takes_no_address(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    service_add(a, "Alice");
    struct aaa_answer answer = check(a, "alice", "secret");
    assert_true(answer.accepted);
    assert_string_equal(answer.user, "Alice");
    assert_int_equal(answer.address.family, 0);
    assert_int_equal(aaa_usage(a).used, 0);
    assert_int_equal(check(a, "mallory", "secret").cause, CAUSE_AUTH_NO_USER);
    /* five wrong words here make a login of the VPN from the same place wait, and the other way round */
    for (int i = 0; i < 5; i++)
        assert_int_equal(check(a, "alice", "guess").cause, CAUSE_AUTH_PASSWORD);
    assert_int_equal(service_login(a, "alice", "secret", 1).cause, CAUSE_AUTH_WAIT);
    assert_int_equal(check(a, "alice", "secret").cause, CAUSE_AUTH_WAIT);
    aaa_close(a);
}

/* ---- a store of the first version ---- */

/* Takes away what later versions brought, as a store was when the first program made it. */
static void turn_back(void)
{
    sqlite3 *db;
    char *error = NULL;
    assert_int_equal(sqlite3_open(service.database, &db), SQLITE_OK);
    sqlite3_exec(db,
                 "CREATE TABLE old (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE,"
                 " password BLOB NOT NULL, enabled INTEGER NOT NULL, address INTEGER UNIQUE,"
                 " max_sessions INTEGER NOT NULL, expires INTEGER NOT NULL, created INTEGER NOT NULL,"
                 " last_login INTEGER NOT NULL DEFAULT 0, last_address INTEGER NOT NULL DEFAULT 0) STRICT;"
                 "INSERT INTO old SELECT id, name, password, enabled, address, max_sessions, expires, created,"
                 " last_login, last_address FROM user;",
                 NULL, NULL, &error);
    assert_null(error);
    sqlite3_stmt *q;
    char drop[512] = "";
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT group_concat('DROP TABLE ' || name, ';') FROM sqlite_master"
                                        " WHERE type = 'table' AND name NOT IN ('old', 'seal')"
                                        " AND name NOT LIKE 'sqlite_%'",
                                        -1, &q, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    snprintf(drop, sizeof drop, "%s", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    sqlite3_exec(db, drop, NULL, NULL, &error);
    assert_null(error);
    sqlite3_exec(db, "ALTER TABLE old RENAME TO user; PRAGMA user_version = 1;", NULL, NULL, &error);
    assert_null(error);
    sqlite3_close(db);
}

static void a_store_of_the_first_version_keeps_its_users(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    service_add(a, "alice");
    assert_true(service_login(a, "alice", "secret", 1).accepted);
    aaa_close(a);
    turn_back();
    a = service_opened();
    assert_true(service_login(a, "alice", "secret", 2).accepted);
    struct aaa_user got;
    assert_int_equal(aaa_user_get(a, "alice", &got, &service.why), ERR_OK);
    assert_int_equal(got.last_login, SERVICE_WALL);
    assert_string_equal(got.group, "");
    struct aaa_group staff = group("staff");
    assert_int_equal(aaa_group_add(a, &staff, &service.why), ERR_OK);
    put(a, "alice", "staff");
    aaa_close(a);
    a = service_opened(); /* and once more, with nothing left to do */
    assert_int_equal(aaa_user_get(a, "alice", &got, &service.why), ERR_OK);
    assert_string_equal(got.group, "staff");
    aaa_close(a);
}

static void a_store_of_a_later_program_is_left_alone(void **state)
{
    (void)state;
    struct aaa *a = service_fresh();
    aaa_close(a);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(service.database, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 999", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    a = NULL;
    assert_int_equal(aaa_open(&service.config, &a, &service.why), ERR_INVALID);
    assert_non_null(strstr(service.why.sentence, "has version 999, this program wants"));
    assert_null(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_gives_pool_and_limit_to_who_has_none_of_their_own),
        cmocka_unit_test(a_full_pool_of_a_group_is_not_made_up_for_by_others),
        cmocka_unit_test(who_may_not_stay_is_told_with_the_cause),
        cmocka_unit_test(a_group_with_users_stays),
        cmocka_unit_test(a_check_judges_as_a_login_and_takes_no_address),
        cmocka_unit_test(a_store_of_the_first_version_keeps_its_users),
        cmocka_unit_test(a_store_of_a_later_program_is_left_alone),
    };
    return cmocka_run_group_tests(tests, service_folder, service_away);
}
