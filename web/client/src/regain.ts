/**
 * Password recovery in the browser: a client of Regain's auth/v1 API.
 *
 * A recovery is three calls: `request` mails a code, `verify` trades it for a reset token, and `setPassword` sets the
 * password. `resend` mails another code. Every method either returns what the service answered or throws a `RecoveryError`.
 */

/** How a client is set up. */
export interface RecoveryOptions {
  /** Where the API is, for example `https://api.example.com/`. */
  baseUrl: string | URL;
  /**
   * The language of error messages, and of mails to users who have none set, as in `Accept-Language`. The browser's languages if left
   * out.
   */
  language?: string;
  /** The name of the device, kept with the session for the audit trail. At most 256 bytes are kept. */
  device?: string;
  /** How long to wait for one answer, in milliseconds. 15,000 if left out. */
  timeout?: number;
  /** The function that sends requests. The global `fetch` if left out. */
  fetch?: typeof fetch;
}

/** What every call accepts. */
export interface CallOptions {
  /** Aborts the call. The service may still act on it. */
  signal?: AbortSignal;
}

/** What `request` accepts. */
export interface RequestOptions extends CallOptions {
  /**
   * A UUID that makes repeated calls one request: the same session, and one mail. If left out, the client makes one, and keeps it
   * while the outcome is unknown. Pass your own (from `newIdempotencyKey`) to keep it over a reload of the page. It is as secret as the
   * session id.
   */
  idempotencyKey?: string;
}

/** The four steps of a recovery, and the way to disown one. */
export interface Recovery {
  /**
   * Mails a code to an address. The answer is the same whether or not anybody has it. Lost answers and failures of the service are
   * retried up to twice, with the same idempotency key.
   */
  request(email: string, options?: RequestOptions): Promise<{ sessionId: string }>;
  /** Trades the code for a reset token. Never retried: a second use of a right code is refused. */
  verify(sessionId: string, code: string, options?: CallOptions): Promise<{ token: string }>;
  /** Mails another code for a session. Earlier codes and a reset token of the session stop working. Never retried. */
  resend(sessionId: string, options?: CallOptions): Promise<{ sessionId: string }>;
  /** Sets the password. `token` is the reset token. Never retried. */
  setPassword(token: string, password: string, options?: CallOptions): Promise<{ userId: string }>;
  /**
   * Blocks the account of a person who did not change the password. `token` is that of the notice's link (behind `#n=`). Call it only
   * after the person has confirmed. A second use is answered like the first, and changes nothing.
   */
  notMe(token: string, options?: CallOptions): Promise<void>;
}

/** What the service refuses, in the words of the API. */
export type ServiceErrorCode =
  | "invalid_request"
  | "password_required"
  | "otp_invalid"
  | "otp_expired"
  | "token_invalid"
  | "user_blocked"
  | "session_not_found"
  | "session_expired"
  | "password_rejected"
  | "attempts_exceeded"
  | "too_many_requests"
  | "service_unavailable"
  | "internal_error";

/**
 * Why a call failed. `no_answer`: no complete answer came, because of the network or the timeout. `unexpected_answer`: something
 * answered that is not the service.
 */
export type ErrorCode = ServiceErrorCode | "no_answer" | "unexpected_answer";

/** Why a password was refused. */
export type PasswordReason =
  | "too_short"
  | "too_long"
  | "too_common"
  | "breached"
  | "contains_address"
  | "contains_service_name"
  | "contains_profile";

/** What is known about a failure beside its code and message. */
export interface RecoveryErrorDetails {
  status?: number | undefined;
  retryAfter?: number | undefined;
  reasons?: readonly PasswordReason[] | undefined;
  field?: string | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/** A call that failed. */
export class RecoveryError extends Error {
  override readonly name = "RecoveryError";
  /** Why it failed. */
  readonly code: ErrorCode;
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;
  /** For how many seconds to wait before a retry, counted from when the answer arrived. */
  readonly retryAfter: number | undefined;
  /** When to retry, by this machine's clock. */
  readonly retryAt: Date | undefined;
  /** Why a password was refused. Empty for every code but `password_rejected`. */
  readonly reasons: readonly PasswordReason[];
  /** The field that cannot be read, for `invalid_request`. */
  readonly field: string | undefined;
  /** The id under which the service logged the call. */
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, details: RecoveryErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.retryAfter = details.retryAfter;
    this.retryAt = details.retryAfter === undefined ? undefined : new Date(Date.now() + details.retryAfter * 1000);
    this.reasons = details.reasons ?? [];
    this.field = details.field;
    this.requestId = details.requestId;
  }

