// docs/how-to/frameworks.md in the frameworks themselves; React has tests of its own.
import { derived, get, type Readable } from 'svelte/store';
import { expect, it } from 'vitest';
import { createApp, h, nextTick, onMounted, onUnmounted, shallowRef } from 'vue';
import type { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import { type Snapshot, snapshotOf } from '../src/snapshot-store.ts';
import { dial, type Stage } from './stage.ts';

it('is shown by Vue, and closed with the component', async () => {
  let stage: Stage | undefined;
  const App = {
    setup() {
      const socket = shallowRef<ReconnectingWebSocket>();
      const snapshot = shallowRef<Snapshot>();
      onMounted(() => {
        stage = dial();
        socket.value = stage.socket;
        snapshotOf(socket.value).subscribe((now) => {
          snapshot.value = now;
        });
      });
      onUnmounted(() => socket.value?.close());
      return () => h('p', `${snapshot.value?.status} ${snapshot.value?.latency}`);
    },
  };
  const place = document.createElement('div');
  const app = createApp(App);
  app.mount(place);
  expect(place.textContent).toBe('undefined undefined');
  await nextTick();
  expect(place.textContent).toBe('idle undefined');
  stage?.scheduler.advance(30);
  await nextTick();
  expect(place.textContent).toBe('alive 20');
  app.unmount();
  stage?.scheduler.advance(1_000);
  expect(stage?.socket.readyState).toBe(3);
  expect(stage?.scheduler.pending).toBe(0);
});

it('is a store by the contract of Svelte', () => {
  const { socket, scheduler } = dial();
  const store: Readable<Snapshot> = snapshotOf(socket);
  expect(get(store)).toMatchObject({ status: 'idle' });
  const shown: string[] = [];
  const end = derived(store, ({ status, latency }) => `${status} ${latency}`).subscribe((text) =>
    shown.push(text),
  );
  scheduler.advance(30);
  expect(shown).toEqual(['idle undefined', 'alive undefined', 'alive 20']);
  end();
  socket.close();
  scheduler.advance(1_000);
  expect(shown).toHaveLength(3);
});
