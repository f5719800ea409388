/* The whole service on a store in a folder of its own: users, logins, addresses, reload. */
#include "tests/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "aaa/aaa_internal.h"

#define WALL 1700000000

static char folder[] = "/tmp/sekisho-aaa-XXXXXX";
static char database[64], key_file[64];
static struct random_test seed;
static struct aaa_why why;
static struct config_pool pools[2];

static struct aaa_config config(void)
{
    return (struct aaa_config){database, key_file, pools, 1, 0, {random_test_fill, &seed}};
}

static void forget(void)
{
    char path[80];
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        snprintf(path, sizeof path, "%s%s", database, endings[i]);
        (void)unlink(path);
    }
    (void)unlink(key_file);
}

static struct aaa *opened(const struct aaa_config *c)
{
    struct aaa *a = NULL;
    if (aaa_open(c, &a, &why) != ERR_OK)
        fail_msg("%s", why.sentence);
    return a;
}

static struct aaa *fresh(void)
{
    forget();
    pools[0] = (struct config_pool){.name = "home", .gateway = ip4_addr(0x0a000001)};
    pools[0].ranges.range[0] = (struct config_range){0x0a000002, 0x0a000005};
    pools[0].ranges.count = 1;
    pools[0].dns.addr[0] = ip4_addr(0x08080808);
    pools[0].dns.count = 1;
    const struct aaa_config c = config();
    return opened(&c);
}

static struct aaa_user user(const char *name)
{
    struct aaa_user u = {.enabled = true};
    snprintf(u.name, sizeof u.name, "%s", name);
    return u;
}

static void add(struct aaa *a, const struct aaa_user *u)
{
    if (aaa_user_add(a, u, view_str("secret"), WALL, &why) != ERR_OK)
        fail_msg("%s", why.sentence);
}

static struct aaa_answer login(struct aaa *a, const char *name, const char *password, uint64_t session)
{
    struct aaa_request r = {.proof = {.method = AAA_METHOD_PAP, .user = name, .password = view_str(password)},
                            .peer = ip4_addr(0xc0000201),
                            .session = session,
                            .wall = WALL,
                            .now = 1000};
    struct aaa_answer answer;
    aaa_login(a, &r, &answer);
    return answer;
}

/* What a login with the right password leases; 0 when refused. */
static uint32_t address_of(struct aaa *a, const char *name, uint64_t session)
{
    struct aaa_answer answer = login(a, name, "secret", session);
    return ip4_value(&answer.address);
}

static void a_user_logs_in_and_gets_an_address_and_its_servers(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user u = user("Alice"), got;
    add(a, &u);
    struct aaa_answer answer = login(a, "CORP\\alice", "secret", 1);
    assert_true(answer.accepted);
    assert_string_equal(answer.user, "Alice");
    assert_int_equal(ip4_value(&answer.address), 0x0a000002);
    assert_int_equal(ip4_value(&answer.gateway), 0x0a000001);
    assert_int_equal(ip4_value(&answer.dns[0]), 0x08080808);
    assert_int_equal(answer.dns[1].family, 0);
    assert_string_equal(answer.pool, "home");
    assert_int_equal(aaa_user_get(a, "ALICE", &got, &why), ERR_OK);
    assert_int_equal(got.sessions, 1);
    assert_int_equal(got.last_login, WALL);
    assert_int_equal(got.created, WALL);
    struct aaa_usage usage = aaa_usage(a);
    assert_true(usage.size == 4 && usage.used == 1 && usage.accepted == 1 && usage.refused == 0);
    aaa_logout(a, 1, USEC_SEC);
    aaa_logout(a, 1, USEC_SEC);
    assert_int_equal(aaa_usage(a).used, 0);
    aaa_close(a);
}

/* What a login to the portal hangs on. */
static void a_stamp_changes_with_the_password_and_with_the_user_alone(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user u = user("alice"), first, got;
    add(a, &u);
    assert_int_equal(aaa_user_get(a, "alice", &first, &why), ERR_OK);
    assert_int_equal(strlen(first.stamp), AAA_STAMP_MAX - 1);
    assert_true(login(a, "alice", "secret", 1).accepted);
    snprintf(u.note, sizeof u.note, "moved upstairs");
    assert_int_equal(aaa_user_set(a, &u, &why), ERR_OK);
    assert_int_equal(aaa_user_get(a, "ALICE", &got, &why), ERR_OK);
    assert_string_equal(got.stamp, first.stamp);
    assert_int_equal(aaa_user_password(a, "alice", view_str("secret"), &why), ERR_OK); /* the same word anew */
    assert_int_equal(aaa_user_get(a, "alice", &got, &why), ERR_OK);
    assert_string_not_equal(got.stamp, first.stamp);
    assert_int_equal(aaa_user_del(a, "alice", &why), ERR_OK);
    add(a, &u); /* another alice, of the same second */
    assert_int_equal(aaa_user_get(a, "alice", &first, &why), ERR_OK);
    assert_string_not_equal(got.stamp, first.stamp);
    aaa_close(a);
}

