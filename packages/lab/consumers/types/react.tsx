import { useWebSocket } from '@wirebeat/client/react';

export function Latency({ url }: { readonly url: string }) {
  const { latency } = useWebSocket(url, {
    onMessage: (event: MessageEvent<string>) => console.log(event.data.length),
  });
  return <output>{latency}</output>;
}
