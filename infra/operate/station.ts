/** One station of a secret's way. */
export interface Station {
  /** Which object or place it is. */
  readonly title: string;
  /** What is said of the secret there. */
  readonly lines: readonly string[];
}
