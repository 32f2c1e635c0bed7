import { type PeerState, resolveOptions } from '@wirebeat/core';
import { IS_DEVELOPMENT } from '../development.ts';
import type { Lifecycle } from './page-lifecycle.ts';

/** The parts of `AppState` of `react-native` that are used. */
export interface AppStateLike {
  /** `active`, `background`, `inactive`, `unknown`; null until it is known. */
  readonly currentState: string | null | undefined;
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void };
}

/** The parts of a state of `@react-native-community/netinfo` that are used. */
export interface NetInfoStateLike {
  readonly type: string;
  readonly isConnected: boolean | null;
  readonly details?: unknown;
}

/** The parts of `@react-native-community/netinfo` that are used. */
export interface NetInfoLike {
  addEventListener(listener: (state: NetInfoStateLike) => void): () => void;
}

/** The parts of an app that {@link reactNativeLifecycle} watches. */
export interface ReactNativeParts {
  readonly AppState: AppStateLike;
  /** Without it, changes of the network are not detected. */
  readonly NetInfo?: NetInfoLike;
}

const PARTS_SCHEMA = {
  AppState: { type: 'object', method: 'addEventListener', required: true },
  NetInfo: { type: 'object', method: 'addEventListener' },
} as const;

/**
 * Returns the lifecycle of a React Native app, where there is no page to watch.
 *
 * In the background, the app is `hidden`: Android lets it run, and iOS does so for a few seconds.
 * When it returns to the foreground, a ping is sent. `inactive`, for example during an incoming
 * call, has no effect, because the app still runs.
 *
 * @throws {InvalidOptionError} if a part is missing, unknown or not what it should be.
 */
export function reactNativeLifecycle(parts: ReactNativeParts): Lifecycle {
  if (IS_DEVELOPMENT) resolveOptions(PARTS_SCHEMA, parts, 'parts');
  const { AppState, NetInfo } = parts;
  return {
    watch({ state, hint }) {
      let told: PeerState = 'visible';
      let network: string | undefined;
      const takeState = (next: string | null | undefined) => {
        const now = next === 'background' ? 'hidden' : next === 'active' ? 'visible' : told;
        if (now === told) return;
        told = now;
        state(now);
        if (now === 'visible') hint();
      };
      // NetInfo also reports signal strength, and may report the first state twice.
      const takeNetwork = ({ type, isConnected, details }: NetInfoStateLike) => {
        const { ipAddress } = (details ?? {}) as { ipAddress?: unknown };
        const now = `${type} ${isConnected} ${ipAddress}`;
        const changed = network !== undefined && now !== network;
        network = now;
        if (changed && isWatching) hint();
      };
      let isWatching = true; // NetInfo may report its first state after the watch has ended
      const subscription = AppState.addEventListener('change', takeState);
      const leave = NetInfo?.addEventListener(takeNetwork);
      takeState(AppState.currentState);
      return () => {
        isWatching = false;
        subscription.remove();
        leave?.();
      };
    },
  };
}
