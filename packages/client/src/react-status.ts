import { createElement, type HTMLAttributes, type ReactElement, useEffect, useRef } from 'react';
import type { ReconnectingSocket } from './snapshot-store.ts';
import {
  defineStatusElement,
  type StatusElement,
  type StatusWords,
} from './status-element/index.ts';

/** Properties of {@link ConnectionStatus}, in addition to those of any element. */
export interface ConnectionStatusProps extends HTMLAttributes<HTMLElement> {
  /** The socket, such as that of `useWebSocket`. */
  readonly socket: ReconnectingSocket | undefined;
  readonly banner?: 'top' | 'inline' | 'none';
  readonly theme?: 'light' | 'dark';
  /** Words in another language. */
  readonly words?: Partial<StatusWords>;
}

/** Shows a connection by the element `<wirebeat-status>`, which is defined when it is first mounted. */
export function ConnectionStatus({
  socket,
  words,
  className,
  ...attributes
}: ConnectionStatusProps): ReactElement {
  const ref = useRef<StatusElement>(null);
  useEffect(() => defineStatusElement(), []);
  useEffect(() => {
    if (ref.current) ref.current.socket = socket;
  }, [socket]);
  useEffect(() => {
    if (ref.current && words) ref.current.words = words;
  }, [words]);
  return createElement('wirebeat-status', { ...attributes, class: className, ref });
}
