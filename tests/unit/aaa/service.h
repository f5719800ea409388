/* A whole service on a store in a folder of its own, for tests of one noun. */
#ifndef TESTS_UNIT_AAA_SERVICE_H
#define TESTS_UNIT_AAA_SERVICE_H

#include <stdio.h>
#include <unistd.h>

#include "aaa/aaa.h"

#define SERVICE_WALL 1700000000

static struct {
    char folder[32], database[64], key_file[64];
    struct random_test seed;
    struct config_pool pools[2];
    struct aaa_config config;
    struct aaa_why why;
} service = {.folder = "/tmp/sekisho-aaa-XXXXXX"};

static int service_folder(void **state)
{
    (void)state;
    random_test_init(&service.seed, 7);
    if (mkdtemp(service.folder) == NULL)
        return -1;
    snprintf(service.database, sizeof service.database, "%s/users.db", service.folder);
    snprintf(service.key_file, sizeof service.key_file, "%s/users.key", service.folder);
    return 0;
}

static void service_forget(void)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        char path[80];
        snprintf(path, sizeof path, "%s%s", service.database, endings[i]);
        (void)unlink(path);
    }
    (void)unlink(service.key_file);
}

static int service_away(void **state)
{
    (void)state;
    service_forget();
    return rmdir(service.folder);
}

static struct aaa *service_opened(void)
{
    struct aaa *a = NULL;
    if (aaa_open(&service.config, &a, &service.why) != ERR_OK)
        fail_msg("%s", service.why.sentence);
    return a;
}

/* Four addresses in "home". */
static struct aaa *service_fresh(void)
{
    service_forget();
    service.pools[0] = (struct config_pool){.name = "home", .gateway = ip4_addr(0x0a000001)};
    service.pools[0].ranges.range[0] = (struct config_range){0x0a000002, 0x0a000005};
    service.pools[0].ranges.count = 1;
    service.config = (struct aaa_config){.database = service.database,
                                         .key_file = service.key_file,
                                         .pools = service.pools,
                                         .pool_count = 1,
                                         .random = {random_test_fill, &service.seed}};
    return service_opened();
}

/* Grids as they are by default, and an address for everybody. */
static inline void service_grids(struct aaa *a)
{
    service.pools[0].ranges.range[0].last = 0x0a0000fe;
    service.config.grid = (struct config_grid){.enabled = true,
                                               .blocks = 3,
                                               .rows = 4,
                                               .columns = 4,
                                               .alphabet = "0123456789",
                                               .life = 120,
                                               .least = 8,
                                               .in_blocks = 3,
                                               .strangers = true,
                                               .per_source = 60,
                                               .reconnect = 600,
                                               .reconnect_longest = 43200,
                                               .lock_sources = 3,
                                               .exposed = 2};
    assert_int_equal(aaa_reconfigure(a, &service.config), ERR_OK);
}

static inline void service_second_pool(struct aaa *a)
{
    service.pools[1] = service.pools[0];
    snprintf(service.pools[1].name, sizeof service.pools[1].name, "more");
    service.pools[1].ranges.range[0] = (struct config_range){0x0a000102, 0x0a000103};
    service.config.pool_count = 2;
    assert_int_equal(aaa_reconfigure(a, &service.config), ERR_OK);
}

static inline void service_add(struct aaa *a, const char *name)
{
    struct aaa_user u = {.enabled = true};
    snprintf(u.name, sizeof u.name, "%s", name);
    if (aaa_user_add(a, &u, view_str("secret"), SERVICE_WALL, &service.why) != ERR_OK)
        fail_msg("%s", service.why.sentence);
}

static inline struct aaa_answer service_login(struct aaa *a, const char *name, const char *password, uint64_t session)
{
    struct aaa_request r = {.proof = {.method = AAA_METHOD_PAP, .user = name, .password = view_str(password)},
                            .peer = ip4_addr(0xc0000201),
                            .session = session,
                            .wall = SERVICE_WALL,
                            .now = 1000};
    struct aaa_answer answer;
    aaa_login(a, &r, &answer);
    return answer;
}

#endif