static void wrong_words_are_refused_with_their_cause(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user u = user("alice");
    add(a, &u);
    assert_int_equal(login(a, "alice", "guess", 1).cause, CAUSE_AUTH_PASSWORD);
    assert_int_equal(login(a, "mallory", "secret", 1).cause, CAUSE_AUTH_NO_USER);
    assert_int_equal(login(a, "", "", 1).cause, CAUSE_AUTH_NO_USER);
    u.enabled = false;
    assert_int_equal(aaa_user_set(a, &u, &why), ERR_OK);
    assert_int_equal(login(a, "alice", "secret", 1).cause, CAUSE_AUTH_DISABLED);
    assert_int_equal(aaa_usage(a).used, 0);
    assert_int_equal(aaa_usage(a).refused, 4);
    aaa_close(a);
}

static void too_many_guesses_have_to_wait_even_with_the_right_word(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user u = user("alice");
    add(a, &u);
    for (int i = 0; i < 5; i++)
        assert_int_equal(login(a, "alice", "guess", 1).cause, CAUSE_AUTH_PASSWORD);
    struct aaa_answer answer = login(a, "alice", "secret", 1);
    assert_int_equal(answer.cause, CAUSE_AUTH_WAIT);
    assert_false(answer.accepted);
    assert_int_equal(answer.address.family, 0);
    aaa_close(a);
}

static void a_user_finds_the_address_of_last_time_even_after_a_restart(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice"), bob = user("bob");
    add(a, &alice);
    add(a, &bob);
    assert_int_equal(address_of(a, "bob", 1), 0x0a000002);
    assert_int_equal(address_of(a, "alice", 2), 0x0a000003);
    const struct aaa_config c = config();
    aaa_close(a);
    a = opened(&c);
    assert_int_equal(address_of(a, "alice", 3), 0x0a000003);
    assert_int_equal(address_of(a, "bob", 4), 0x0a000002);
    assert_int_not_equal(address_of(a, "bob", 5), 0x0a000002);
    aaa_close(a);
}

static void a_fixed_address_is_kept_for_its_user(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice"), bob = user("bob");
    alice.address = ip4_addr(0x0a000002);
    add(a, &alice);
    add(a, &bob);
    for (uint64_t s = 1; s <= 3; s++)
        assert_int_not_equal(address_of(a, "bob", s), 0x0a000002);
    assert_int_equal(login(a, "bob", "secret", 4).cause, CAUSE_POOL_EMPTY);
    assert_int_equal(address_of(a, "alice", 5), 0x0a000002);
    aaa_close(a);
}

static void a_second_login_takes_the_fixed_address_over_from_the_first(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice");
    alice.address = ip4_addr(0x0a000003);
    alice.max_sessions = 1;
    add(a, &alice);
    assert_int_equal(login(a, "alice", "secret", 1).replaces, 0);
    struct aaa_answer second = login(a, "alice", "secret", 2);
    assert_true(second.accepted);
    assert_int_equal(second.replaces, 1);
    assert_int_equal(ip4_value(&second.address), 0x0a000003);
    aaa_logout(a, 1, USEC_SEC); /* the old session ends late: the new one keeps its address */
    assert_int_equal(aaa_usage(a).used, 1);
    aaa_close(a);
}

static void an_address_that_another_holds_is_not_taken_from_it(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice"), bob = user("bob");
    add(a, &alice);
    add(a, &bob);
    assert_int_equal(address_of(a, "bob", 1), 0x0a000002);
    alice.address = ip4_addr(0x0a000002);
    assert_int_equal(aaa_user_set(a, &alice, &why), ERR_OK);
    assert_int_equal(login(a, "alice", "secret", 2).cause, CAUSE_ADDRESS_TAKEN);
    aaa_logout(a, 1, USEC_SEC);
    assert_int_equal(address_of(a, "alice", 2), 0x0a000002);
    assert_int_not_equal(address_of(a, "bob", 3), 0x0a000002);
    aaa_close(a);
}

