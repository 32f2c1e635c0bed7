// A place in a fake page where React renders, in StrictMode unless it is told otherwise.
import { act, createElement, type ReactNode, StrictMode } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';

export class ReactPlace {
  readonly element: HTMLElement = document.body.appendChild(document.createElement('div'));
  /** What React had to mend of what a server rendered. */
  readonly mended: unknown[] = [];
  #root: Root;

  constructor(html?: string, node?: ReactNode) {
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
    this.element.innerHTML = html ?? '';
    const onRecoverableError = (error: unknown) => this.mended.push(error);
    this.#root =
      html === undefined
        ? createRoot(this.element)
        : hydrateRoot(this.element, node, { onRecoverableError });
  }

  get text(): string | null {
    return this.element.textContent;
  }

  show(node: ReactNode): Promise<void> {
    return act(async () => this.#root.render(createElement(StrictMode, null, node)));
  }

  /** Renders as where there is no StrictMode, and unmounts before anything else can run. */
  flash(node: ReactNode): Promise<void> {
    return act(async () => {
      this.#root.render(node);
      this.#root.unmount();
      this.#root = createRoot(this.element);
    });
  }

  async end(): Promise<void> {
    await act(async () => this.#root.unmount());
    this.element.remove();
  }
}
