/* Tunnel authentication (RFC 2661 5.1.1): a CHAP response whose identifier is the type of the message that carries it,
 * so that SCCRP's and SCCCN's differ. */
#include "l2tp/l2tp_internal.h"

enum err l2tp_auth_response(uint16_t type, struct view secret, struct view challenge, uint8_t out[static RESPONSE_SIZE])
{
    const uint8_t id = (uint8_t)type;
    const struct view parts[] = {{&id, 1}, secret, challenge};
    return hash_digest(HASH_MD5, parts, ARRAY_LEN(parts), out);
}

bool l2tp_auth_matches(uint16_t type, struct view secret, struct view challenge, struct view response)
{
    uint8_t expected[RESPONSE_SIZE];
    if (response.n != sizeof(expected) || l2tp_auth_response(type, secret, challenge, expected) != ERR_OK)
        return false;
    const bool equal = bytes_equal_ct(expected, response.p, sizeof(expected));
    bytes_wipe(expected, sizeof(expected));
    return equal;
}
