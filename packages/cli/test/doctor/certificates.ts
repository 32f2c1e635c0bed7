// Certificates that nobody trusts but these tests, made by `openssl req` and `openssl ca -selfsign` with keys of the
// curve prime256v1.

/** A certificate with its key, as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** For localhost and 127.0.0.1, in January 2020. */
export const EXPIRED: Identity = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBZDCCAQugAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwHhcNMjAwMTAxMDAwMDAwWhcNMjAwMjAxMDAwMDAwWjAUMRIwEAYDVQQDDAls
b2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASp4Mru3PsbmfZS4yAh
6cZgtGyj1SWc2KAp3BaTQ9u+lolE9x8rSKsoT5IflUoqeBJrfaprtMUt0SrmdZ7L
e6OOo04wTDAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwDwYDVR0TAQH/BAUw
AwEB/zAdBgNVHQ4EFgQUYKHgnKzao8IT1T7u5LMjMQP0DKMwCgYIKoZIzj0EAwID
RwAwRAIgQNY9SXZJKjOlYaNX23FkVoc5Voy7sHf1LrNrfzNW034CIFlvvuAKJSZ+
GmuPOObSxzCjpm6MikcpNvyupXf+PoAe
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvd7qRb2gb3g5IEcx
f8fdy5lO4O7hML1nOQSB3obyTe+hRANCAASp4Mru3PsbmfZS4yAh6cZgtGyj1SWc
2KAp3BaTQ9u+lolE9x8rSKsoT5IflUoqeBJrfaprtMUt0SrmdZ7Le6OO
-----END PRIVATE KEY-----`,
};

/** For other.example, from 2020 to 2120. */
export const OTHER_HOST: Identity = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBbTCCAROgAwIBAgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1vdGhlci5l
eGFtcGxlMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAYMRYwFAYD
VQQDDA1vdGhlci5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELFxk
Cukc48ortBIXpaL0WaTZNj1wGS7U8aLRCV9XjPZMSm7PSt7jZY+VA8d4tjSrAGQE
haXgGj/XvAbfymxor6NMMEowGAYDVR0RBBEwD4INb3RoZXIuZXhhbXBsZTAPBgNV
HRMBAf8EBTADAQH/MB0GA1UdDgQWBBQwRjGDywGZYXQw8cJs1+6KL0mbLjAKBggq
hkjOPQQDAgNIADBFAiEA2tHEsf5dj2UaZ7hzG7nbERO+FhHJmgmobd70fSBepZQC
IGwBEDDZDAsy01ENbFM6Y1j/TbQ+kSy2T0npbYhkfn5G
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDhLhyMH7sNsYdKaK
UUMrIKrwwJ4Hwqx17/5GquRTFmyhRANCAAQsXGQK6Rzjyiu0EhelovRZpNk2PXAZ
LtTxotEJX1eM9kxKbs9K3uNlj5UDx3i2NKsAZASFpeAaP9e8Bt/KbGiv
-----END PRIVATE KEY-----`,
};
