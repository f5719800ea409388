/* CERT and CERTREQ payloads (RFC 2408 3.9, 3.10; RFC 4945 3.2, 3.3): one byte of encoding, then bytes that are not
 * looked into. */
#include "ike/ike_message.h"

/* RFC 2408 3.9 */
enum encoding { ENCODING_PKCS7 = 1, ENCODING_X509_SIGNATURE = 4 };

#define REQUESTS_MAX   16   /* authorities that are asked for by name */
#define REQUESTS_BYTES 2048 /* of all their names: they share MM4 with the key exchange */

struct view certificate_read(struct view body)
{
    struct reader r = rd_init(body);
    const uint8_t encoding = rd_u8(&r);
    return encoding == ENCODING_X509_SIGNATURE || encoding == ENCODING_PKCS7 ? rd_rest(&r) : VIEW_NONE;
}

void certificate_write(struct draft *d, struct view der)
{
    draft_payload(d, PAYLOAD_CERT);
    wr_u8(&d->w, ENCODING_X509_SIGNATURE);
    wr_view(&d->w, der);
    draft_payload_end(d);
}

bool request_read(struct view body, struct view *authority)
{
    struct reader r = rd_init(body);
    const uint8_t encoding = rd_u8(&r);
    if (!rd_ok(&r) || (encoding != ENCODING_X509_SIGNATURE && encoding != ENCODING_PKCS7))
        return false;
    *authority = rd_rest(&r);
    return true;
}

static void request_write(struct draft *d, struct view authority)
{
    draft_payload(d, PAYLOAD_CERT_REQUEST);
    wr_u8(&d->w, ENCODING_X509_SIGNATURE);
    wr_view(&d->w, authority);
    draft_payload_end(d);
}

void requests_write(struct draft *d, const struct view *authorities, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += authorities[i].n;
    if (n == 0 || n > REQUESTS_MAX || bytes > REQUESTS_BYTES) {
        request_write(d, VIEW_NONE);
        return;
    }
    for (size_t i = 0; i < n; i++)
        request_write(d, authorities[i]);
}
