// Run by a page: makes elements, and says what they show.
const { ReconnectingWebSocket, defineStatusElement } = globalThis.built;

globalThis.make = (url, { attributes = {}, direction = 'ltr', options = {} } = {}) => {
  document.documentElement.lang = 'en';
  document.documentElement.dir = direction;
  document.body.innerHTML = '<main><h1>Status</h1></main>';
  document.body.style.background = attributes.theme === 'dark' ? '#111827' : '#ffffff';
  globalThis.socket?.close();
  globalThis.socket = new ReconnectingWebSocket(url, [], options);
  const element = document.createElement('wirebeat-status');
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.socket = globalThis.socket; // before the element is defined, the first time
  document.querySelector('main').append(element);
  defineStatusElement();
  globalThis.seen = new Set();
  const root = element.shadowRoot.querySelector('.root');
  const note = () => globalThis.seen.add(root.dataset.shown);
  new MutationObserver(note).observe(root, { attributes: true });
};

const part = (name) =>
  document.querySelector('wirebeat-status').shadowRoot.querySelector(`[part~=${name}]`);

globalThis.look = () => {
  const banner = part('banner');
  return {
    shown: part('root').dataset.shown,
    word: part('word').textContent,
    latency: part('latency').textContent,
    banner: banner.hidden ? null : part('cause').textContent,
    countdown: part('countdown').textContent,
    canRetry: !part('retry').hidden,
    spoken: part('spoken').textContent,
    events: [...part('events').children].map((item) => item.lastChild.textContent),
    chart: part('chart').getAttribute('aria-label'),
    isChartShown: !part('chart').hasAttribute('hidden'),
    seen: [...globalThis.seen],
    dotIsLeft: part('dot').getBoundingClientRect().x < part('word').getBoundingClientRect().x,
  };
};

globalThis.press = (name) => part(name).click();
globalThis.openDetails = () => {
  part('details').open = true;
};
globalThis.remove = () => document.querySelector('wirebeat-status').remove();

globalThis.check = async () => {
  const { violations, passes } = await globalThis.axe.run('wirebeat-status');
  return {
    passes: passes.length,
    violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`),
  };
};
