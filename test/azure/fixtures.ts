export const tenantId = "11111111-1111-1111-1111-111111111111";
export const foreignTenantId = "44444444-4444-4444-4444-444444444444";
export const clientId = "22222222-2222-2222-2222-222222222222";
/** Of an identity that has no role. */
export const strangerId = "33333333-3333-3333-3333-333333333333";
export const clientSecret = "of-the-app";
export const issuer = "https://cluster.example.com";
export const subject = "system:serviceaccount:aidbox:aidbox";

/** A ServiceAccount's token, unsigned: the stand-in looks at signatures only where it knows the keys. */
export function serviceAccountToken(claims: Record<string, unknown> = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 600;
  const body = { iss: issuer, sub: subject, aud: ["api://AzureADTokenExchange"], exp, ...claims };
  return `${part({ alg: "RS256" })}.${part(body)}.${part({})}`;
}
