import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  BadCredentialsError,
  connectNats,
  type Credentials,
  JetStreamDisabledError,
  NatsDeniedError,
  NatsTlsError,
} from "@coppice/net-nats";
import { createUser } from "@nats-io/nkeys";
import { describe, expect, test } from "vitest";
import { makeCertificates } from "./certificates.ts";
import { jwtSetup } from "./jwt.ts";
import { connected, echoes, executable, server, temporaryFolder } from "./servers.ts";

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(await temporaryFolder(), name);
  await writeFile(file, text);
  return file;
}

async function refused(url: string, credentials?: Credentials): Promise<void> {
  const options = credentials === undefined ? {} : { credentials };
  const failed = connectNats({ servers: [url], name: "test", ...options });
  await expect(failed).rejects.toThrow(NatsDeniedError);
  await expect(failed).rejects.toThrow(/refused the credentials.*: check COPPICE_USER/);
}

describe.skipIf(executable === undefined)("credentials at a real server", () => {
  test("user and password", async () => {
    const { url } = await server({ configuration: 'authorization { user: "u", password: "p" }' });
    const credentials = { type: "password", user: "u", pass: "p" } as const;
    expect(await echoes(await connected(url, { credentials }))).toBe(true);
    await refused(url, { ...credentials, pass: "wrong" });
    await refused(url);
  });

  test("a token", async () => {
    const { url } = await server({ configuration: 'authorization { token: "secret" }' });
    const credentials = { type: "token", token: "secret" } as const;
    expect(await echoes(await connected(url, { credentials }))).toBe(true);
    await refused(url, { type: "token", token: "guess" });
  });

  test("an nkey", async () => {
    const user = createUser();
    const { url } = await server({
      configuration: `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`,
    });
    const seedFile = await fileOf(
      "user.nk",
      `# a node\n${new TextDecoder().decode(user.getSeed())}\n`,
    );
    expect(await echoes(await connected(url, { credentials: { type: "nkey", seedFile } }))).toBe(
      true,
    );
    const stranger = new TextDecoder().decode(createUser().getSeed());
    await refused(url, { type: "nkey", seedFile: await fileOf("other.nk", stranger) });
  });

  test("a JWT of an account, which has no JetStream here", async () => {
    const { configuration, creds } = jwtSetup();
    const { url } = await server({ configuration, jetstream: false });
    const credsFile = await fileOf("user.creds", creds);
    const network = await connected(url, { credentials: { type: "creds", credsFile } });
    expect(await echoes(network)).toBe(true);
    await expect(network.openStore("names")).rejects.toThrow(JetStreamDisabledError);
    const other = await fileOf("other.creds", jwtSetup().creds);
    await refused(url, { type: "creds", credsFile: other });
  });

  test("files that hold something else are named before a server is asked", async () => {
    const text = await fileOf("text", "hello\n");
    for (const credentials of [
      { type: "nkey", seedFile: text },
      { type: "creds", credsFile: text },
      { type: "creds", credsFile: "/does/not/exist" },
    ] as const) {
      const failed = connectNats({ servers: ["nats://127.0.0.1:1"], name: "test", credentials });
      await expect(failed).rejects.toThrow(BadCredentialsError);
    }
  });

  test("TLS, with an authority of one's own, and with a certificate of the node", async () => {
    const { ca, cert, key } = makeCertificates(await temporaryFolder());
    const files = `cert_file: "${cert("server")}", key_file: "${key("server")}", ca_file: "${ca}"`;
    const plain = await server({ configuration: `tls { ${files} }` });
    expect(await echoes(await connected(plain.url, { tls: { caFile: ca } }))).toBe(true);
    const untrusted = connectNats({ servers: [plain.url], name: "test" });
    await expect(untrusted).rejects.toThrow(NatsTlsError);
    await expect(untrusted).rejects.toThrow(/check the certificates of both sides/);

    const mutual = await server({ configuration: `tls { ${files}, verify: true }` });
    const tls = { caFile: ca, certFile: cert("client"), keyFile: key("client") };
    expect(await echoes(await connected(mutual.url, { tls }))).toBe(true);
    await expect(
      connectNats({ servers: [mutual.url], name: "test", tls: { caFile: ca } }),
    ).rejects.toThrow();
    const none = await server();
    await expect(
      connectNats({ servers: [none.url], name: "test", tls: { caFile: ca } }),
    ).rejects.toThrow(NatsTlsError);
  });
});
