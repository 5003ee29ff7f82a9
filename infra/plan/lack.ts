/** Something that going live needs and this machine lacks. */
export interface Lack {
  readonly what: string;
  readonly howToGet: string;
}
