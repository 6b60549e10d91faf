// @ts-self-types="./regain.d.ts"
class RecoveryError extends Error {
  name = "RecoveryError";
  /** Why it failed. */
  code;
  /** The HTTP status, if there was an answer. */
  status;
  /** For how many seconds to wait before a retry, counted from when the answer arrived. */
  retryAfter;
  /** When to retry, by this machine's clock. */
  retryAt;
  /** Why a password was refused. Empty for every code but `password_rejected`. */
  reasons;
  /** The field that cannot be read, for `invalid_request`. */
  field;
  /** The id under which the service logged the call. */
  requestId;
  constructor(code, message, details = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.retryAfter = details.retryAfter;
    this.retryAt = details.retryAfter === void 0 ? void 0 : new Date(Date.now() + details.retryAfter * 1e3);
    this.reasons = details.reasons ?? [];
    this.field = details.field;
    this.requestId = details.requestId;
  }
  /**
   * Whether the service may have done what it was asked to do: its answer was lost, cannot be read although it tells success, or is a
   * failure of the service.
   */
  get outcomeUnknown() {
    const { status = 0 } = this;
    return this.code === "no_answer" || status >= 500 || status >= 200 && status < 300;
  }
}
const FORGOT = "auth/v1/forgot-password";
const TIMEOUT = 15e3;
const RETRIES = 2;
const LONGEST_WAIT = 5;
function createRecovery(options) {
  const base = new URL(options.baseUrl);
  base.pathname = base.pathname.replace(/\/*$/, "/");
  const headers = { "Content-Type": "application/json" };
  if (options.language) headers["Accept-Language"] = options.language;
  if (options.device) headers["X-Agent"] = options.device;
  let pending;
  async function post(path, body, { signal }, more = {}) {
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
        signal: clock.signal
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
          pending = void 0;
          return { sessionId };
        } catch (error) {
          if (!(error instanceof RecoveryError)) throw error;
          if (!error.outcomeUnknown) pending = void 0;
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
    }
  };
}
function newIdempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64;
  bytes[8] = bytes[8] & 63 | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
function read(response, text) {
  const body = parse(text);
  if (response.ok && typeof body["data"] === "string") return body["data"];
  const { status } = response;
  const { error, message, reasons, field } = body;
  const isService = typeof error === "string" && body["status_code"] === status;
  throw new RecoveryError(
    isService ? error : gatewayError(status),
    typeof message === "string" ? message : `The service answered with status ${status}.`,
    {
      status,
      retryAfter: seconds(response.headers.get("Retry-After")),
      reasons: Array.isArray(reasons) ? reasons : void 0,
      field: typeof field === "string" ? field : void 0,
      requestId: response.headers.get("X-Request-Id") ?? void 0
    }
  );
}
function parse(text) {
  try {
    const body = JSON.parse(text);
    return typeof body === "object" && body !== null ? { ...body } : {};
  } catch {
    return {};
  }
}
function gatewayError(status) {
  if (status === 429) return "too_many_requests";
  if (status === 502 || status === 503 || status === 504) return "service_unavailable";
  return status === 500 ? "internal_error" : "unexpected_answer";
}
function seconds(header) {
  if (header === null) return void 0;
  if (/^\d+$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? void 0 : Math.max(0, Math.ceil((date - Date.now()) / 1e3));
}
function pause(wait, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, wait * 1e3);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
export {
  RecoveryError,
  createRecovery,
  newIdempotencyKey
};
