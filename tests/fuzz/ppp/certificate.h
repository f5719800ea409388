/* A certificate and its key, for whoever is fuzzed; it protects nothing. */
#ifndef SEKISHO_FUZZ_PPP_CERTIFICATE_H
#define SEKISHO_FUZZ_PPP_CERTIFICATE_H

static const char fuzz_certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                       "MIIBdzCCAR2gAwIBAgIUZvacp7JmTHX+pqoEnH04Mm2yOd4wCgYIKoZIzj0EAwIw\n"
                                       "EDEOMAwGA1UEAwwFYWxpY2UwIBcNMjYxMTI2MjIzOTU1WhgPMjEyNjExMDIyMjM5\n"
                                       "NTVaMBAxDjAMBgNVBAMMBWFsaWNlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
                                       "rfc/oj8zJ5uTCx1g7gTSO12nhYAhPzFrQcCCr2MG99H7J/f6VcpAwQDq/tMBJFqA\n"
                                       "D8E2RmJSML60ci+Zh0GHH6NTMFEwHQYDVR0OBBYEFIZz5oQm+gyNVFda+dbLscFH\n"
                                       "9EGcMB8GA1UdIwQYMBaAFIZz5oQm+gyNVFda+dbLscFH9EGcMA8GA1UdEwEB/wQF\n"
                                       "MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhALBqFATm86S0xvXLFcpwtNADsNHzGyq0\n"
                                       "utzl11KAV0h5AiBmzjg38g2wx4iuI4tu4i3Ji8VnzgliYq3M30Wp6KE4Cw==\n"
                                       "-----END CERTIFICATE-----\n";

static const char fuzz_key[] = "-----BEGIN PRIVATE KEY-----\n"
                               "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWzdhl3jLfrlCxSmX\n"
                               "Rp4Js9zLWxt/yytARR7WfoVdaWyhRANCAASt9z+iPzMnm5MLHWDuBNI7XaeFgCE/\n"
                               "MWtBwIKvYwb30fsn9/pVykDBAOr+0wEkWoAPwTZGYlIwvrRyL5mHQYcf\n"
                               "-----END PRIVATE KEY-----\n";

#endif
