/* Proofs and names, judged. */
#include "tests/test.h"

#include "aaa/aaa_internal.h"

#define WALL 1700000000

static struct aaa_record record(const char *password)
{
    struct aaa_record r = {.found = true, .password = view_str(password)};
    snprintf(r.user.name, sizeof r.user.name, "User");
    r.user.enabled = true;
    return r;
}

static enum cause judged(const struct aaa_record *r, const struct aaa_proof *proof)
{
    struct aaa_verdict v;
    aaa_judge(r, proof, WALL, &v);
    assert_int_equal(v.accepted, v.cause == CAUSE_NONE);
    return v.cause;
}

static void pap_wants_the_very_password(void **state)
{
    (void)state;
    const struct aaa_record r = record("secret");
    struct aaa_proof p = {.method = AAA_METHOD_PAP, .user = "User", .password = view_str("secret")};
    assert_int_equal(judged(&r, &p), CAUSE_NONE);
    static const char *const wrong[] = {"Secret", "secre", "secretx", ""};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        p.password = view_str(wrong[i]);
        assert_int_equal(judged(&r, &p), CAUSE_AUTH_PASSWORD);
    }
}

static void chap_md5_wants_the_hash_over_this_challenge(void **state)
{
    (void)state;
    const struct aaa_record r = record("secret");
    uint8_t challenge[16] = {1, 2, 3}, response[CHAP_MD5_SIZE];
    assert_int_equal(chap_md5_response(9, view_str("secret"), VIEW(challenge), response), ERR_OK);
    struct aaa_proof p = {.method = AAA_METHOD_CHAP_MD5,
                          .user = "User",
                          .id = 9,
                          .challenge = VIEW(challenge),
                          .response = VIEW(response)};
    assert_int_equal(judged(&r, &p), CAUSE_NONE);
    p.id = 10;
    assert_int_equal(judged(&r, &p), CAUSE_AUTH_PASSWORD);
    p.id = 9;
    p.response.n--;
    assert_int_equal(judged(&r, &p), CAUSE_AUTH_PASSWORD);
    p.response.n++;
    p.challenge.n = 0;
    assert_int_equal(judged(&r, &p), CAUSE_AUTH_PASSWORD);
}

/* The example of RFC 2759 9.2. */
struct example {
    uint8_t authenticator[16], peer[16], response[24];
    struct aaa_proof proof;
};

static void example(struct example *e, const char *user)
{
    unhex("5B5D7C7D7B3F2F3E3C2C602132262628", e->authenticator, 16);
    unhex("21402324255E262A28295F2B3A337C7E", e->peer, 16);
    unhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF", e->response, 24);
    e->proof = (struct aaa_proof){.method = AAA_METHOD_MSCHAPV2,
                                  .user = user,
                                  .challenge = VIEW(e->authenticator),
                                  .peer_challenge = VIEW(e->peer),
                                  .response = VIEW(e->response)};
}

static void mschapv2_is_answered_as_in_the_rfc(void **state)
{
    (void)state;
    const struct aaa_record r = record("clientPass");
    struct example e;
    struct aaa_verdict v;
    uint8_t want[MSCHAP_AUTH_RESPONSE];
    unhex("407A5589115FD0D6209F510FE9C04566932CDA56", want, sizeof want);
    static const char *const names[] = {"User", "DOMAIN\\User", "User@example.net", "DOMAIN\\User@example.net"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        example(&e, names[i]);
        aaa_judge(&r, &e.proof, WALL, &v);
        assert_true(v.accepted);
        assert_memory_equal(v.authenticator_response, want, sizeof want);
    }
}

static void mschapv2_hashed_with_the_domain_is_taken_too(void **state)
{
    (void)state;
    const struct aaa_record r = record("clientPass");
    struct example e;
    uint8_t hash[MSCHAP_NT_HASH_SIZE];
    example(&e, "DOMAIN\\User");
    assert_int_equal(mschap_nt_hash(view_str("clientPass"), hash), ERR_OK);
    assert_int_equal(mschapv2_nt_response(hash, e.authenticator, e.peer, view_str("DOMAIN\\User"), e.response), ERR_OK);
    assert_int_equal(judged(&r, &e.proof), CAUSE_NONE);
}