static void sessions_of_one_user_are_limited_by_its_own_or_the_common_number(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice"), bob = user("bob");
    bob.max_sessions = 2;
    add(a, &alice);
    add(a, &bob);
    struct aaa_config c = config();
    c.sessions_per_user = 1;
    assert_int_equal(aaa_reconfigure(a, &c), ERR_OK);
    assert_true(login(a, "alice", "secret", 1).accepted);
    assert_int_equal(login(a, "alice", "secret", 2).cause, CAUSE_AUTH_LIMIT);
    assert_true(login(a, "bob", "secret", 3).accepted);
    assert_true(login(a, "bob", "secret", 4).accepted);
    assert_int_equal(login(a, "bob", "secret", 5).cause, CAUSE_AUTH_LIMIT);
    aaa_logout(a, 3, USEC_SEC);
    assert_true(login(a, "bob", "secret", 6).accepted);
    aaa_close(a);
}

static void a_new_range_leaves_live_leases_alone(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice"), bob = user("bob");
    bob.address = ip4_addr(0x0a000005);
    add(a, &alice);
    add(a, &bob);
    assert_int_equal(address_of(a, "alice", 1), 0x0a000002);
    assert_int_equal(address_of(a, "alice", 2), 0x0a000003);
    pools[0].ranges.range[0] = (struct config_range){0x0a000003, 0x0a000004};
    const struct aaa_config c = config();
    assert_int_equal(aaa_reconfigure(a, &c), ERR_OK);
    assert_int_equal(aaa_usage(a).used, 1); /* .3 is in the new pool and still leased, .2 is outside */
    assert_int_equal(address_of(a, "alice", 3), 0x0a000004);
    assert_int_equal(login(a, "alice", "secret", 4).cause, CAUSE_POOL_EMPTY);
    assert_int_equal(login(a, "bob", "secret", 5).cause, CAUSE_ADDRESS_OUTSIDE);
    aaa_logout(a, 1, USEC_SEC);
    aaa_logout(a, 2, USEC_SEC);
    assert_int_equal(address_of(a, "alice", 6), 0x0a000003);
    aaa_close(a);
}

static void a_second_pool_serves_when_the_first_is_empty(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice");
    add(a, &alice);
    pools[1] = pools[0];
    snprintf(pools[1].name, sizeof pools[1].name, "more");
    pools[0].ranges.range[0].last = 0x0a000002;
    pools[1].ranges.range[0] = (struct config_range){0x0a000102, 0x0a000102};
    struct aaa_config c = config();
    c.pool_count = 2;
    assert_int_equal(aaa_reconfigure(a, &c), ERR_OK);
    assert_string_equal(login(a, "alice", "secret", 1).pool, "home");
    assert_string_equal(login(a, "alice", "secret", 2).pool, "more");
    assert_int_equal(login(a, "alice", "secret", 3).cause, CAUSE_POOL_EMPTY);
    aaa_close(a);
}

static void what_is_wrong_with_a_user_is_said(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice"), bad = user("a b"), clash = user("ALICE"), bob = user("bob");
    alice.address = ip4_addr(0x0a000002);
    add(a, &alice);
    assert_int_equal(aaa_user_add(a, &bad, view_str("x"), WALL, &why), ERR_INVALID);
    assert_int_equal(aaa_user_add(a, &clash, view_str("x"), WALL, &why), ERR_EXISTS);
    assert_string_equal(why.sentence, "There is a user ALICE already.");
    assert_int_equal(aaa_user_add(a, &bob, VIEW_NONE, WALL, &why), ERR_INVALID);
    assert_int_equal(aaa_user_add(a, &bob, view_str("a\nb"), WALL, &why), ERR_INVALID);
    assert_int_equal(aaa_user_add(a, &bob, view_str("\xff\xfe"), WALL, &why), ERR_INVALID);
    assert_string_equal(why.sentence, "A password must be text in UTF-8.");
    bob.address = ip4_addr(0x0a000002);
    assert_int_equal(aaa_user_add(a, &bob, view_str("x"), WALL, &why), ERR_EXISTS);
    assert_string_equal(why.sentence, "The address 10.0.0.2 belongs to the user alice.");
    bob.address = ip4_addr(0x0a000001);
    assert_int_equal(aaa_user_add(a, &bob, view_str("x"), WALL, &why), ERR_INVALID);
    assert_int_equal(aaa_user_set(a, &bob, &why), ERR_NOTFOUND);
    assert_int_equal(aaa_user_del(a, "bob", &why), ERR_NOTFOUND);
    assert_int_equal(aaa_user_password(a, "bob", view_str("x"), &why), ERR_NOTFOUND);
    assert_string_equal(why.sentence, "There is no user bob.");
    aaa_close(a);
}

