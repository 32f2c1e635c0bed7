// A certificate that nobody trusts but these tests: for localhost and 127.0.0.1, from 2020 to 2120. Made by
// `openssl req` and `openssl ca -selfsign` with a key of the curve prime256v1.
export const CERT: string = `-----BEGIN CERTIFICATE-----
MIIBaDCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOXcqVm/Eo54y5yE
2HsSDDPZyS9avO6Z9rsjXsJu1cCSsAvmKqU2mumNisR7O0gyo8KKrZkba6hjfWdU
5aiVDkijTjBMMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAPBgNVHRMBAf8E
BTADAQH/MB0GA1UdDgQWBBQqb6jeq8Sm8Zycxur6cIXZzxnexTAKBggqhkjOPQQD
AgNJADBGAiEAiPLpO7/hVqOedZFp4wtslMw9wf1yDqn3v+n8MwamAQkCIQD2ZFG7
dK3m4/pwO2vlVDWZK4DgB0uK6TDfDkm8AxREFA==
-----END CERTIFICATE-----`;

export const KEY: string = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQH4ce4g5NMP3jmWA
iZkmEXKxyOKWT7hZAAArTcdnm3ShRANCAATl3KlZvxKOeMuchNh7Egwz2ckvWrzu
mfa7I17CbtXAkrAL5iqlNprpjYrEeztIMqPCiq2ZG2uoY31nVOWolQ5I
-----END PRIVATE KEY-----`;
