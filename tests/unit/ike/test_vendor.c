/* Vendor IDs of real clients (clients.md 2.1, 3.1, 4.1, 5.1): what the peer is, and which NAT traversal it gets. */
#include "ike/ike_message.h"
#include "tests/test.h"

#define RFC_3947      "4a131c81070358455c5728f20e95452f"
#define APPLE         "4df37928e9fc4fd1b3262170d515c662"
#define DRAFT_08      "8f8d83826d246b6fc7a8a6a428c11de8"
#define DRAFT_03      "7d9419a65310ca6f2c179d9215529d56"
#define DRAFT_02_N    "90cb80913ebb696e086381b5ec427b1f"
#define DRAFT_02      "cd60464335df21f87cfdb2fc68b6a448"
#define DRAFT_00      "4485152d18b6bbcd0be8a8469579ddcc"
#define FRAGMENTATION "4048b7d56ebce88525e7de7f00d6c2d380000000"
#define DPD           "afcad71368a1f1c96b8696fc77570100"
#define XAUTH         "09002689dfd6b712"
#define MICROSOFT     "1e2b516905991c7d7c96fcbfb587e461"

static void read_ids(const char *const *ids, size_t n, struct vendors *v)
{
    static uint8_t bytes[16][32];
    struct payloads p = {.n = n};
    for (size_t i = 0; i < n; i++)
        p.at[i] = (struct payload){PAYLOAD_VENDOR, view_of(bytes[i], unhex(ids[i], bytes[i], sizeof(bytes[i])))};
    vendors_read(&p, v);
}

static void clients_are_known_by_their_vendor_ids(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        enum natt natt;
        bool weak_sha256;
        const char *ids[8];
        size_t n;
    } cases[] = {
        {"Windows 8+", NATT_RFC_3947, false, {MICROSOFT "00000009", RFC_3947, DRAFT_02_N}, 3},
        {"Windows 7/2008 R2", NATT_RFC_3947, false, {MICROSOFT "00000008", RFC_3947, DRAFT_02_N}, 3},
        {"Windows XP/2003", NATT_DRAFT_02_N, false, {MICROSOFT "00000004", DRAFT_02_N}, 2},
        {"Windows 8+", NATT_NONE, false, {MICROSOFT "ffffffff"}, 1},
        {"Windows", NATT_NONE, false, {MICROSOFT}, 1},
        {"Apple", NATT_RFC_3947, false, {RFC_3947, APPLE, DRAFT_08, DRAFT_03, DRAFT_02, DPD}, 6},
        {"Android/racoon", NATT_RFC_3947, true, {RFC_3947, DRAFT_02, DRAFT_02_N, DRAFT_00, FRAGMENTATION, DPD}, 6},
        {"strongSwan", NATT_RFC_3947, false, {XAUTH, DPD, FRAGMENTATION, RFC_3947, DRAFT_02_N}, 5},
        {"libreswan", NATT_RFC_3947, false, {FRAGMENTATION, DPD, RFC_3947, DRAFT_03, DRAFT_02_N, DRAFT_02}, 6},
        {"Sekisho", NATT_RFC_3947, false, {RFC_3947, DRAFT_03, DPD, "2faa02b56f786f76a1c1a396f0a1df0d"}, 4},
        {"?", NATT_DRAFT_03, false, {DRAFT_02, DRAFT_03}, 2},
        {"?", NATT_DRAFT_02, false, {DRAFT_02, DRAFT_00}, 2},
        {"Apple", NATT_NONE, false, {APPLE, DRAFT_08}, 2}, /* these two are never answered */
        {"?", NATT_NONE, false, {"00", ""}, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct vendors v;
        read_ids(cases[i].ids, cases[i].n, &v);
        assert_string_equal(vendors_kind(&v), cases[i].kind);
        assert_int_equal(vendors_natt(&v), cases[i].natt);
        assert_int_equal(vendors_weak_sha256(&v), cases[i].weak_sha256);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_known_by_their_vendor_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