static void a_removed_user_is_gone_and_its_address_free(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice"), bob = user("bob");
    alice.address = ip4_addr(0x0a000002);
    add(a, &alice);
    add(a, &bob);
    assert_int_equal(aaa_user_password(a, "Alice", view_str("other"), &why), ERR_OK);
    assert_int_equal(login(a, "alice", "secret", 1).cause, CAUSE_AUTH_PASSWORD);
    assert_true(login(a, "alice", "other", 1).accepted);
    assert_int_equal(aaa_user_del(a, "ALICE", &why), ERR_OK);
    assert_int_equal(login(a, "alice", "other", 2).cause, CAUSE_AUTH_NO_USER);
    aaa_logout(a, 1, USEC_SEC);
    for (uint64_t s = 3; s <= 6; s++)
        assert_true(login(a, "bob", "secret", s).accepted);
    aaa_close(a);
}

static bool count_two(void *ctx, const struct aaa_user *u)
{
    static const char *const names[] = {"alice", "Bob", "carol"};
    size_t *n = ctx;
    assert_string_equal(u->name, names[*n]);
    return ++*n < 2;
}

static void users_are_listed_by_name_until_the_listener_has_enough(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    static const char *const names[] = {"carol", "alice", "Bob"};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct aaa_user u = user(names[i]);
        add(a, &u);
    }
    assert_int_equal(aaa_user_each(a, count_two, &n, &why), ERR_OK);
    assert_int_equal(n, 2);
    n = 0;
    assert_int_equal(aaa_user_each(a, count_two, &n, &why), ERR_OK);
    aaa_close(a);
}

