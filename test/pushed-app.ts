/**
 * What the nodes of `push.test.ts` run: a component that none of them has a file of.
 *
 * @module
 */
import { type Application, component } from "coppice";

const application: Application = ({ node, settings }) => {
  const { digest = "", cacheDir = "" } = settings;
  const adder = component({
    id: "adder",
    name: "adder",
    digest,
    store: node.artifacts,
    cacheDir,
    imports: { number: () => 1 },
  });
  return { strategy: "one_for_one", children: [adder] };
};
export default application;
