import {
  FunctionPaths,
  UnknownFunctionError,
  type WitFunction,
  type WitWorld,
} from "@coppice/component";
import { expect, test } from "vitest";

const named = (name: string, owner?: string): WitFunction => ({
  name,
  interface: owner,
  params: [],
  result: undefined,
  async: false,
});
const [carts, orders] = ["example:shop/carts@1.2.0", "example:shop/orders@1.2.0"];
const world: WitWorld = {
  imports: [],
  importedInterfaces: [],
  exports: [named("add-message"), named("close")],
  exportedInterfaces: [
    {
      name: carts,
      functions: [
        named("total", carts),
        named("close", carts),
        named("[method]cart.add-item", carts),
      ],
      resources: [{ name: "cart", interface: carts, madeBy: "component" }],
    },
    { name: orders, functions: [named("total", orders), named("list", orders)], resources: [] },
  ],
};
const paths = new FunctionPaths(world);

test("the shortest path of each function is its own", () => {
  expect(paths.targets.map(({ path }) => path)).toEqual([
    "add-message",
    "close",
    "carts.total",
    "carts.close",
    "carts.cart.add-item",
    "carts.cart.drop",
    "orders.total",
    "orders.list",
  ]);
});

test.for([
  ["add-message", "add-message"],
  ["addMessage", "add-message"],
  ["close", "close"],
  ["list", "orders.list"],
  ["orders#list", "orders.list"],
  ["example:shop/orders.list", "orders.list"],
  ["example:shop/orders#list", "orders.list"],
  ["example:shop/orders@1.2.0#list", "orders.list"],
  ["cart.addItem", "carts.cart.add-item"],
  ["carts.cart.add-item", "carts.cart.add-item"],
  ["example:shop/carts@1.2.0#[method]cart.add-item", "carts.cart.add-item"],
  ["cart.drop", "carts.cart.drop"],
  ["example:shop/carts@1.2.0#[resource-drop]cart", "carts.cart.drop"],
])("%s means %s", ([path, meant]) => {
  expect(paths.find(path!).path).toBe(meant);
});

test("a path that means two functions names both", () => {
  expect(() => paths.find("total")).toThrow(UnknownFunctionError);
  expect(() => paths.find("total")).toThrow(
    "total means more than one function: use one of example:shop/carts@1.2.0#total, example:shop/orders@1.2.0#total",
  );
});

test("an unknown path lists what there is", () => {
  expect(() => paths.find("shout")).toThrow(
    "the component has no function shout; it exports add-message, close, carts.total, carts.close, carts.cart.add-item, carts.cart.drop, orders.total, orders.list",
  );
});
