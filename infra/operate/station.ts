/** One station of a secret's way. */
export interface Station {
  readonly title: string;
  readonly lines: readonly string[];
}
