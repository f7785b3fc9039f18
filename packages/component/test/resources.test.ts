import {
  BadArgumentError,
  compileComponent,
  component,
  held,
  type CompiledComponent,
  type HostImports,
  InstanceDeadError,
  instantiate,
  MissingImportError,
  type ResourceHandle,
  TrapError,
  WitError,
} from "@coppice/component";
import { silentLogger } from "@coppice/kernel";
import { startSupervisor } from "@coppice/otp";
import { beforeAll, describe, expect, test } from "vitest";
import { cacheDir } from "./chat-room.ts";
import { compileFixture, watFixture } from "./components/fixtures.ts";
import { watComponent } from "./components/wat.ts";
import { newKernel } from "./kernel.ts";

let shop: CompiledComponent;

beforeAll(async () => {
  shop = await compileFixture("shop");
});

let instances = 0;

/** An instance, with the class of loggers it is given and what they did. */
async function open(more: HostImports = {}) {
  const lines: string[] = [];
  class Logger implements Disposable {
    readonly prefix: string;
    constructor(prefix: string) {
      this.prefix = prefix;
      lines.push(`new ${prefix}`);
    }
    static level(): number {
      return 3;
    }
    async log(line: string): Promise<void> {
      await Promise.resolve();
      lines.push(`${this.prefix}: ${line}`);
    }
    [Symbol.dispose](): void {
      lines.push(`end ${this.prefix}`);
    }
  }
  const logging = {
    Logger,
    defaultLogger: () => new Logger("default"),
    flush: ({ prefix }: Logger) => {
      if (prefix === "broken") throw new WitError("the disk is full");
      return lines.length;
    },
    ...more,
  };
  instances += 1;
  const instance = await instantiate(shop, {
    imports: { "example:shop/logging@1.2.0": logging },
    owner: `instance ${instances}`,
    onOutput: () => {},
  });
  const cart = async (limit = 100, ...prices: number[]): Promise<ResourceHandle> => {
    const handle = (await instance.call("cart.new", [limit])) as ResourceHandle;
    for (const price of prices) await instance.call("cart.add", [handle, price]);
    return handle;
  };
  return { instance, lines, Logger, cart };
}