static void mschapv2_with_anything_altered_is_refused(void **state)
{
    (void)state;
    const struct aaa_record r = record("clientPass"), other = record("clientpass");
    struct example e;
    struct aaa_verdict v;
    static const uint8_t nothing[MSCHAP_AUTH_RESPONSE];
    example(&e, "User");
    assert_int_equal(judged(&other, &e.proof), CAUSE_AUTH_PASSWORD);
    example(&e, "Usir");
    assert_int_equal(judged(&r, &e.proof), CAUSE_AUTH_PASSWORD);
    for (size_t i = 0; i < 24; i++) {
        example(&e, "User");
        e.response[i] ^= 1;
        aaa_judge(&r, &e.proof, WALL, &v);
        assert_int_equal(v.cause, CAUSE_AUTH_PASSWORD);
        assert_memory_equal(v.authenticator_response, nothing, sizeof nothing);
    }
    example(&e, "User");
    e.proof.peer_challenge.n = 8;
    assert_int_equal(judged(&r, &e.proof), CAUSE_AUTH_PASSWORD);
}

static void nobody_can_log_in_as_a_user_who_is_not_there(void **state)
{
    (void)state;
    const struct aaa_record none = {.found = false}, empty = {.found = true};
    struct aaa_proof p = {.method = AAA_METHOD_PAP, .user = "x", .password = view_str("sekisho nobody!")};
    assert_int_equal(judged(&none, &p), CAUSE_AUTH_NO_USER);
    assert_int_equal(judged(&empty, &p), CAUSE_AUTH_PASSWORD);
    p.password = VIEW_NONE;
    assert_int_equal(judged(&none, &p), CAUSE_AUTH_NO_USER);
    assert_int_equal(judged(&empty, &p), CAUSE_AUTH_PASSWORD);
    p.method = AAA_METHOD_NONE;
    assert_int_equal(judged(&empty, &p), CAUSE_AUTH_PASSWORD);
}

static void disabled_and_expired_is_told_only_after_the_password(void **state)
{
    (void)state;
    struct aaa_record r = record("secret");
    struct aaa_proof good = {.method = AAA_METHOD_PAP, .user = "User", .password = view_str("secret")};
    struct aaa_proof bad = {.method = AAA_METHOD_PAP, .user = "User", .password = view_str("guess")};
    r.user.expires = WALL + 1;
    assert_int_equal(judged(&r, &good), CAUSE_NONE);
    r.user.expires = WALL;
    assert_int_equal(judged(&r, &good), CAUSE_AUTH_EXPIRED);
    assert_int_equal(judged(&r, &bad), CAUSE_AUTH_PASSWORD);
    r.user.enabled = false;
    assert_int_equal(judged(&r, &good), CAUSE_AUTH_DISABLED);
    assert_int_equal(judged(&r, &bad), CAUSE_AUTH_PASSWORD);
}

static void names_are_looked_for_with_and_without_their_domain(void **state)
{
    (void)state;
    char form[AAA_FORMS_MAX][AAA_NAME_MAX];
    assert_int_equal(aaa_name_forms("alice", form), 1);
    assert_string_equal(form[0], "alice");
    assert_int_equal(aaa_name_forms("CORP\\alice", form), 1);
    assert_string_equal(form[0], "alice");
    assert_int_equal(aaa_name_forms("alice@corp.example", form), 2);
    assert_string_equal(form[0], "alice@corp.example");
    assert_string_equal(form[1], "alice");
    assert_int_equal(aaa_name_forms("CORP\\alice@x", form), 2);
    assert_string_equal(form[0], "alice@x");
    static const char *const bad[] = {"", "\\", "@", "CORP\\", "a b", "a/b", "a\"b", "a\nb"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(aaa_name_forms(bad[i], form), strcmp(bad[i], "@") == 0 ? 1 : 0);
    char longest[AAA_NAME_MAX + 1];
    memset(longest, 'a', sizeof longest - 1);
    longest[AAA_NAME_MAX] = '\0';
    assert_int_equal(aaa_name_forms(longest, form), 0);
    longest[AAA_NAME_MAX - 1] = '\0';
    assert_int_equal(aaa_name_forms(longest, form), 1);
}

static void case_of_ascii_letters_does_not_matter(void **state)
{
    (void)state;
    assert_true(aaa_names_equal("Alice", "aLICE"));
    assert_false(aaa_names_equal("alice", "alice2"));
    assert_false(aaa_names_equal("\xc3\x84", "\xc3\xa4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pap_wants_the_very_password),
        cmocka_unit_test(chap_md5_wants_the_hash_over_this_challenge),
        cmocka_unit_test(mschapv2_is_answered_as_in_the_rfc),
        cmocka_unit_test(mschapv2_hashed_with_the_domain_is_taken_too),
        cmocka_unit_test(mschapv2_with_anything_altered_is_refused),
        cmocka_unit_test(nobody_can_log_in_as_a_user_who_is_not_there),
        cmocka_unit_test(disabled_and_expired_is_told_only_after_the_password),
        cmocka_unit_test(names_are_looked_for_with_and_without_their_domain),
        cmocka_unit_test(case_of_ascii_letters_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
