/** A call that a store refused, or could not carry out. Holds the store's own words, never a value or a token. */
export abstract class StoreError extends Error {}
