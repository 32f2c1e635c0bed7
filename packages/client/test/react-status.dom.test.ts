import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { beforeAll, describe, expect, it } from 'vitest';
import { ConnectionStatus } from '../src/react-status.ts';
import type { StatusElement } from '../src/status-element/index.ts';
import { dialOpen } from './stage.ts';

beforeAll(() => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
});

describe('ConnectionStatus', () => {
  it('is an empty element on a server', () => {
    const html = renderToString(createElement(ConnectionStatus, { socket: undefined }));
    expect(html).toBe('<wirebeat-status></wirebeat-status>');
  });

  it('shows the socket of the last render, and lets go of it when it is unmounted', async () => {
    const { socket, scheduler } = dialOpen('browser');
    const other = dialOpen('browser');
    const place = document.createElement('div');
    document.body.append(place);
    const root = createRoot(place);
    const show = (shown: typeof socket) =>
      act(() => {
        const words = { good: 'Verbunden' };
        root.render(createElement(ConnectionStatus, { socket: shown, words, className: 'mine' }));
      });
    await show(socket);
    const element = place.firstElementChild as StatusElement;
    const word = () => element.shadowRoot?.querySelector('.word')?.textContent;
    expect(element.className).toBe('mine');
    expect(word()).toBe('Verbunden');
    socket.close();
    scheduler.advance(2_000);
    expect(word()).toBe('Disconnected');
    await show(other.socket);
    expect(word()).toBe('Verbunden');
    await act(() => root.unmount());
    other.socket.close();
    other.scheduler.advance(2_000);
    expect(word()).toBe('Verbunden'); // it no longer listens
  });
});