static void key_and_store_are_private_and_belong_together(void **state)
{
    (void)state;
    struct stat st;
    struct aaa *a = fresh(), *b = NULL;
    struct aaa_config c = config();
    assert_int_equal(stat(database, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(key_file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    aaa_close(a);

    assert_int_equal(chmod(key_file, 0644), 0);
    assert_int_equal(aaa_open(&c, &b, &why), ERR_INVALID);
    assert_non_null(strstr(why.sentence, "Others may read the key file"));

    assert_int_equal(unlink(key_file), 0);
    assert_int_equal(aaa_open(&c, &b, &why), ERR_INVALID);
    assert_non_null(strstr(why.sentence, "is missing"));

    FILE *f = fopen(key_file, "w");
    assert_non_null(f);
    fprintf(f, "%032d", 7);
    fclose(f);
    assert_int_equal(chmod(key_file, 0600), 0);
    assert_int_equal(aaa_open(&c, &b, &why), ERR_INVALID);
    assert_non_null(strstr(why.sentence, "does not belong to the user store"));
    assert_null(b);
}

static void a_store_that_cannot_be_is_refused_with_a_sentence(void **state)
{
    (void)state;
    struct aaa *a = fresh(), *b = NULL;
    aaa_close(a);
    struct aaa_config c = config();
    c.database = "/nonexistent/users.db";
    assert_int_equal(aaa_open(&c, &b, &why), ERR_SYSTEM);
    assert_non_null(strstr(why.sentence, "cannot be opened: No such file"));
    c.database = key_file; /* a file, but no database */
    assert_int_not_equal(aaa_open(&c, &b, &why), ERR_OK);
    assert_null(b);
}

static int make_folder(void **state)
{
    (void)state;
    random_test_init(&seed, 5);
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(database, sizeof database, "%s/users.db", folder);
    snprintf(key_file, sizeof key_file, "%s/users.key", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    forget();
    return rmdir(folder);
}

static struct aaa_answer login_from(struct aaa *a, const char *name, uint64_t session, const char *station)
{
    struct aaa_request r = {.proof = {.method = AAA_METHOD_PAP, .user = name, .password = view_str("secret")},
                            .peer = ip4_addr(0xc0000201),
                            .station = station,
                            .session = session,
                            .wall = WALL,
                            .now = USEC_SEC};
    struct aaa_answer answer;
    aaa_login(a, &r, &answer);
    return answer;
}

static void a_device_that_comes_back_goes_on_with_its_address(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice"), bob = user("bob");
    add(a, &alice);
    add(a, &bob);
    const struct aaa_answer laptop = login_from(a, "alice", 1, "sekisho-1");
    const struct aaa_answer phone = login_from(a, "alice", 2, "");
    assert_true(laptop.accepted && phone.accepted);
    assert_false(ip_equal(&laptop.address, &phone.address));
    const struct aaa_answer again = login_from(a, "alice", 3, "sekisho-1");
    assert_true(again.accepted && ip_equal(&again.address, &laptop.address));
    assert_int_equal(again.replaces, 1);
    aaa_logout(a, 1, USEC_SEC); /* the old self is noticed late: the address stays the new one's */
    const struct aaa_answer third = login_from(a, "alice", 4, "sekisho-1");
    assert_int_equal(third.replaces, 3);
    /* Another user who says to be that device gets an address of its own. */
    const struct aaa_answer thief = login_from(a, "bob", 5, "sekisho-1");
    assert_true(thief.accepted && thief.replaces == 0);
    assert_false(ip_equal(&thief.address, &laptop.address));
    aaa_close(a);
}

static void a_device_whose_address_left_the_range_comes_back_to_a_new_one(void **state)
{
    (void)state;
    struct aaa *a = fresh();
    struct aaa_user alice = user("alice");
    add(a, &alice);
    const struct aaa_answer before = login_from(a, "alice", 1, "sekisho-1");
    assert_int_equal(ip4_value(&before.address), 0x0a000002);
    pools[0].ranges.range[0] = (struct config_range){0x0a000003, 0x0a000004};
    struct aaa_config c = config();
    c.sessions_per_user = 1;
    assert_int_equal(aaa_reconfigure(a, &c), ERR_OK);
    /* Its old session has not been found dead yet: it is replaced, and does not count. */
    const struct aaa_answer back = login_from(a, "alice", 2, "sekisho-1");
    assert_int_equal(back.cause, CAUSE_NONE);
    assert_int_equal(ip4_value(&back.address), 0x0a000003);
    assert_int_equal(back.replaces, 1);
    aaa_logout(a, 1, USEC_SEC);
    assert_int_equal(aaa_usage(a).used, 1);
    assert_int_equal(login_from(a, "alice", 3, "sekisho-2").cause, CAUSE_AUTH_LIMIT);
    /* The new session is the device's now. */
    const struct aaa_answer again = login_from(a, "alice", 4, "sekisho-1");
    assert_true(again.accepted && ip_equal(&again.address, &back.address));
    assert_int_equal(again.replaces, 2);
    aaa_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_logs_in_and_gets_an_address_and_its_servers),
        cmocka_unit_test(a_stamp_changes_with_the_password_and_with_the_user_alone),
        cmocka_unit_test(wrong_words_are_refused_with_their_cause),
        cmocka_unit_test(too_many_guesses_have_to_wait_even_with_the_right_word),
        cmocka_unit_test(a_user_finds_the_address_of_last_time_even_after_a_restart),
        cmocka_unit_test(a_fixed_address_is_kept_for_its_user),
        cmocka_unit_test(a_second_login_takes_the_fixed_address_over_from_the_first),
        cmocka_unit_test(a_device_that_comes_back_goes_on_with_its_address),
        cmocka_unit_test(a_device_whose_address_left_the_range_comes_back_to_a_new_one),
        cmocka_unit_test(an_address_that_another_holds_is_not_taken_from_it),
        cmocka_unit_test(sessions_of_one_user_are_limited_by_its_own_or_the_common_number),
        cmocka_unit_test(a_new_range_leaves_live_leases_alone),
        cmocka_unit_test(a_second_pool_serves_when_the_first_is_empty),
        cmocka_unit_test(what_is_wrong_with_a_user_is_said),
        cmocka_unit_test(a_removed_user_is_gone_and_its_address_free),
        cmocka_unit_test(users_are_listed_by_name_until_the_listener_has_enough),
        cmocka_unit_test(key_and_store_are_private_and_belong_together),
        cmocka_unit_test(a_store_that_cannot_be_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
