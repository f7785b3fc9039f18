/**
 * Operator, account and user JWTs of NATS, signed here, as `nsc` would.
 *
 * Source: https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createAccount, createOperator, createUser, type KeyPair } from "@nats-io/nkeys";

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString("base64url");

function sign(issuer: KeyPair, subject: KeyPair, name: string, nats: object): string {
  const header = base64(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }));
  const claims = {
    jti: `test-${name}`,
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    name,
    sub: subject.getPublicKey(),
    nats: { version: 2, ...nats },
  };
  const text = `${header}.${base64(JSON.stringify(claims))}`;
  return `${text}.${base64(issuer.sign(new TextEncoder().encode(text)))}`;
}

/** A server's configuration, and the text of a user's creds file. */
export function jwtSetup(): { readonly configuration: string; readonly creds: string } {
  const [operator, account, user] = [createOperator(), createAccount(), createUser()];
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const accountLimits = {
    ...unlimited,
    imports: -1,
    exports: -1,
    conn: -1,
    leaf: -1,
    wildcards: true,
  };
  const operatorJwt = sign(operator, operator, "operator", { type: "operator" });
  const accountJwt = sign(operator, account, "account", { type: "account", limits: accountLimits });
  const userJwt = sign(account, user, "user", { type: "user", pub: {}, sub: {}, ...unlimited });
  const seed = new TextDecoder().decode(user.getSeed());
  return {
    configuration: [
      `operator: ${operatorJwt}`,
      "resolver: MEMORY",
      `resolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`,
    ].join("\n"),
    creds: [
      "-----BEGIN NATS USER JWT-----",
      userJwt,
      "------END NATS USER JWT------",
      "",
      "-----BEGIN USER NKEY SEED-----",
      seed,
      "------END USER NKEY SEED------",
      "",
    ].join("\n"),
  };
}
