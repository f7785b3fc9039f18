/**
 * As whom a node connects, in the client's terms. Files are read at every connection, so that they can be renewed while
 * the node runs.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { BadCredentialsError } from "./errors.ts";

/** One way to say who connects. */
export type Credentials =
  | { readonly type: "password"; readonly user: string; readonly pass: string }
  | { readonly type: "token"; readonly token: string }
  /** A file with the seed of an nkey user: it starts with `SU`. */
  | { readonly type: "nkey"; readonly seedFile: string }
  /** A file with a user's JWT and the seed that goes with it, as `nsc` writes it. */
  | { readonly type: "creds"; readonly credsFile: string };

/** Files in PEM: whom to trust besides the machine's own authorities, and who this node is. */
export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** @throws {BadCredentialsError} if a file cannot be read or holds something else. */
export function authenticatorOf(credentials: Credentials): Authenticator {
  switch (credentials.type) {
    case "password":
      return usernamePasswordAuthenticator(credentials.user, credentials.pass);
    case "token":
      return tokenAuthenticator(credentials.token);
    case "nkey": {
      const { seedFile } = credentials;
      const seed = (): Uint8Array => new TextEncoder().encode(seedIn(seedFile));
      return tried(seedFile, nkeyAuthenticator(seed));
    }
    case "creds": {
      const { credsFile } = credentials;
      const creds = (): Uint8Array => new TextEncoder().encode(read(credsFile));
      return tried(credsFile, credsAuthenticator(creds));
    }
  }
}

/** Signs once now: what is wrong with the file should be said before a server is asked. */
function tried(file: string, authenticator: Authenticator): Authenticator {
  try {
    authenticator("nonce");
  } catch (cause) {
    if (cause instanceof BadCredentialsError) throw cause;
    throw new BadCredentialsError(
      `${file} does not hold NATS credentials: ${(cause as Error).message}`,
      { cause },
    );
  }
  return authenticator;
}

/** The line of the file that is the seed: others are comments. */
function seedIn(file: string): string {
  const seed = /^\s*(SU[A-Z2-7]{20,})\s*$/m.exec(read(file))?.[1];
  if (seed === undefined)
    throw new BadCredentialsError(
      `${file} holds no seed of an nkey user: a line that starts with SU`,
    );
  return seed;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new BadCredentialsError(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
