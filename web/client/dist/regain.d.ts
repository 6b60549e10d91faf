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
    request(email: string, options?: RequestOptions): Promise<{
        sessionId: string;
    }>;
    /** Trades the code for a reset token. Never retried: a second use of a right code is refused. */
    verify(sessionId: string, code: string, options?: CallOptions): Promise<{
        token: string;
    }>;
    /** Mails another code for a session. Earlier codes and a reset token of the session stop working. Never retried. */
    resend(sessionId: string, options?: CallOptions): Promise<{
        sessionId: string;
    }>;
    /** Sets the password. `token` is the reset token. Never retried. */
    setPassword(token: string, password: string, options?: CallOptions): Promise<{
        userId: string;
    }>;
    /**
     * Blocks the account of a person who did not change the password. `token` is that of the notice's link (behind `#n=`). Call it only
     * after the person has confirmed. A second use is answered like the first, and changes nothing.
     */
    notMe(token: string, options?: CallOptions): Promise<void>;
}
/** What the service refuses, in the words of the API. */
export type ServiceErrorCode = "invalid_request" | "password_required" | "otp_invalid" | "otp_expired" | "token_invalid" | "user_blocked" | "session_not_found" | "session_expired" | "password_rejected" | "attempts_exceeded" | "too_many_requests" | "service_unavailable" | "internal_error";
/**
 * Why a call failed. `no_answer`: no complete answer came, because of the network or the timeout. `unexpected_answer`: something
 * answered that is not the service.
 */
export type ErrorCode = ServiceErrorCode | "no_answer" | "unexpected_answer";
/** Why a password was refused. */
export type PasswordReason = "too_short" | "too_long" | "too_common" | "breached" | "contains_address" | "contains_service_name" | "contains_profile";
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
export declare class RecoveryError extends Error {
    readonly name = "RecoveryError";
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
    constructor(code: ErrorCode, message: string, details?: RecoveryErrorDetails);
    /**
     * Whether the service may have done what it was asked to do: its answer was lost, cannot be read although it tells success, or is a
     * failure of the service.
     */
    get outcomeUnknown(): boolean;
}
/** Makes a client. */
export declare function createRecovery(options: RecoveryOptions): Recovery;
/** A random UUID of version 4. Unlike `crypto.randomUUID`, it also works on pages that were not loaded by HTTPS. */
export declare function newIdempotencyKey(): string;
