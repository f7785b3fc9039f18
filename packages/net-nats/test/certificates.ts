/**
 * An authority, a server's certificate and a client's, made with openssl.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const openssl = (...args: readonly string[]): void =>
  void execFileSync("openssl", args, { stdio: "ignore" });

/** The files by what they are. */
export interface Certificates {
  readonly ca: string;
  readonly cert: (name: "server" | "client") => string;
  readonly key: (name: "server" | "client") => string;
}

export function makeCertificates(folder: string): Certificates {
  const file = (name: string): string => join(folder, name);
  const days = ["-days", "2"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const caSubject = ["-subj", "/CN=test authority"];
  openssl(
    "req",
    "-x509",
    ...curve,
    ...days,
    ...caSubject,
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.pem"),
  );
  writeFileSync(file("server.ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  writeFileSync(file("client.ext"), "subjectAltName=DNS:node-a\n");
  for (const name of ["server", "client"]) {
    const request = ["-keyout", file(`${name}.key`), "-out", file(`${name}.csr`)];
    openssl("req", ...curve, "-subj", `/CN=${name}`, ...request);
    const authority = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial"];
    const signed = ["-in", file(`${name}.csr`), "-out", file(`${name}.pem`)];
    openssl("x509", "-req", ...days, ...authority, "-extfile", file(`${name}.ext`), ...signed);
  }
  return {
    ca: file("ca.pem"),
    cert: (name) => file(`${name}.pem`),
    key: (name) => file(`${name}.key`),
  };
}
