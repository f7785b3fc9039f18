import { systemClock } from "@coppice/kernel";
import { MemoryArtifacts, MemoryNetwork, MemoryStore } from "@coppice/net";
import { describeArtifacts, describeStore, describeTransport } from "@coppice/testkit/contracts";
import { expect, test } from "vitest";

describeTransport("memory", async () => {
  const network = new MemoryNetwork({ clock: systemClock });
  return { connect: async () => network.connect(), stop: async () => {} };
});

describeStore("memory", async () => {
  return { store: new MemoryStore({ clock: systemClock }), stop: async () => {} };
});

describeArtifacts("memory", async () => {
  return { artifacts: new MemoryArtifacts(), stop: async () => {} };
});

test("a disconnected transport neither sends nor receives until it is back", async () => {
  const network = new MemoryNetwork({ clock: systemClock });
  const [a, b] = [network.connect(), network.connect()];
  const got: string[] = [];
  a.subscribe("x", ({ data }) => got.push(new TextDecoder().decode(data)));
  a.disconnect();
  b.publish("x", new TextEncoder().encode("lost"));
  await b.flush();
  a.reconnect();
  b.publish("x", new TextEncoder().encode("seen"));
  await b.flush();
  expect(got).toEqual(["seen"]);
});
