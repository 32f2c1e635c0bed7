import { Component, createElement, type ReactNode } from 'react';
import type { ReactPlace } from './react-place.ts';

interface Props {
  readonly caught: unknown[];
  readonly children?: ReactNode;
}

/** Shows `failed` in place of a component that throws. */
export class ErrorBoundary extends Component<Props> {
  override state: { readonly failed: boolean } = { failed: false };

  static getDerivedStateFromError(): object {
    return { failed: true };
  }

  /** Renders `node`, and returns what it threw. */
  static async caughtFrom(place: ReactPlace, node: ReactNode): Promise<readonly unknown[]> {
    const caught: unknown[] = [];
    const said = console.error; // React reports each error that a boundary caught
    console.error = () => {};
    await place.show(createElement(ErrorBoundary, { caught }, node));
    console.error = said;
    return caught;
  }

  override componentDidCatch(error: unknown): void {
    this.props.caught.push(error);
  }

  override render(): ReactNode {
    return this.state.failed ? 'failed' : this.props.children;
  }
}
