/** A request as one of the stand-in's services gets it. */
export interface AzureRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Text of the body; empty where there is none. */
  readonly body: string;
}

export interface AzureAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** An error of Key Vault's, with the code by which it tells errors of one status apart. */
export function keyVaultError(status: number, code: string, message: string, innerCode?: string): AzureAnswer {
  const inner = innerCode === undefined ? {} : { innererror: { code: innerCode } };
  return { status, body: { error: { code, message, ...inner } } };
}

/** An error of Entra ID's token endpoint. */
export function entraError(status: number, error: string, code: number, message: string): AzureAnswer {
  return { status, body: { error, error_description: `AADSTS${code}: ${message}`, error_codes: [code] } };
}
