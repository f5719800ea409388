/*
 * The judge of a login: the proof against the stored password. An unknown user is judged against a password of no one,
 * with the same work, so that neither answer nor time tells whether a name exists.
 */
#include "aaa/aaa_internal.h"

#include <string.h>

static const char nobody[] = "sekisho nobody!";

/* Both sides are hashed first, so that not even the length shows in the time. */
static bool pap_matches(struct view password, const struct aaa_proof *proof)
{
    uint8_t a[HASH_SIZE_MAX], b[HASH_SIZE_MAX];
    bool ok = hash_digest(HASH_SHA256, &password, 1, a) == ERR_OK &&
              hash_digest(HASH_SHA256, &proof->password, 1, b) == ERR_OK &&
              bytes_equal_ct(a, b, hash_size(HASH_SHA256));
    bytes_wipe(a, sizeof a);
    bytes_wipe(b, sizeof b);
    return ok;
}

static bool chap_matches(struct view password, const struct aaa_proof *proof)
{
    uint8_t want[CHAP_MD5_SIZE];
    return proof->response.n == CHAP_MD5_SIZE && proof->challenge.n > 0 &&
           chap_md5_response(proof->id, password, proof->challenge, want) == ERR_OK &&
           bytes_equal_ct(want, proof->response.p, sizeof want);
}

/* Every form of the name is tried, also after one has matched. */
static bool mschap_matches(struct view password, const struct aaa_proof *proof,
                           uint8_t authenticator_response[static MSCHAP_AUTH_RESPONSE])
{
    uint8_t hash[MSCHAP_NT_HASH_SIZE], want[MSCHAP_NT_RESPONSE], back[MSCHAP_AUTH_RESPONSE];
    struct view form[AAA_FORMS_MAX];
    bool ok = false;
    if (proof->challenge.n != MSCHAP_CHALLENGE_SIZE || proof->peer_challenge.n != MSCHAP_CHALLENGE_SIZE ||
        proof->response.n != MSCHAP_NT_RESPONSE || mschap_nt_hash(password, hash) != ERR_OK)
        return false;
    size_t n = name_hashed_forms(proof->user, form);
    for (size_t i = 0; i < n; i++) {
        if (mschapv2_nt_response(hash, proof->challenge.p, proof->peer_challenge.p, form[i], want) != ERR_OK ||
            mschapv2_authenticator_response(hash, proof->response.p, proof->challenge.p, proof->peer_challenge.p,
                                            form[i], back) != ERR_OK)
            continue;
        if (bytes_equal_ct(want, proof->response.p, sizeof want)) {
            memcpy(authenticator_response, back, sizeof back);
            ok = true;
        }
    }
    bytes_wipe(hash, sizeof hash);
    bytes_wipe(want, sizeof want);
    bytes_wipe(back, sizeof back);
    return ok;
}

static bool proof_matches(struct view password, const struct aaa_proof *proof,
                          uint8_t authenticator_response[static MSCHAP_AUTH_RESPONSE])
{
    switch (proof->method) {
    case AAA_METHOD_MSCHAPV2:
        return mschap_matches(password, proof, authenticator_response);
    case AAA_METHOD_CHAP_MD5:
        return chap_matches(password, proof);
    case AAA_METHOD_PAP:
        return pap_matches(password, proof);
    case AAA_METHOD_CERTIFICATE:
    case AAA_METHOD_NONE:
        break;
    }
    return false;
}

enum cause aaa_welcome(const struct aaa_user *user, int64_t wall)
{
    if (!user->enabled || user->barred)
        return CAUSE_AUTH_DISABLED;
    return user->expires != 0 && wall >= user->expires ? CAUSE_AUTH_EXPIRED : CAUSE_NONE;
}

static enum cause judge(const struct aaa_record *record, bool matches, int64_t wall)
{
    if (!record->found)
        return CAUSE_AUTH_NO_USER;
    if (!matches)
        return CAUSE_AUTH_PASSWORD;
    return aaa_welcome(&record->user, wall);
}

/* One thing that may be typed; an empty one costs the same and never matches. */
static bool try(const struct view *password, const struct aaa_proof *proof, uint8_t back[static MSCHAP_AUTH_RESPONSE])
{
    const bool real = password->n > 0;
    return proof_matches(real ? *password : view_str(nobody), proof, back) && real;
}

/* All are tried, also after one has matched. */
void aaa_judge(const struct aaa_record *record, const struct aaa_proof *proof, int64_t wall,
               struct aaa_verdict *verdict)
{
    uint8_t back[MSCHAP_AUTH_RESPONSE] = {0}, found[MSCHAP_AUTH_RESPONSE] = {0};
    bool matches = false;
    size_t match = 0;
    for (size_t i = 0; i <= record->others_n; i++) {
        if (!try(i == 0 ? &record->password : &record->others[i - 1], proof, back) || matches)
            continue;
        matches = true;
        match = i;
        memcpy(found, back, sizeof found);
    }
    if (proof->method == AAA_METHOD_CERTIFICATE)
        matches = true;
    *verdict = (struct aaa_verdict){.cause = judge(record, matches, wall), .match = match};
    verdict->accepted = verdict->cause == CAUSE_NONE;
    if (verdict->accepted)
        memcpy(verdict->authenticator_response, found, sizeof found);
    bytes_wipe(back, sizeof back);
    bytes_wipe(found, sizeof found);
}