describe("a resource of the component", () => {
  test("is made, used and dropped through a handle that is plain data", async () => {
    const { instance, cart } = await open();
    const handle = await cart(100, 30);
    expect(handle).toEqual({
      resource: "example:shop/carts@1.2.0#cart",
      owner: `instance ${instances}`,
      id: 1,
    });
    const copy = structuredClone(handle);
    expect(await instance.call("carts.cart.add", [copy, 12])).toBe(42);
    expect(await instance.call("example:shop/carts#[method]cart.total", [copy])).toBe(42);
    expect(instance.handles).toBe(1);
    expect(await instance.call("cart.drop", [copy])).toBeUndefined();
    expect(await instance.call("dropped", [])).toBe(1);
    expect(instance.handles).toBe(0);
  });

  test("its methods answer err, and its statics may make it", async () => {
    const { instance, cart } = await open();
    const full = instance.call("cart.add", [await cart(10), 11]);
    await expect(full).rejects.toEqual(new WitError("over the limit"));
    await expect(instance.call("cart.try-new", [0])).rejects.toThrow(WitError);
    const made = await instance.call("cart.tryNew", [7]);
    expect(await instance.call("cart.add", [made, 7])).toBe(7);
  });

  test("is lent in lists and moved into calls; several may come back", async () => {
    const { instance, cart } = await open();
    const [small, big] = [await cart(100, 1), await cart(100, 90)];
    expect(await instance.call("biggest", [[small, big, small]])).toBe(90);
    const merged = await instance.call("cart.merge", [small, big]);
    expect(await instance.call("cart.total", [merged])).toBe(91);
    const [same, copy] = (await instance.call("copied", [merged])) as ResourceHandle[];
    expect(await instance.call("checkout", [same])).toBe(91);
    expect(await instance.call("checkout", [copy])).toBe(91);
    expect(await instance.call("dropped", [])).toBe(2);
  });

  test.for([
    ["dropped", "cart.drop"],
    ["moved", "checkout"],
  ])("once %s, it is refused and nothing else is harmed", async ([, path]) => {
    const { instance, cart } = await open();
    const handle = await cart();
    await instance.call(path!, [handle]);
    for (const again of ["cart.total", "cart.drop", "checkout"]) {
      const call = instance.call(again, [handle]);
      await expect(call).rejects.toThrow(BadArgumentError);
      await expect(call).rejects.toThrow("the handle was dropped or moved before");
    }
    expect(await instance.call("dropped", [])).toBe(1);
  });

  test("a refused call moves nothing", async () => {
    const { instance, cart } = await open();
    const handle = await cart(100, 5);
    const twice = instance.call("cart.merge", [handle, handle]);
    await expect(twice).rejects.toThrow("argument 2, b: the handle is used twice in this call");
    const wrong = instance.call("cart.merge", [handle, "b"]);
    await expect(wrong).rejects.toThrow(
      'carts.cart.merge argument 2, b: expected a handle of example:shop/carts@1.2.0#cart, got "b"',
    );
    expect(await instance.call("cart.total", [handle])).toBe(5);
  });

  test("one of another instance, or made up, is refused by name", async () => {
    const [one, other] = [await open(), await open()];
    const foreign = await other.cart();
    await expect(one.instance.call("cart.total", [foreign])).rejects.toThrow(
      `the handle belongs to ${foreign.owner}`,
    );
    const own = await one.cart();
    const unknown = one.instance.call("cart.total", [{ ...own, id: 99 }]);
    await expect(unknown).rejects.toThrow("dropped or moved");
    const other2 = one.instance.call("cart.total", [{ ...own, resource: "a:b/c#d" }]);
    await expect(other2).rejects.toThrow("got one of a:b/c#d");
    expect(await one.instance.call("cart.total", [own])).toBe(0);
  });

  test("a trap in its destructor is the death of the instance", async () => {
    const { instance, cart } = await open();
    const call = instance.call("cart.drop", [await cart(1000, 666)]);
    await expect(call).rejects.toThrow(TrapError);
    await expect(call).rejects.toThrow(/carts\.cart\.drop: .*unreachable/);
    await expect(instance.call("dropped", [])).rejects.toThrow(InstanceDeadError);
  });
});

describe("a resource of the host", () => {
  test("is an object of its class: made, called, also when async, and disposed of by the guest", async () => {
    const { instance, lines, cart } = await open();
    await instance.call("log-total", [await cart()]);
    expect(lines).toEqual(["new cart", "cart: total", "end cart"]);
    expect(await instance.call("level", [])).toBe(3);
  });

  test("may be returned by a function of the host", async () => {
    const { instance, lines } = await open();
    await instance.call("log-default", []);
    expect(lines).toEqual(["new default", "default: total", "end default"]);
  });

  test("is lent and given to the guest, and comes back as a handle", async () => {
    const { instance, lines, Logger } = await open();
    const mine = new Logger("mine");
    expect(await instance.call("flushed", [mine])).toBe(1);
    await instance.call("keep", [mine]);
    const back = (await instance.call("give", [])) as ResourceHandle;
    expect(back.resource).toBe("example:shop/logging@1.2.0#logger");
    expect(await instance.call("flushed", [back])).toBe(1);
    expect(lines).toEqual(["new mine"]);
    await instance.call("keep", [back]);
    await expect(instance.call("flushed", [back])).rejects.toThrow("dropped or moved");
  });

  test("of another class is a crash that says which class was expected", async () => {
    const { instance } = await open({ defaultLogger: () => ({}) });
    await expect(instance.call("log-default", [])).rejects.toThrow(
      "what example:shop/logging@1.2.0#default-logger returned: expected a logger (an instance of Logger), got an object",
    );
  });

  test("an err that the guest does not expect traps there", async () => {
    const { instance, Logger } = await open();
    await expect(instance.call("flushed", [new Logger("broken")])).rejects.toThrow(TrapError);
  });

  test("a class that lacks a method fails the start with its signature", async () => {
    class Mute {
      prefix = "";
    }
    const start = open({ Logger: Mute });
    await expect(start).rejects.toThrow(MissingImportError);
    await expect(start).rejects.toThrow(
      "imports example:shop/logging@1.2.0#[method]logger.log: func(line: string)",
    );
  });
});

