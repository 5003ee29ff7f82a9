/**
 * What a row that is a keypair holds.
 *
 * - `rsa`, `ec`: what Aidbox signs its tokens with: a private key, its public key and a random secret. Several pods must share
 *   one, or each refuses the tokens of the others.
 * - `certificate`: a private key and its certificate, with which an IdentityProvider's client proves who it is.
 */
export type KeypairKind = "rsa" | "ec" | "certificate";
