import { describe, expect, test } from "vitest";
import { decide, type MachineFacts } from "../src/suites/capability-policy.ts";
import { Cleanup } from "../src/suites/cleanup.ts";
import { layoutOf } from "../src/suites/control-group-layout.ts";
import { freeNet, namespacesOf } from "../src/suites/network-lab.ts";
import { rulesOf } from "../src/suites/packet-rules.ts";
import { projectFilesOf } from "../src/suites/project-files.ts";
import { librariesIn } from "../src/suites/shared-libraries.ts";

describe("whether a suite can run", () => {
  const good: MachineFacts = { platform: "linux", isRoot: true, missing: [] };

  test("runs with Linux, root, every package, and a kernel that does it", () => {
    expect(decide(good)).toEqual({ type: "run" });
  });

  test("says what is lacking, the most basic thing first", () => {
    const missing = [{ name: "nftables", why: "this machine has no apt-get" }];
    const refusal = "Unknown device type";
    const nothing = { platform: "darwin", isRoot: false, missing, refusal };
    expect(decide(nothing)).toEqual({
      type: "skip",
      lack: "platform",
      why: "it takes Linux, and this is darwin",
    });
    const linux = { ...nothing, platform: "linux" };
    expect(decide(linux)).toEqual({ type: "skip", lack: "right", why: "it takes root" });
    expect(decide({ ...linux, isRoot: true })).toEqual({
      type: "skip",
      lack: "package",
      why: "missing packages: nftables (this machine has no apt-get)",
    });
    expect(decide({ ...good, refusal })).toEqual({
      type: "skip",
      lack: "kernel",
      why: "this machine refuses it: Unknown device type",
    });
  });
});

describe("where control groups are", () => {
  const nothing = (): string => "";

  test("version 1: a folder for each controller, also where one mount serves two", () => {
    const mounts = [
      "tmpfs /sys/fs/cgroup tmpfs rw 0 0",
      "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0",
      "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0",
      "cgroup /sys/fs/cgroup/freezer cgroup rw,relatime,freezer 0 0",
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0",
    ].join("\n");
    expect(layoutOf(mounts, nothing)).toEqual({
      version: 1,
      roots: {
        freezer: "/sys/fs/cgroup/freezer",
        memory: "/sys/fs/cgroup/memory",
        cpu: "/sys/fs/cgroup/cpu,cpuacct",
      },
    });
  });

  test("version 2: one folder, if its controllers are handed on", () => {
    const mounts = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n";
    const read = (path: string): string =>
      path === "/sys/fs/cgroup/cgroup.subtree_control" ? "cpuset cpu io memory pids\n" : "";
    const root = "/sys/fs/cgroup";
    expect(layoutOf(mounts, read)).toEqual({
      version: 2,
      roots: { freezer: root, memory: root, cpu: root },
    });
    expect(layoutOf(mounts, () => "cpu\n")).toBeUndefined();
  });

  test("nothing where none are mounted", () => {
    expect(layoutOf("proc /proc proc rw 0 0\n", nothing)).toBeUndefined();
  });
});

describe("a network of its own", () => {
  test("takes a network that no device of this machine has", () => {
    expect(freeNet("1: lo    inet 127.0.0.1/8 scope host lo\n")).toBe(1);
    const used = "7: coppice1    inet 198.18.1.254/24 scope global\n8: x    inet 198.18.2.1/24\n";
    expect(freeNet(used)).toBe(3);
    const all = Array.from({ length: 254 }, (_, net) => `inet 198.18.${net + 1}.1/24`).join("\n");
    expect(() => freeNet(all)).toThrow("every network");
  });

  test("removes its own namespaces alone", () => {
    const list = "coppice-aa11bb-n1 (id: 3)\ncoppice-aa11bb-hub\ncoppice-ffffff-hub\nother\n";
    expect(namespacesOf(list, "coppice-aa11bb")).toEqual([
      "coppice-aa11bb-n1",
      "coppice-aa11bb-hub",
    ]);
  });

  test("cuts both ways or one, and leaves what a machine says to itself", () => {
    expect(rulesOf({ kind: "cut" })).toContain('hook input priority 0; iifname != "lo" drop;');
    expect(rulesOf({ kind: "cut" })).toContain('hook output priority 0; oifname != "lo" drop;');
    expect(rulesOf({ kind: "deaf" })).not.toContain("output");
    expect(rulesOf({ kind: "mute" })).not.toContain("input");
    expect(rulesOf({ kind: "loss", percent: 30 })).toContain("numgen random mod 100 < 30 drop");
    expect(rulesOf({ kind: "refuse" })).toContain("reject with tcp reset");
  });
});

describe("an image from nothing", () => {
  test("has the libraries of a program, and its loader", () => {
    const output = [
      "\tlinux-vdso.so.1 (0x00007ffd5a9f2000)",
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2b1c000000)",
      "\tlibmissing.so => not found",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f2b1c3f0000)",
    ].join("\n");
    expect(librariesIn(output)).toEqual([
      "/lib/x86_64-linux-gnu/libc.so.6",
      "/lib64/ld-linux-x86-64.so.2",
    ]);
    expect(librariesIn("\tstatically linked\n")).toEqual([]);
  });

  test("has the packages that a node needs and their libraries, without what only tests need", () => {
    const { packages, libraries } = projectFilesOf("packages/chaos", ["@bytecodealliance/jco"]);
    expect(packages).toEqual(expect.arrayContaining(["packages/chaos", "packages/cluster"]));
    expect(libraries.some((path) => path.endsWith("/@nats-io/jetstream"))).toBe(true);
    expect(libraries.some((path) => path.endsWith("/testcontainers"))).toBe(false);
    expect(libraries.some((path) => path.endsWith("/@bytecodealliance/jco"))).toBe(false);
  });
});

test("what was done is taken back in reverse order, whatever fails", async () => {
  const [done, said]: string[][] = [[], []];
  const cleanup = new Cleanup((line) => said!.push(line));
  cleanup.add(() => void done!.push("first"));
  cleanup.add(() => Promise.reject(new Error("busy")));
  cleanup.add(async () => void done!.push("third"));
  await cleanup.run();
  await cleanup.run();
  expect(done).toEqual(["third", "first"]);
  expect(said).toEqual(["could not be taken back: Error: busy"]);
});
