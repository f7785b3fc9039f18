import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linksMax, pathDepthMax, splitPath } from "../src/wasi/files/path-policy.ts";
import { allowedAddresses, endpointTable, originTable } from "../src/wasi/net/access-policy.ts";
import {
  formatAddress,
  isPublicAddress,
  normalAddress,
  parseAddress,
} from "../src/wasi/net/ip-address.ts";
import {
  admitLine,
  burstBytes,
  burstLines,
  fullOutput,
  type OutputState,
} from "../src/wasi/output-policy.ts";

describe("addresses", () => {
  test.for([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2130706433",
    "0x7f.1",
    "localhost",
    "",
  ])("%s is not public", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.for(["1.1.1.1", "172.32.0.1", "::ffff:8.8.8.8", "2606:4700::1111", "2a00:1450:4001::8a"])(
    "%s is public",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test("WASI's form and text are the same address, and mapped IPv4 is IPv4", () => {
    const ipv6 = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(ipv6, (val) => {
        expect(parseAddress(formatAddress({ tag: "ipv6", val }))).toEqual({ tag: "ipv6", val });
      }),
    );
    const ipv4 = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(ipv4, (val) => {
        const text = formatAddress({ tag: "ipv4", val });
        expect(parseAddress(text)).toEqual({ tag: "ipv4", val });
        expect(normalAddress(`::ffff:${text}`)).toBe(text);
        expect(isPublicAddress(`::ffff:${text}`)).toBe(isPublicAddress(text));
      }),
    );
  });
});

describe("access rules", () => {
  test("an origin is scheme, host and port, in one form", () => {
    const table = originTable(["https://API.example.com:443", { to: "http://[::1]:8080" }]);
    expect([...table.keys()]).toEqual(["https://api.example.com", "http://[::1]:8080"]);
  });

  test.for([
    "example.com",
    "ftp://example.com",
    "https://example.com/path",
    "https://user@example.com",
    "https://example.com?q",
    "https://*",
  ])("%s is no origin", (text) => {
    // A star is a legal host for URLs; it only ever names a host of that very name.
    if (text === "https://*") expect([...originTable([text]).keys()]).toEqual([text]);
    else expect(() => originTable([text])).toThrow("is not an origin");
  });

  test("an endpoint is host and port, in one form", () => {
    const table = endpointTable("allowTcp", ["DB.example:5432", "[::FFFF:10.0.0.1]:80", "[::1]:1"]);
    expect([...table.keys()]).toEqual(["db.example:5432", "10.0.0.1:80", "[::1]:1"]);
  });

  test.for(["db.example", "db.example:0", "db.example:65536", ":80", "a b:80", "http://x:80"])(
    "%s is no endpoint",
    (text) => {
      expect(() => endpointTable("allowTcp", [text])).toThrow(`allowTcp: ${text} is not host:port`);
    },
  );

  test("of several addresses those that are allowed are left, in their order", () => {
    const addresses = ["10.0.0.1", "8.8.8.8", "no address", "::1", "1.1.1.1"];
    expect(allowedAddresses(addresses, { allowPrivate: false })).toEqual(["8.8.8.8", "1.1.1.1"]);
    expect(allowedAddresses(addresses, { allowPrivate: true })).toEqual(
      addresses.filter((each) => each !== "no address"),
    );
  });
});

describe("paths", () => {
  test.for([
    ["", "no-entry"],
    ["/etc/passwd", "not-permitted"],
    ["a\0b", "invalid"],
    ["x".repeat(256), "name-too-long"],
    ["a/".repeat(3_000), "name-too-long"],
    ["a/".repeat(pathDepthMax + 1), "name-too-long"],
  ] as const)("%j is refused: %s", ([path, code]) => {
    expect(splitPath(path)).toEqual({ ok: false, code });
  });

  test.for([
    ["a/b", ["a", "b"], false],
    ["a//./b/", ["a", "b"], true],
    [".", [], true],
    ["a/..", ["a", ".."], true],
    ["..a/b..", ["..a", "b.."], false],
    ["a\\b", ["a\\b"], false],
  ] as const)("%j is %j", ([path, parts, directory]) => {
    expect(splitPath(path)).toEqual({ ok: true, parts, directory });
  });

  test("a path is followed in a bounded number of steps", () => {
    expect(linksMax * pathDepthMax).toBeLessThan(10_000);
  });
});

describe("output", () => {
  const run = (
    state: OutputState,
    lines: number,
    at: { readonly nowMs: number; readonly bytes: number },
  ) => {
    let current = state;
    let written = 0;
    const notices: string[] = [];
    for (let line = 0; line < lines; line += 1) {
      const decision = admitLine(current, at.nowMs, at.bytes);
      current = decision.state;
      if (decision.type === "write") written += 1;
      if (decision.notice !== undefined) notices.push(decision.notice);
    }
    return { current, written, notices };
  };

  test("a burst passes, then a trickle; what was dropped is said before the next line", () => {
    const first = run(fullOutput(0), 1_500, { nowMs: 0, bytes: 10 });
    expect(first.written).toBe(burstLines);
    expect(first.notices).toEqual(["too much output: lines are dropped from here on"]);
    const second = run(first.current, 100, { nowMs: 1_000, bytes: 10 });
    expect(second.written).toBe(50);
    expect(second.notices).toEqual([
      "500 lines dropped",
      "too much output: lines are dropped from here on",
    ]);
    const later = run(second.current, 1_000, { nowMs: 60_000, bytes: 10 });
    expect(later.written).toBe(1_000);
    expect(later.notices).toEqual(["50 lines dropped"]);
  });

  test("long lines run out of bytes first", () => {
    const { written } = run(fullOutput(0), 1_000, { nowMs: 0, bytes: 2_000 });
    expect(written).toBe(Math.floor(burstBytes / 2_000));
  });

  test("no sequence of lines writes more than the burst and the trickle allow", () => {
    const gaps = fc.array(fc.tuple(fc.nat(500), fc.nat(2_000)), { maxLength: 2_000 });
    fc.assert(
      fc.property(gaps, (lines) => {
        let state = fullOutput(0);
        let nowMs = 0;
        let bytes = 0;
        for (const [gapMs, length] of lines) {
          nowMs += gapMs;
          const decision = admitLine(state, nowMs, length);
          state = decision.state;
          if (decision.type === "write") bytes += length;
        }
        expect(bytes).toBeLessThanOrEqual(burstBytes + (nowMs / 1_000) * 16_384 + 1);
      }),
    );
  });
});
