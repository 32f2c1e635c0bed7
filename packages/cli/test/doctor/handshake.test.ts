import { describe, expect, it } from 'vitest';
import { tlsFinding } from '../../src/doctor/handshake.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 0, 1);

describe('tlsFinding', () => {
  it('warns of a certificate that expires within two weeks', () => {
    const of = (days: number) =>
      tlsFinding({ version: 'TLSv1.3', expiresAt: NOW + days * DAY }, { now: NOW, took: '' });
    expect(of(15)).toMatchObject({ verdict: 'ok' });
    expect(of(13)).toMatchObject({
      verdict: 'warning',
      text: expect.stringMatching(/expires on 2026-01-14\. That is in 13 days/),
      advice: expect.stringMatching(/Renew/),
    });
  });
});
