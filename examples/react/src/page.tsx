import { useWebSocket } from '@wirebeat/client/react';
import { type ReactNode, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { ConnectionQuality } from './connection-quality.tsx';

/** An echo: what is sent comes back, at once or when there is a connection again. */
export function Page({ url }: { readonly url: string }): ReactNode {
  const [lines, setLines] = useState<readonly string[]>([]);
  const { socket, ...snapshot } = useWebSocket(url, {
    pingInterval: 5_000,
    onMessage: ({ data }) => setLines((before) => [...before, String(data)]),
  });
  return (
    <main>
      <ConnectionQuality {...snapshot} />
      <button type="button" onClick={() => socket?.send(new Date().toLocaleTimeString())}>
        Send
      </button>
      <pre>{lines.join('\n')}</pre>
    </main>
  );
}

const place = document.getElementById('page');
if (place !== null) {
  const page = <Page url="/socket" />;
  createRoot(place).render(<StrictMode>{page}</StrictMode>);
}
