import type { PeerState } from '@wirebeat/core';
import type { Lifecycle } from './page-lifecycle.ts';

/** What is used of `AppState` of `react-native`. */
export interface AppStateLike {
  /** `active`, `background`, `inactive`, `unknown`; null until it is known. */
  readonly currentState: string | null | undefined;
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void };
}

/** What is used of a state of `@react-native-community/netinfo`. */
export interface NetInfoStateLike {
  readonly type: string;
  readonly isConnected: boolean | null;
  readonly details?: unknown;
}

/** What is used of `@react-native-community/netinfo`. */
export interface NetInfoLike {
  addEventListener(listener: (state: NetInfoStateLike) => void): () => void;
}

/** The parts of an app that {@link reactNativeLifecycle} watches. */
export interface ReactNativeParts {
  readonly AppState: AppStateLike;
  /** Without it, a change of the network is no hint. */
  readonly NetInfo?: NetInfoLike;
}

/**
 * The lifecycle of a React Native app, whose runtime has no page to watch.
 *
 * In the background the app is `hidden`: Android lets it run on, iOS for some seconds. Back in the
 * foreground the link is asked. `inactive`, as under an incoming call, is nothing: the app runs.
 */
export function reactNativeLifecycle({ AppState, NetInfo }: ReactNativeParts): Lifecycle {
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
      // Its listeners are told of signal strength too, and of the state at the start, maybe twice.
      const takeNetwork = ({ type, isConnected, details }: NetInfoStateLike) => {
        const { ipAddress } = (details ?? {}) as { ipAddress?: unknown };
        const now = `${type} ${isConnected} ${ipAddress}`;
        const changed = network !== undefined && now !== network;
        network = now;
        if (changed && isWatching) hint();
      };
      let isWatching = true; // NetInfo may tell its first state after we have left
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
