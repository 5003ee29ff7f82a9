import { StoreError } from "../../secrets";
import { ConnectionFailedError, NoAnswerError } from "../../settle";
import { visible } from "../../visible";

/** A call that Key Vault refused. Holds its own words, never a value or a token. */
export class KeyVaultError extends StoreError {
  public constructor(
    /** Status of the HTTP answer. */
    public readonly status: number,
    /** Key Vault's code, the inner one where there is one: `SecretNotFound`, `SecretDisabled`, `ForbiddenByRbac`. */
    public readonly reason: string,
    /** Method and what it is about, as `GET secrets/aidbox-client`. */
    public readonly request: string,
    words: string,
  ) {
    super(
      `Key Vault answered ${request} with ${status}${reason === "" ? "" : ` ${reason}`}${words === "" ? "" : `: ${words}`}`,
    );
    this.name = "KeyVaultError";
  }
}

/** Whether a secret is there, and nobody may read it: it is disabled, or not valid yet. Refused with 403 too, as a lack of a role. */
export function isSwitchedOff(error: unknown): error is KeyVaultError {
  return error instanceof KeyVaultError && ["SecretDisabled", "SecretNotYetValid"].includes(error.reason);
}

/** Entra ID gives no token: an unknown tenant or client, a wrong password, no federated credential, or nobody logged in. */
export class AzureLoginError extends Error {
  public constructor(words: string) {
    super(`Entra ID gives no token: ${words}`);
    this.name = "AzureLoginError";
  }
}

/** As the SDK reads it. */
interface KeyVaultErrorBody {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly innerError?: { readonly code?: string };
  };
}

/** Errors of the SDK, by their names: its classes are not there where it is not. */
const loginErrors = [
  "AuthenticationError",
  "AggregateAuthenticationError",
  "AuthenticationRequiredError",
  "CredentialUnavailableError",
];

/** An error of Azure's SDK as one of ours: the SDK's own ones carry the request with its token, and answers with values. */
export function asOwnError(error: unknown, request: string, seconds: number): Error {
  const { name, message, statusCode, code, details } = Object(error) as {
    name?: unknown;
    message?: unknown;
    statusCode?: unknown;
    code?: unknown;
    details?: KeyVaultErrorBody;
  };
  const words = visible(typeof message === "string" ? message.replaceAll(/\s+/g, " ").trim() : String(error));
  if (name === "AbortError" || name === "TimeoutError") return new NoAnswerError("Key Vault", request, seconds);
  if (loginErrors.includes(String(name))) return new AzureLoginError(words);
  if (typeof statusCode === "number") {
    const said = details?.error;
    const reason = said?.innerError?.code ?? said?.code ?? (typeof code === "string" ? code : "");
    // Of a list the SDK keeps the code alone, and says that its paging failed.
    const own = words.startsWith("Pagination failed") ? "" : words;
    return new KeyVaultError(statusCode, visible(reason), request, visible(said?.message ?? own));
  }
  if (name === "RestError")
    return new ConnectionFailedError(`Key Vault cannot be reached for ${request}: ${words}`, code);
  return new Error(words);
}
