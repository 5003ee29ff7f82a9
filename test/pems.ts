/** A certificate of nobody's; its key is gone. */
export const certificatePem = `-----BEGIN CERTIFICATE-----
MIIBjDCCATGgAwIBAgIUGk4MF6XZF1p0YKRExe/8AECNyHEwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPQ0Egb2YgdGhlIHRlc3RzMCAXDTI2MTEyNjE0MzAzMFoYDzIx
MjYxMTAyMTQzMDMwWjAaMRgwFgYDVQQDDA9DQSBvZiB0aGUgdGVzdHMwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAARoeMMvq7y5Vxd2L6LOjNQkAV6/E2DzQ8wJXNL5
iinCCtG9sL0FQ+tsP7iuyWuwVz4j3KLoaS9VGyplNvRQeM/uo1MwUTAdBgNVHQ4E
FgQUsO+gPn+wGWdlqQj+gDp0OcdWQuowHwYDVR0jBBgwFoAUsO+gPn+wGWdlqQj+
gDp0OcdWQuowDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEA4REf
FTwYq9CsBeBMIScWN8jMvxGQY18iqhTpUEQQ5BICIQDSBTcxzBAU1bnlnIy4PyVA
vPwoYrma/RS6Lc8YCHXBeA==
-----END CERTIFICATE-----`;

/** A public key; its other half is gone. */
export const publicKeyPem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaHjDL6u8uVcXdi+izozUJAFevxNg
80PMCVzS+YopwgrRvbC9BUPrbD+4rslrsFc+I9yi6GkvVRsqZTb0UHjP7g==
-----END PUBLIC KEY-----`;
