/*
 * What the gateway answers to each verb of the control socket: answer.c has the table, and a file a noun the answers.
 * All run on the service thread.
 */
#ifndef SEKISHO_GATEWAY_ANSWER_H
#define SEKISHO_GATEWAY_ANSWER_H

#include "gateway/gateway_internal.h"

typedef char *answer_to(struct gateway *gateway, const struct ctl_request *request);

answer_to answer_session_list, answer_session_show, answer_session_kick;
answer_to answer_user_add, answer_user_set, answer_user_passwd, answer_user_list, answer_user_del, answer_user_check;
answer_to answer_group_add, answer_group_set, answer_group_list, answer_group_del;
answer_to answer_invite_make, answer_invite_show, answer_invite_use, answer_invite_list, answer_invite_revoke;
answer_to answer_invite_enrol, answer_invite_practise;
answer_to answer_admin_totp, answer_admin_list, answer_admin_del;
answer_to answer_token_make, answer_token_list, answer_token_revoke, answer_token_check;
answer_to answer_pool_list, answer_health, answer_handout_settings;
answer_to answer_grid_policy, answer_grid_remember, answer_grid_show, answer_grid_check, answer_grid_enrol,
    answer_grid_practise, answer_grid_off, answer_grid_unlock;
answer_to answer_totp_begin, answer_totp_confirm, answer_totp_check, answer_totp_off;
answer_to answer_event_list, answer_explain;

/* The reply's line, or asked->later and NULL. */
typedef char *answer_later_to(struct gateway *gateway, const struct ctl_request *request, struct control_asked *asked);

answer_later_to answer_admin_add, answer_admin_passwd, answer_admin_check;

/* A refusal by an error and its sentence; NULL, or an empty one, takes that of the error. */
char *answer_error(enum err e, const struct aaa_why *why);
char *answer_refuse(const char *code, const char *word, const char *text, ...) __attribute__((format(printf, 3, 4)));
char *answer_cause(const char *code, enum cause cause);
/* Fills why and returns result. */
enum err answer_why(struct aaa_why *why, enum err result, const char *word, const char *text, ...)
    __attribute__((format(printf, 4, 5)));
/* A moment of the monotonic clock in seconds since 1970; 0 for 0. */
uint64_t answer_wall(usec_t at);
/* The user as it stands in the store now, as a reply. */
char *answer_user(struct gateway *gateway, const char *name);
/* What a request says of a user. ERR_INVALID with its sentence. */
enum err answer_user_args(const struct ctl_request *request, struct aaa_user *user, struct aaa_why *why);
/* What a request says of a new pattern, or of practising it; borrows from the request. */
struct aaa_new_pattern answer_pattern_args(const struct ctl_request *request);
struct aaa_practice answer_practice_args(const struct ctl_request *request);
/* What has become of it, with the grid to practise on while there are rounds. */
json_t *answer_enrolment(const struct aaa_enrolment *enrolment);
struct stack_counters answer_counters(struct gateway *gateway);

#endif
