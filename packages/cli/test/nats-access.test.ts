import { describe, expect, test } from "vitest";
import { configFromEnvironment, mergeConfig, parseConfig } from "../src/config.ts";

describe("credentials", () => {
  test("come from the environment", () => {
    const { access } = configFromEnvironment({
      COPPICE_NKEY_FILE: "a.nk",
      COPPICE_CA_FILE: "ca.pem",
      COPPICE_REPLICAS: "3",
    });
    expect(access).toEqual({
      credentials: { type: "nkey", seedFile: "a.nk" },
      tls: { caFile: "ca.pem" },
      replicas: 3,
    });
    expect(configFromEnvironment({ COPPICE_TOKEN: "" })).toEqual({});
  });

  test("come from the file, and the environment wins as a whole", () => {
    const text = JSON.stringify({ user: "u", password: "p", caFile: "ca.pem" });
    const file = parseConfig(text, "coppice.json");
    expect(file.access).toEqual({
      credentials: { type: "password", user: "u", pass: "p" },
      tls: { caFile: "ca.pem" },
    });
    const { access } = mergeConfig(configFromEnvironment({ COPPICE_TOKEN: "t" }), file);
    expect(access).toEqual({ credentials: { type: "token", token: "t" } });
  });

  test.for([
    [{ user: "u" }, "coppice.json: user and coppice.json: password belong together"],
    [{ token: "t", credsFile: "x" }, "NATS takes one kind of credentials"],
    [{ certFile: "x" }, "keyFile belong together"],
    [{ replicas: 2 }, "replicas must be 1, 3 or 5"],
    [{ token: 1 }, "token must be a text"],
    [{ tokens: "t" }, "unknown setting tokens"],
  ] as const)("that make no sense are named: %j", ([settings, message]) => {
    expect(() => parseConfig(JSON.stringify(settings), "coppice.json")).toThrow(message);
  });
});
