import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger, systemClock, systemRandom } from "@coppice/kernel";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Descriptor } from "../src/wasi/files/descriptor.ts";
import { createWasi } from "../src/wasi/wasi.ts";
import { WasiError } from "../src/wasi/wasi-errors.ts";
import { openBelow, temporaryFolder } from "./wasi-run.ts";

const part = fc.constantFrom(
  "..",
  ".",
  "",
  "a",
  "b",
  "up",
  "abs",
  "loop",
  "file",
  "new",
  "é",
  "\0",
);
const path = fc.oneof(
  fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/")),
  fc.string({ maxLength: 20 }),
);
const u64 = fc.oneof(fc.bigInt({ min: 0n, max: 100n }), fc.constant(2n ** 64n - 1n));
const flag = fc.boolean();
const time = fc.oneof(
  fc.constant({ tag: "now" } as const),
  fc.constant({ tag: "no-change" } as const),
  u64.map((seconds) => ({ tag: "timestamp", val: { seconds, nanoseconds: 5 } }) as const),
);

type Call = (root: Descriptor) => unknown;

/** Every function of a descriptor, with anything a guest could pass. */
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.tuple(path, flag).map(
    ([at, symlinkFollow]): Call =>
      (root) =>
        root.statAt({ symlinkFollow }, at),
  ),
  fc
    .tuple(
      path,
      path,
      fc.record({ create: flag, directory: flag, exclusive: flag, truncate: flag }),
    )
    .map(([at, to, flags]): Call => async (root) => {
      using opened = await root.openAt({ symlinkFollow: true }, at, flags, {
        read: true,
        write: flags.create,
      });
      await opened.openAt({}, to, {}, { read: true }).then((inner) => inner[Symbol.dispose]());
    }),
  fc.tuple(path, u64, u64).map(([at, length, offset]): Call => async (root) => {
    using opened = await root.openAt({}, at, {}, { read: true, write: true });
    await opened.read(length, offset);
    await opened.write(new Uint8Array(3), offset % 1_000n);
    await opened.setSize(length % 1_000n);
    using input = opened.readViaStream(offset);
    await input.blockingRead(length);
  }),
  fc.tuple(path, time, time).map(
    ([at, a, b]): Call =>
      (root) =>
        root.setTimesAt({}, at, a, b),
  ),
  path.map(
    (at): Call =>
      (root) =>
        root.createDirectoryAt(at),
  ),
  path.map(
    (at): Call =>
      (root) =>
        root.removeDirectoryAt(at),
  ),
  path.map(
    (at): Call =>
      (root) =>
        root.unlinkFileAt(at),
  ),
  path.map(
    (at): Call =>
      (root) =>
        root.readlinkAt(at),
  ),
  path.map(
    (at): Call =>
      (root) =>
        root.metadataHashAt({ symlinkFollow: true }, at),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Call =>
      (root) =>
        root.renameAt(from, root, to),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Call =>
      (root) =>
        root.linkAt({}, from, root, to),
  ),
  fc.tuple(path, path).map(
    ([target, at]): Call =>
      (root) =>
        root.symlinkAt(target, at),
  ),
  path.map((at): Call => async (root) => {
    using opened = await root.openAt({}, at, { directory: true }, { read: true });
    using entries = await opened.readDirectory();
    await entries.readDirectoryEntry();
  }),
);

test("whatever a guest does with paths, it gets a code, and nothing outside changes or stays open", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 25 }), async (calls) => {
      await using folder = await temporaryFolder();
      const inside = join(folder.path, "inside");
      await mkdir(join(inside, "a/b"), { recursive: true });
      await writeFile(join(inside, "file"), "inside");
      await writeFile(join(folder.path, "file"), "outside");
      await symlink("..", join(inside, "up"));
      await symlink(folder.path, join(inside, "abs"));
      await symlink("loop", join(inside, "loop"));
      const wasi = await createWasi(
        { preopens: { "/": { path: inside, writable: true } } },
        {
          clock: systemClock,
          random: systemRandom,
          logger: silentLogger,
          onOutput: () => {},
          onExit: () => {},
        },
      );
      const { getDirectories } = wasi.imports["wasi:filesystem/preopens"] as {
        readonly getDirectories: () => [[Descriptor, string]];
      };
      const [[root]] = getDirectories();
      for (const each of calls) {
        try {
          await each(root);
        } catch (thrown) {
          if (!(thrown instanceof WasiError)) throw thrown;
        }
      }
      await wasi.dispose();
      expect(await readdir(folder.path)).toEqual(["file", "inside"]);
      expect(await readFile(join(folder.path, "file"), "utf8")).toBe("outside");
      expect(openBelow(folder.path)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