  /**
   * Whether the service may have done what it was asked to do: its answer was lost, cannot be read although it tells success, or is a
   * failure of the service.
   */
  get outcomeUnknown(): boolean {
    const { status = 0 } = this;
    return this.code === "no_answer" || status >= 500 || (status >= 200 && status < 300);
  }
}

const FORGOT = "auth/v1/forgot-password";
const TIMEOUT = 15_000;
/** Attempts after the first one, for the one call that may be repeated. */
const RETRIES = 2;
/** The longest wait between two attempts, in seconds. A longer one is for the caller to decide. */
const LONGEST_WAIT = 5;

/** Makes a client. */
export function createRecovery(options: RecoveryOptions): Recovery {
  const base = new URL(options.baseUrl);
  base.pathname = base.pathname.replace(/\/*$/, "/");
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (options.language) headers["Accept-Language"] = options.language;
  if (options.device) headers["X-Agent"] = options.device;

  /** The request whose outcome is unknown. */
  let pending: { email: string; key: string } | undefined;

  async function post(
    path: string,
    body: Record<string, string>,
    { signal }: CallOptions,
    more: Record<string, string> = {},
  ): Promise<string> {
    const clock = new AbortController();
    const abort = () => clock.abort(signal?.reason);
    const timer = setTimeout(() => clock.abort(), options.timeout ?? TIMEOUT);
    signal?.addEventListener("abort", abort);
    try {
      signal?.throwIfAborted();
      const response = await (options.fetch ?? fetch)(new URL(path, base), {
        method: "POST",
        headers: { ...headers, ...more },
        body: JSON.stringify(body),
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: clock.signal,
      });
      return read(response, await response.text());
    } catch (error) {
      if (error instanceof RecoveryError) throw error;
      signal?.throwIfAborted();
      throw new RecoveryError("no_answer", "The service did not answer.", { cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  return {
    async request(email, call = {}) {
      const key = call.idempotencyKey ?? (pending?.email === email ? pending.key : newIdempotencyKey());
      pending = { email, key };
      for (let retries = 0; ; retries += 1) {
        try {
          const sessionId = await post(FORGOT, { email }, call, { "Idempotency-Key": key });
          pending = undefined;
          return { sessionId };
        } catch (error) {
          if (!(error instanceof RecoveryError)) throw error;
          if (!error.outcomeUnknown) pending = undefined;
          const wait = error.retryAfter ?? 2 ** retries / 2;
          if (!error.outcomeUnknown || retries >= RETRIES || wait > LONGEST_WAIT) throw error;
          await pause(wait, call.signal);
        }
      }
    },
    async verify(sessionId, code, call = {}) {
      return { token: await post(`${FORGOT}/verify-otp`, { session_id: sessionId, otp: code }, call) };
    },
    async resend(sessionId, call = {}) {
      return { sessionId: await post(`${FORGOT}/resend-otp`, { session_id: sessionId }, call) };
    },
    async setPassword(token, password, call = {}) {
      return { userId: await post(`${FORGOT}/set-password`, { token, password }, call) };
    },
    async notMe(token, call = {}) {
      await post("recover/not-me", { token }, call);
    },
  };
}

/** A random UUID of version 4. Unlike `crypto.randomUUID`, it also works on pages that were not loaded by HTTPS. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** The `data` of an answer, or the error that it tells. */
function read(response: Response, text: string): string {
  const body = parse(text);
  if (response.ok && typeof body["data"] === "string") return body["data"];
  const { status } = response;
  const { error, message, reasons, field } = body;
  // A proxy's body may have an `error`, too. It does not repeat the status as the service does.
  const isService = typeof error === "string" && body["status_code"] === status;
  throw new RecoveryError(
    isService ? (error as ErrorCode) : gatewayError(status),
    typeof message === "string" ? message : `The service answered with status ${status}.`,
    {
      status,
      retryAfter: seconds(response.headers.get("Retry-After")),
      reasons: Array.isArray(reasons) ? reasons : undefined,
      field: typeof field === "string" ? field : undefined,
      requestId: response.headers.get("X-Request-Id") ?? undefined,
    },
  );
}

function parse(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? { ...body } : {};
  } catch {
    return {};
  }
}

/** What an answer means that is not in the API's envelope, because the gateway in front of it gave it. */
function gatewayError(status: number): ErrorCode {
  if (status === 429) return "too_many_requests";
  if (status === 502 || status === 503 || status === 504) return "service_unavailable";
  return status === 500 ? "internal_error" : "unexpected_answer";
}

/** A `Retry-After` in seconds. It is a number of seconds or a date (RFC 9110, 10.2.3). */
function seconds(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

function pause(wait: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, wait * 1000);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
