/**
 * Join tokens: proof that a browser got its page from this cluster, for this path, not too long ago.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** How long a page may stay open before its token runs out, in milliseconds: 14 days. */
export const tokenValidMs = 14 * 24 * 60 * 60 * 1_000;

export function signToken(secret: string, path: string, session: string, nowMs: number): string {
  const expiry = (nowMs + tokenValidMs).toString(36);
  return `${expiry}.${signature(secret, path, session, expiry)}`;
}

export function verifyToken(
  secret: string,
  path: string,
  session: string,
  nowMs: number,
  token: string,
): boolean {
  const [expiry = "", given = ""] = token.split(".");
  const expected = Buffer.from(signature(secret, path, session, expiry));
  const bytes = Buffer.from(given);
  return (
    bytes.length === expected.length &&
    timingSafeEqual(bytes, expected) &&
    Number.parseInt(expiry, 36) > nowMs
  );
}

function signature(secret: string, path: string, session: string, expiry: string): string {
  const hmac = createHmac("sha256", secret);
  return hmac.update(JSON.stringify([path, session, expiry])).digest("base64url");
}
