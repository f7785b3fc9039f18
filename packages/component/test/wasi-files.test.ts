import { readFileSync } from "node:fs";
import {
  link,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { buildC, compileC, noClang } from "./wasi-guests.ts";
import {
  eventually,
  openBelow,
  openGuest,
  startGuestProcess,
  temporaryFolder,
} from "./wasi-run.ts";

const refused = "error: Operation not permitted";
const readOnly = "error: Read-only file system";

describe.skipIf(noClang !== undefined)("a guest with a preopen", () => {
  let guest: Awaited<ReturnType<typeof compileC>>;
  beforeAll(async () => {
    guest = await compileC("wasi-c");
  });

  /** A host directory with a file inside the preopen and a secret beside it, until the test is over. */
  async function folders() {
    const folder = await temporaryFolder();
    onTestFinished(() => folder[Symbol.asyncDispose]());
    const inside = join(folder.path, "inside");
    await mkdir(join(inside, "sub"), { recursive: true });
    await writeFile(join(inside, "letter.txt"), "hello");
    await writeFile(join(folder.path, "secret.txt"), "secret");
    return { folder, inside, secret: join(folder.path, "secret.txt") };
  }

  const writable = (path: string) => ({ preopens: { "/data": { path, writable: true } } });

  test("reads, writes, appends, truncates, and sees the host's changes", async () => {
    const { inside } = await folders();
    await using files = await openGuest(guest, { wasi: writable(inside) });
    expect(await files.run("cat /data/letter.txt")).toBe("hello");
    expect(await files.run("write /data/sub/new.txt words")).toBe("ok");
    expect(await readFile(join(inside, "sub/new.txt"), "utf8")).toBe("words");
    expect(await files.run("append /data/sub/new.txt -more")).toBe("ok");
    await writeFile(join(inside, "sub/new.txt"), "words-more, from the host", { flag: "r+" });
    expect(await files.run("append /data/sub/new.txt !")).toBe("ok");
    expect(await files.run("cat /data/sub/new.txt")).toBe("words-more, from the host!");
    expect(await files.run("truncate /data/sub/new.txt 5")).toBe("ok");
    expect(await files.run("cat /data/sub/new.txt")).toBe("words");
    await truncate(join(inside, "sub/new.txt"), 0);
    expect(await files.run("cat /data/sub/new.txt")).toBe("");
    expect(await files.run("create /data/letter.txt x")).toBe("error: File exists");
  });

  test("lists, describes, renames, links and removes", async () => {
    const { inside } = await folders();
    await using files = await openGuest(guest, { wasi: writable(inside) });
    expect(await files.run("ls /data")).toBe("letter.txt sub/");
    expect(await files.run("stat /data/letter.txt")).toBe("file 5 links 1");
    expect(await files.run("stat /data/sub")).toMatch(/^directory /);
    expect(await files.run("stat /data/nothing")).toBe("error: No such file or directory");
    expect(await files.run("rename /data/letter.txt /data/sub/moved.txt")).toBe("ok");
    expect(await files.run("link /data/sub/moved.txt /data/hard.txt")).toBe("ok");
    expect(await files.run("stat /data/hard.txt")).toBe("file 5 links 2");
    expect(await files.run("symlink sub/moved.txt /data/soft.txt")).toBe("ok");
    expect(await files.run("cat /data/soft.txt")).toBe("hello");
    expect(await files.run("readlink /data/soft.txt")).toBe("sub/moved.txt");
    expect(await files.run("ls /data")).toBe("hard.txt soft.txt sub/");
    expect(await files.run("rmdir /data/sub")).toBe("error: Directory not empty");
    expect(await files.run("unlink /data/sub/moved.txt")).toBe("ok");
    expect(await files.run("unlink /data/sub")).toMatch(/^error: /);
    expect(await files.run("rmdir /data/sub")).toBe("ok");
    expect(await files.run("mkdir /data/fresh")).toBe("ok");
    expect(await files.run("touch /data/hard.txt 86400")).toBe("ok");
    expect(await files.run("mtime /data/hard.txt")).toBe("86400");
    expect((await stat(join(inside, "hard.txt"))).mtimeMs).toBe(86_400_000);
  });

  test("no path leads out: parents, absolute links, links to parents, hard links", async () => {
    const { inside, secret } = await folders();
    await symlink("/etc", join(inside, "etc"));
    await symlink("../secret.txt", join(inside, "beside"));
    await symlink("..", join(inside, "up"));
    await symlink("etc", join(inside, "twice"));
    await symlink("loop", join(inside, "loop"));
    await using files = await openGuest(guest, { wasi: writable(inside) });
    for (const path of [
      "/data/../secret.txt",
      "/data/sub/../../secret.txt",
      "/data/etc/passwd",
      "/data/etc",
      "/data/beside",
      "/data/up/secret.txt",
      "/data/up/inside/letter.txt",
      "/data/twice/passwd",
    ]) {
      expect([path, await files.run(`cat ${path}`)]).toEqual([path, refused]);
      expect([path, await files.run(`write ${path} stolen`)]).toEqual([path, refused]);
      expect([path, await files.run(`stat ${path}`)]).toEqual([path, refused]);
    }
    expect(await files.run("ls /data/up")).toBe(refused);
    expect(await files.run("ls /data/etc")).toBe(refused);
    expect(await files.run("readlink /data/etc")).toBe(refused);
    expect(await files.run("rename /data/letter.txt /data/up/stolen.txt")).toBe(refused);
    expect(await files.run("rename /data/../secret.txt /data/stolen.txt")).toBe(refused);
    expect(await files.run("link /data/../secret.txt /data/stolen.txt")).toBe(refused);
    expect(await files.run("unlink /data/../secret.txt")).toBe(refused);
    expect(await files.run("mkdir /data/up/stolen")).toBe(refused);
    expect(await files.run("symlink /etc/passwd /data/stolen")).toBe(refused);
    expect(await files.run("cat /data/loop")).toBe("error: Symbolic link loop");
    expect(await files.run("cat /secret.txt")).toMatch(/^error: /);
    // What stays inside may use `..` and links as it likes, and a link itself may be removed.
    expect(await files.run("cat /data/sub/../letter.txt")).toBe("hello");
    expect(await files.run("unlink /data/etc")).toBe("ok");
    expect(readFileSync("/etc/passwd", "utf8")).toContain("root");
    expect(await readFile(secret, "utf8")).toBe("secret");
  });

  test("a directory that turns into a link in the middle of it leads nowhere", async () => {
    const { folder, inside } = await folders();
    const outside = join(folder.path, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "file.txt"), "secret");
    await mkdir(join(inside, "real"));
    await writeFile(join(inside, "real/file.txt"), "inside");
    await symlink(outside, join(inside, "fake"));
    await using files = await openGuest(guest, { wasi: writable(inside) });

    const over = new AbortController();
    const flip = (async () => {
      while (!over.signal.aborted) {
        await rename(join(inside, "real"), join(inside, "dir"));
        await rename(join(inside, "dir"), join(inside, "real"));
        await rename(join(inside, "fake"), join(inside, "dir"));
        await rename(join(inside, "dir"), join(inside, "fake"));
      }
    })();
    const seen = new Map<string, number>();
    for (let attempt = 0; attempt < 1_500; attempt += 1) {
      const answer = await files.run("cat /data/dir/file.txt");
      seen.set(answer, (seen.get(answer) ?? 0) + 1);
    }
    over.abort();
    await flip;
    expect(seen.has("secret")).toBe(false);
    expect(seen.get("inside") ?? 0).toBeGreaterThan(0);
  });

  test("a read-only preopen, the default, changes in no way", async () => {
    const { inside } = await folders();
    await link(join(inside, "letter.txt"), join(inside, "other.txt"));
    await using files = await openGuest(guest, {
      wasi: { preopens: { "/data": { path: inside } } },
    });
    for (const command of [
      "write /data/letter.txt x",
      "write /data/new.txt x",
      "append /data/letter.txt x",
      "create /data/new.txt x",
      "truncate /data/letter.txt 0",
      "mkdir /data/new",
      "rmdir /data/sub",
      "unlink /data/letter.txt",
      "rename /data/letter.txt /data/new.txt",
      "link /data/letter.txt /data/new.txt",
      "symlink letter.txt /data/new.txt",
      "touch /data/letter.txt 0",
    ])
      expect([command, await files.run(command)]).toEqual([command, readOnly]);
    expect(await files.run("cat /data/letter.txt")).toBe("hello");
    expect(await files.run("ls /data")).toBe("letter.txt other.txt sub/");
  });

  test("a read-only file cannot be made writable by moving or linking it to a writable preopen", async () => {
    const { folder, inside } = await folders();
    const scratch = join(folder.path, "scratch");
    await mkdir(scratch);
    const preopens = { "/data": { path: inside }, "/scratch": { path: scratch, writable: true } };
    await using files = await openGuest(guest, { wasi: { preopens } });
    expect(await files.run("rename /data/letter.txt /scratch/letter.txt")).toBe(readOnly);
    expect(await files.run("link /data/letter.txt /scratch/letter.txt")).toBe(readOnly);
    expect(await files.run("write /scratch/mine.txt ok")).toBe("ok");
    expect(await files.run("ls /scratch")).toBe("mine.txt");
  });

  describe("with a limit on what its files may grow by", () => {
    const bytesMax = 20_000;
    const limited = (path: string) => ({
      preopens: { "/data": { path, writable: true, bytesMax } },
    });
    const full = "error: No space left on device";

    test("writes as much, however it writes, and is told when there is no space", async () => {
      const { inside } = await folders();
      await using files = await openGuest(guest, { wasi: limited(inside) });
      expect(await files.run("truncate /data/letter.txt 20005")).toBe("ok");
      for (const one of ["append /data/letter.txt x", "write /data/new x", "mkdir /data/more"])
        expect(await files.run(one)).toBe(full);
      expect((await stat(join(inside, "letter.txt"))).size).toBe(20_005);
      expect(await files.run("symlink letter.txt /data/link")).toBe(full);
      expect(await files.run("link /data/letter.txt /data/other")).toBe(full);
    });

    test("has again what it gave up: by truncating, removing, replacing", async () => {
      const { inside } = await folders();
      await using files = await openGuest(guest, { wasi: limited(inside) });
      for (let round = 0; round < 8; round += 1) {
        expect(await files.run("write /data/a x")).toBe("ok");
        expect(await files.run("truncate /data/a 3000")).toBe("ok");
        expect(await files.run("write /data/a y")).toBe("ok");
        expect(await files.run("truncate /data/a 3000")).toBe("ok");
        expect(await files.run("rename /data/a /data/b")).toBe("ok");
      }
      expect(await files.run("unlink /data/b")).toBe("ok");
      for (let round = 0; round < 8; round += 1) {
        expect(await files.run("mkdir /data/d")).toBe("ok");
        expect(await files.run("rmdir /data/d")).toBe("ok");
      }
      expect(await files.run("truncate /data/letter.txt 20005")).toBe("ok");
    });

    test("gets nothing for what changes nothing", async () => {
      const { inside } = await folders();
      await using files = await openGuest(guest, { wasi: limited(inside) });
      expect(await files.run("truncate /data/letter.txt 15005")).toBe("ok");
      for (let round = 0; round < 5; round += 1)
        expect(await files.run("rename /data/letter.txt /data/letter.txt")).toBe("ok");
      expect(await files.run("write /data/new x")).toBe("ok");
      expect(await files.run("truncate /data/new 10000")).toBe(full);
    });

    test("keeps a file that is open and has no name any more", async () => {
      const { inside } = await folders();
      await using files = await openGuest(guest, { wasi: limited(inside) });
      expect(await files.run("truncate /data/letter.txt 15005")).toBe("ok");
      expect(await files.run("open /data/letter.txt 1")).toBe("ok");
      expect(await files.run("unlink /data/letter.txt")).toBe("ok");
      expect(await files.run("write /data/new x")).toBe("ok");
      expect(await files.run("truncate /data/new 10000")).toBe(full);
    });

    test("that is no number is refused when it starts", async () => {
      const { inside } = await folders();
      for (const wrong of [-1, Number.NaN, "1"])
        await expect(
          openGuest(guest, {
            wasi: { preopens: { "/data": { path: inside, bytesMax: wrong as number } } },
          }),
        ).rejects.toThrow("the preopen /data: bytesMax must be 0 or more");
    });
  });

  test("two instances with preopens of the same name see their own", async () => {
    await using one = await temporaryFolder();
    await using two = await temporaryFolder();
    await using first = await openGuest(guest, { wasi: writable(one.path) });
    await using second = await openGuest(guest, { wasi: writable(two.path) });
    await first.run("write /data/mine first");
    await second.run("write /data/mine second");
    expect(await first.run("cat /data/mine")).toBe("first");
    expect(await second.run("cat /data/mine")).toBe("second");
  });

  test("nothing stays open: after each call only what the guest keeps, at its end nothing", async () => {
    const { folder, inside } = await folders();
    const files = await openGuest(guest, { wasi: writable(inside) });
    await files.run("cat /data/sub/../letter.txt");
    await files.run("ls /data");
    await files.run("write /data/sub/a x");
    await files.run("cat /data/../secret.txt");
    // The preopen itself: by the host's table, and by the guest's handle on it.
    await eventually(() => openBelow(folder.path)).toEqual([inside]);
    await files.run("open /data/letter.txt 25");
    expect(openBelow(folder.path).length).toBe(26);
    await files.end();
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("a process that is killed closes what its guest had open", async () => {
    const { folder, inside } = await folders();
    const wasi = writable(inside);
    const kernel = await startGuestProcess(await buildC("wasi-c"), { wasi });
    await kernel.call("guest", "run", ["open /data/letter.txt 5"]);
    expect(openBelow(folder.path).length).toBe(6);
    kernel.exit(kernel.whereis("guest")!, { type: "kill" });
    await eventually(() => openBelow(folder.path)).toEqual([]);
  });

  test("a guest that opens files without end runs into a limit, and only it", async () => {
    const { inside } = await folders();
    await using greedy = await openGuest(guest, { wasi: writable(inside) });
    expect(await greedy.run("open /data/letter.txt 100000")).toBe("error: Quota exceeded");
    await using other = await openGuest(guest, { wasi: writable(inside) });
    expect(await other.run("cat /data/letter.txt")).toBe("hello");
  });

  test("pipes and devices are not opened, and do not hold the guest up", async () => {
    const { inside } = await folders();
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [join(inside, "pipe")]);
    await using files = await openGuest(guest, { wasi: writable(inside) });
    expect(await files.run("cat /data/pipe")).toBe(refused);
    expect(await files.run("write /data/pipe x")).toMatch(/^error: /);
    await rm(join(inside, "pipe"));
  });
});
