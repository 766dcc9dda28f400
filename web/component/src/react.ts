/** `<glaze-job-status>` for React 18 and newer. */

import { createElement, useEffect, useLayoutEffect, useRef, type CSSProperties, type ReactElement, type ReactNode } from "react";

import "./index.js";
import type { GlazeJobStatus } from "./element.js";
import type { Strings } from "./strings.js";
import type { Action, Batch, Fault, GetToken, Job } from "./types.js";

export interface JobStatusProps {
  server: string;
  getToken?: GetToken;
  token?: string;
  tokenUrl?: string;
  job?: number;
  batch?: number;
  filter?: string;
  limit?: number;
  actions?: readonly Action[];
  theme?: "auto" | "light" | "dark";
  strings?: Partial<Strings>;
  className?: string;
  style?: CSSProperties;
  /** Shown where there are no jobs. */
  children?: ReactNode;
  onJobUpdate?: (update: { job?: Job; batch?: Batch }) => void;
  onJobEnd?: (end: { job?: Job; batch?: Batch }) => void;
  onError?: (fault: Fault) => void;
}

export function JobStatus(props: JobStatusProps): ReactElement {
  const { server, token, tokenUrl, job, batch, filter, limit, actions, theme } = props;
  const element = useRef<GlazeJobStatus>(null);
  const latest = useRef(props);
  useLayoutEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    const one = element.current;
    if (!one) return;
    const listen = <T,>(name: string, told: (detail: T) => void) => {
      const listener = (event: Event) => told((event as CustomEvent<T>).detail);
      one.addEventListener(name, listener);
      return () => one.removeEventListener(name, listener);
    };
    const off = [
      listen<{ job?: Job; batch?: Batch }>("job-update", (it) => latest.current.onJobUpdate?.(it)),
      listen<{ job?: Job; batch?: Batch }>("job-end", (it) => latest.current.onJobEnd?.(it)),
      listen<Fault>("glaze-error", (it) => latest.current.onError?.(it)),
    ];
    return () => off.forEach((end) => end());
  }, []);
  const asked = props.getToken !== undefined;
  // Before the element begins to ask, which is at the end of this turn.
  useLayoutEffect(() => {
    if (element.current) {
      element.current.getToken = asked ? () => latest.current.getToken?.() ?? "" : null;
    }
  }, [asked]);
  useEffect(() => {
    if (element.current) element.current.strings = props.strings ?? {};
  }, [props.strings]);
  const attributes = {
    ref: element, class: props.className, style: props.style, server, token, "token-url": tokenUrl, job, batch, filter, limit,
    actions: actions?.join(" "), theme,
  };
  const children = props.children === undefined ? null : createElement("span", { slot: "empty" }, props.children);
  // eslint-disable-next-line react-hooks/refs -- it is only handed on
  return createElement("glaze-job-status", attributes, children);
}
