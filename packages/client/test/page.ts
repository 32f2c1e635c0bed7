/** Shows or hides the page of a fake DOM, as a browser tells it. */
export function show(visible: boolean): void {
  const values = { hidden: !visible, visibilityState: visible ? 'visible' : 'hidden' };
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(document, name, { value, configurable: true });
  }
  document.dispatchEvent(new Event('visibilitychange'));
}

/** Tells that the page comes or goes; `persisted`: from or into the back-forward cache. */
export function pageEvent(type: string, persisted: boolean): void {
  window.dispatchEvent(Object.assign(new Event(type), { persisted }));
}