test("through a process: a handle is used from elsewhere, and ends with the process", async () => {
  const kernel = newKernel();
  const child = component({
    id: "shop",
    name: "shop",
    bytes: await watFixture("shop"),
    cacheDir,
    imports: {
      "example:shop": {
        logging: {
          logger: class {
            log(): void {}
            static level(): number {
              return 1;
            }
          },
          defaultLogger: () => ({}),
          flush: () => 0,
        },
      },
    },
  });
  const started = await startSupervisor(kernel, { strategy: "one_for_one", children: [child] });
  if (started.type !== "started") return expect.unreachable();
  const made = await kernel.call("shop", "cart.new", [50]);
  const handle = structuredClone(made); // As on its way to another process and back.
  expect(await kernel.call("shop", "cart.add", [handle, 8])).toBe(8);
  await expect(kernel.call("shop", "cart.add", [handle, 80])).rejects.toMatchObject({
    code: "failed",
    payload: "over the limit",
  });
  const shopRef = {
    call: (path: string, args: unknown[]) => kernel.call("shop", path, args),
  };
  {
    await using cart = held((await shopRef.call("cart.new", [1])) as ResourceHandle, shopRef);
    await using moved = held((await shopRef.call("cart.new", [1])) as ResourceHandle, shopRef);
    expect(await shopRef.call("checkout", [moved.handle])).toBe(0);
    expect(await shopRef.call("cart.total", [cart.handle])).toBe(0);
  }
  expect(await kernel.call("shop", "dropped", [])).toBe(2);
  const trap = await kernel.call("shop", "cart.new", [1000]);
  await kernel.call("shop", "cart.add", [trap, 666]);
  const owner = kernel.whereis("shop")!.toString();
  await expect(kernel.call("shop", "cart.drop", [trap])).rejects.toMatchObject({ code: "exited" });
  await kernel.call(started.pid, "whichChildren", []);
  await expect(kernel.call("shop", "cart.total", [handle])).rejects.toMatchObject({
    code: "bad_argument",
    executed: "no",
    message: expect.stringContaining(`the handle belongs to ${owner}`),
  });
  expect(await kernel.call("shop", "dropped", [])).toBe(0);
});

test("a resource of the component may have the name of one of its host", async () => {
  const wit = `package t:t;
    interface a { resource thing { constructor(n: u32); get: func() -> u32; } }
    interface b { resource thing { constructor(n: u32); get: func() -> u32; } }
    world w { import a; export b; }`;
  const wat = `(module
    (import "t:t/a" "[constructor]thing" (func $make (param i32) (result i32)))
    (import "t:t/a" "[method]thing.get" (func $get (param i32) (result i32)))
    (import "[export]t:t/b" "[resource-new]thing" (func $new (param i32) (result i32)))
    (func (export "t:t/b#[constructor]thing") (param i32) (result i32) (call $new (call $make (local.get 0))))
    (func (export "t:t/b#[method]thing.get") (param i32) (result i32) (call $get (local.get 0))))`;
  const bytes = await watComponent({ wit, world: "w", wat });
  const compiled = await compileComponent({ bytes, cacheDir, logger: silentLogger });
  class Thing {
    readonly n: number;
    constructor(n: number) {
      this.n = n;
    }
    get(): number {
      return this.n * 2;
    }
  }
  const imports = { "t:t/a": { Thing } };
  const instance = await instantiate(compiled, { imports, onOutput: () => {} });
  const thing = await instance.call("thing.new", [21]);
  expect(await instance.call("thing.get", [thing])).toBe(42);
});
