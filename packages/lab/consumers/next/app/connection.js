'use client';

import { useWebSocket } from '@wirebeat/client/react';
import { useEffect } from 'react';

export function Connection({ url, serverLatency }) {
  const { latency } = useWebSocket(url);
  useEffect(() => {
    if (serverLatency > 0 && latency !== undefined) document.title = 'pong';
  }, [latency, serverLatency]);
  return <output>{latency}</output>;
}
