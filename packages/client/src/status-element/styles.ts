/** The styles of the element. Every colour is a CSS variable that a page may set. */
export const STYLES = `
:host {
  --good: var(--wirebeat-good, #15803d);
  --slow: var(--wirebeat-slow, #b45309);
  --poor: var(--wirebeat-poor, #c2410c);
  --lost: var(--wirebeat-lost, #b91c1c);
  --quiet: var(--wirebeat-quiet, #52606d);
  --text: var(--wirebeat-text, #1f2933);
  --surface: var(--wirebeat-surface, #ffffff);
  --line: var(--wirebeat-line, #cbd2d9);
  --banner-text: var(--wirebeat-banner-text, #ffffff);
  --banner: var(--wirebeat-banner, #991b1b);
  display: inline-block;
  position: relative;
  font: var(--wirebeat-font, 0.875rem/1.4 system-ui, sans-serif);
  color: var(--text);
}
:host([hidden]), [hidden] { display: none !important; }
@media (prefers-color-scheme: dark) {
  :host(:not([theme='light'])) {
    --good: var(--wirebeat-good, #4ade80);
    --slow: var(--wirebeat-slow, #fbbf24);
    --poor: var(--wirebeat-poor, #fb923c);
    --lost: var(--wirebeat-lost, #f87171);
    --quiet: var(--wirebeat-quiet, #9aa5b1);
    --text: var(--wirebeat-text, #e4e7eb);
    --surface: var(--wirebeat-surface, #1f2933);
    --line: var(--wirebeat-line, #52606d);
    --banner: var(--wirebeat-banner, #7f1d1d);
  }
}
:host([theme='dark']) {
  --good: var(--wirebeat-good, #4ade80);
  --slow: var(--wirebeat-slow, #fbbf24);
  --poor: var(--wirebeat-poor, #fb923c);
  --lost: var(--wirebeat-lost, #f87171);
  --quiet: var(--wirebeat-quiet, #9aa5b1);
  --text: var(--wirebeat-text, #e4e7eb);
  --surface: var(--wirebeat-surface, #1f2933);
  --line: var(--wirebeat-line, #52606d);
  --banner: var(--wirebeat-banner, #7f1d1d);
}
summary {
  display: inline-flex;
  align-items: center;
  gap: 0.5em;
  min-height: 1.75rem;
  padding-inline: 0.625rem;
  border: 1px solid var(--line);
  border-radius: 999px;
  background: var(--surface);
  cursor: pointer;
  list-style: none;
  user-select: none;
}
summary::-webkit-details-marker { display: none; }
summary:focus-visible, button:focus-visible { outline: 2px solid currentColor; outline-offset: 2px; }
.dot {
  box-sizing: border-box;
  inline-size: 0.625em;
  block-size: 0.625em;
  border-radius: 50%;
  border: 2px solid var(--state, var(--quiet));
  background: var(--state, transparent);
}
[data-shown='good'] { --state: var(--good); }
[data-shown='slow'] { --state: var(--slow); }
[data-shown='poor'] { --state: var(--poor); }
[data-shown='lost'] { --state: var(--lost); }
[data-shown='lost'] .dot { background: transparent; }
.latency { color: var(--quiet); font-variant-numeric: tabular-nums; }
.panel {
  position: absolute;
  z-index: 1;
  inset-inline-start: 0;
  margin-block-start: 0.375rem;
  inline-size: max-content;
  max-inline-size: min(22rem, calc(100vw - 2rem));
  padding: 0.75rem;
  border: 1px solid var(--line);
  border-radius: 0.625rem;
  background: var(--surface);
  box-shadow: 0 4px 16px rgb(0 0 0 / 15%);
}
svg { display: block; inline-size: 16rem; max-inline-size: 100%; block-size: 3rem; overflow: visible; }
polyline { fill: none; stroke: var(--state, var(--quiet)); stroke-width: 2; vector-effect: non-scaling-stroke; }
h2 { margin: 0.5rem 0 0.25rem; font: inherit; font-weight: 600; }
ol { margin: 0 0 0.625rem; padding: 0; list-style: none; }
li { display: flex; gap: 0.625em; }
time { color: var(--quiet); font-variant-numeric: tabular-nums; }
button {
  min-height: 2rem;
  padding: 0.25rem 0.75rem;
  border: 1px solid currentColor;
  border-radius: 0.5rem;
  background: transparent;
  color: inherit;
  font: inherit;
  cursor: pointer;
}
.banner {
  position: fixed;
  z-index: 2;
  inset-inline: 0;
  inset-block-start: 0;
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: center;
  gap: 0.25rem 1rem;
  padding: 0.5rem 1rem;
  background: var(--banner);
  color: var(--banner-text);
}
:host([banner='inline']) .banner { position: static; margin-block-start: 0.5rem; border-radius: 0.5rem; }
.countdown { font-variant-numeric: tabular-nums; }
.spoken {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
@media (prefers-reduced-motion: no-preference) {
  [data-shown='connecting'] .dot, [data-phase='dialling'] .dot { animation: pulse 1.2s ease-in-out infinite; }
  .banner { animation: enter 0.2s ease-out; }
}
@keyframes pulse { 50% { opacity: 0.3; } }
@keyframes enter { from { transform: translateY(-50%); } }
`;
