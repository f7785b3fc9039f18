/**
 * What a live view is made of.
 *
 * @module
 */
import type { Clock, Kernel, Logger, Pid, Random } from "@coppice/kernel";
import type { Template } from "./template.ts";

/** What views need of their node: a cluster node has all of it. */
export interface LiveNode {
  readonly name: string;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly pubsub: { readonly subscribe: (topic: string, pid: Pid) => void };
}

/** The surroundings of a view. */
export interface ViewContext {
  /** False for the first, plain rendering of the page; true once a browser is connected. */
  readonly connected: boolean;
  /** The view's process, once connected. */
  readonly pid: Pid | undefined;
  /** Messages broadcast on the topic reach `handleInfo`. Does nothing until connected. */
  readonly subscribe: (topic: string) => void;
}

/** One page. Its state is a value; every callback returns the next one. A throw crashes the view's process. */
export interface LiveView<S> {
  readonly title: string;
  /** The first state: called for the plain page, and again for each connection. */
  readonly mount: (context: ViewContext) => S | Promise<S>;
  /** By event name; `value` holds the fields of the form, or the `lv-value-*` attributes. */
  readonly events?: Readonly<
    Record<
      string,
      (state: S, value: Readonly<Record<string, string>>, context: ViewContext) => S | Promise<S>
    >
  >;
  /** A message to the view's process. */
  readonly handleInfo?: (state: S, message: unknown, context: ViewContext) => S | Promise<S>;
  readonly render: (state: S) => Template;
}
