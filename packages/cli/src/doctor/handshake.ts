import { type Dialled, dial, type Security, type Target } from '../connection/dial.ts';
import { DialError } from '../connection/dial-error.ts';
import { STAGES, type StageTimes } from '../connection/stages.ts';
import { answeredBy, shownHeaders } from './answer-headers.ts';
import { findingOf, sentence } from './failure.ts';
import type { Finding, Say } from './finding.ts';
import { PASS_EXTENSIONS, PASS_SUBPROTOCOL, RENEW_CERTIFICATE } from './remedies.ts';

/** An open connection, and what it takes to open another. */
export interface Opened {
  readonly dialled: Dialled;
  readonly target: Target;
}

const DAY = 86_400_000;
/** The remaining time of a certificate, in days, that leads to a warning. */
const SOON = 14;

/**
 * Opens a connection as a browser does, with compression offered, and reports each step. If the upgrade
 * fails, tries without the subprotocol and without compression, to find the cause.
 */
export async function openAndExamine(
  asked: Target,
  say: Say,
  stop: AbortSignal,
): Promise<Opened | undefined> {
  const target = { ...asked, compresses: true };
  const first = await attempt(target, stop);
  if (!(first instanceof DialError)) {
    sayReached(target, first, say, first.security);
    sayUpgraded(target, first, say);
    return { dialled: first, target };
  }
  sayReached(target, first.progress, say);
  if (first.stage === 'upgrade') {
    for (const variant of variantsOf(target, first)) {
      const dialled = await attempt(variant.target, stop);
      if (dialled instanceof DialError) continue;
      sayUpgraded(variant.target, dialled, say);
      say(variant.finding);
      return { dialled, target: variant.target };
    }
  }
  say(findingOf(first));
  return undefined;
}

async function attempt(target: Target, stop: AbortSignal): Promise<Dialled | DialError> {
  try {
    return await dial(target, stop);
  } catch (error) {
    if (error instanceof DialError) return error;
    throw error;
  }
}

interface Variant {
  readonly target: Target;
  /** What it means if this variant succeeds. */
  readonly finding: Finding;
}

/** What to try after a failed upgrade. */
function variantsOf(target: Target, error: DialError): readonly Variant[] {
  const message = sentence(error.message);
  const variants: Variant[] = [];
  if (target.subprotocols.length > 0) {
    const names = target.subprotocols.join(', ');
    variants.push({
      target: { ...target, subprotocols: [] },
      finding: {
        check: 'subprotocol',
        verdict: 'failure',
        text: `The server does not accept the subprotocol ${names}: ${message} It accepts a connection without a subprotocol.`,
        advice:
          'A browser closes such a connection. Offer a subprotocol that the server knows, or let the server choose one of those offered.',
        remedies: PASS_SUBPROTOCOL,
      },
    });
  }
  if (error.status === undefined || error.status === 400) {
    variants.push({
      target: { ...target, compresses: false },
      finding: {
        check: 'compression',
        verdict: 'failure',
        text: `The handshake fails if permessage-deflate is offered, as browsers do: ${message} Without it, it succeeds.`,
        advice: 'Switch compression off in the server, or correct its negotiation.',
        remedies: PASS_EXTENSIONS,
      },
    });
  }
  return variants;
}

/** Reports the steps before the upgrade that succeeded. */
function sayReached(
  { url, isInsecure }: Target,
  { times, address }: { readonly times: StageTimes; readonly address: string },
  say: Say,
  security?: Security,
): void {
  const { hostname } = new URL(url);
  for (const stage of STAGES) {
    const time = times[stage];
    if (time === undefined || stage === 'upgrade') continue;
    const took = `in ${time.toFixed(1)} ms.`;
    const details = { [`${stage}Ms`]: Math.round(time * 1000) / 1000 };
    const ok = { check: stage, verdict: 'ok' } as const;
    if (stage === 'dns') say({ ...ok, text: `${hostname} was resolved ${took}`, details });
    if (stage === 'tcp') {
      say({ ...ok, text: `Connected to ${address} ${took}`, details: { ...details, address } });
    }
    if (stage === 'tls') {
      const isUnchecked = isInsecure === true;
      say(tlsFinding(security, { now: Date.now(), took, details, isUnchecked }));
    }
  }
}

interface TlsContext {
  readonly now: number;
  /** How long it took, in words. */
  readonly took: string;
  readonly details?: object;
  readonly isUnchecked?: boolean;
}

/** Says what TLS agreed on, and whether the certificate expires soon. */
export function tlsFinding(
  security: Security | undefined,
  { now, took, details = {}, isUnchecked = false }: TlsContext,
): Finding {
  if (security === undefined) {
    return { check: 'tls', verdict: 'ok', text: `Secured ${took}`, details: { ...details } };
  }
  const { version, expiresAt } = security;
  const expires = new Date(expiresAt).toISOString().slice(0, 10);
  const days = Math.floor((expiresAt - now) / DAY);
  const more = { ...details, version, certificateExpires: expires };
  const text = `Secured with ${version} ${took} The certificate expires on ${expires}.`;
  if (isUnchecked) {
    const unchecked = `${text} It was not checked, because of --insecure.`;
    return { check: 'tls', verdict: 'warning', text: unchecked, details: more };
  }
  if (days >= SOON) return { check: 'tls', verdict: 'ok', text, details: more };
  return {
    check: 'tls',
    verdict: 'warning',
    text: `${text} That is in ${days} days.`,
    advice: 'Renew the certificate, and automate it.',
    remedies: RENEW_CERTIFICATE,
    details: more,
  };
}

/** Reports a successful upgrade, and what was agreed on. */
function sayUpgraded({ subprotocols, compresses }: Target, dialled: Dialled, say: Say): void {
  const { socket, times, headers } = dialled;
  const time = times.upgrade ?? 0;
  say({
    check: 'upgrade',
    verdict: 'ok',
    text: `HTTP status 101 in ${time.toFixed(1)} ms.${answeredBy(headers)}`,
    details: {
      status: 101,
      upgradeMs: Math.round(time * 1000) / 1000,
      headers: shownHeaders(headers),
    },
  });
  if (subprotocols.length > 0) {
    const text = `The server chose ${socket.protocol}.`;
    say({ check: 'subprotocol', verdict: 'ok', text, details: { subprotocol: socket.protocol } });
  }
  if (compresses !== true) return;
  const isCompressed = socket.extensions.includes('permessage-deflate');
  say({
    check: 'compression',
    verdict: 'ok',
    text: isCompressed
      ? 'permessage-deflate is used. It costs the server memory for each connection.'
      : 'permessage-deflate was offered and is not used.',
    details: { isCompressed },
  });
}
