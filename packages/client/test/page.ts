/** Shows or hides the page of a fake DOM, as a browser tells it. */
export function show(visible: boolean): void {
  const values = { hidden: !visible, visibilityState: visible ? 'visible' : 'hidden' };
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(document, name, { value, configurable: true });
  }
  document.dispatchEvent(new Event('visibilitychange'));
}
