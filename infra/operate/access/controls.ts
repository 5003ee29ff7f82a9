/** A control that a line of the evidence answers, and what it asks for. */
export interface Control {
  /** Its name, as `HIPAA 164.312(b)`. */
  readonly control: string;
  /** Of HIPAA the rule's own words; of SOC 2, whose words are the AICPA's, what they ask for. */
  readonly asks: string;
}

/**
 * @see https://www.ecfr.gov/current/title-45/section-164.312
 * @see https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022
 */
export const controls = {
  access: {
    control: "HIPAA 164.312(a)(1)",
    asks: "allow access only to those persons or software programs that have been granted access rights",
  },
  audit: {
    control: "HIPAA 164.312(b)",
    asks: "mechanisms that record and examine activity in information systems",
  },
  authentication: {
    control: "HIPAA 164.312(d)",
    asks: "verify that a person or entity seeking access is the one claimed",
  },
  logicalAccess: {
    control: "SOC 2 CC6.1",
    asks: "software and architecture protect information assets by logical access; credentials are managed",
  },
  registration: {
    control: "SOC 2 CC6.2",
    asks: "users are registered and authorized before they get credentials, and lose them when they should",
  },
  leastPrivilege: {
    control: "SOC 2 CC6.3",
    asks: "access is given, changed and taken away by role, with least privilege and segregation of duties",
  },
} as const satisfies Record<string, Control>;

/** What a line of the evidence is of, and the controls that it answers. */
export const controlsOf = {
  reader: [controls.access, controls.authentication, controls.logicalAccess, controls.leastPrivilege],
  way: [controls.access, controls.registration, controls.leastPrivilege],
  node: [controls.access, controls.logicalAccess, controls.leastPrivilege],
  age: [controls.authentication, controls.logicalAccess],
  lastReads: [controls.audit],
} as const satisfies Record<string, readonly Control[]>;

/** Their names, as they stand beside a line. */
export function namesOf(some: readonly Control[]): string[] {
  return some.map(({ control }) => control);
}
