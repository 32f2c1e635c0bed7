import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  closeEvent,
  customEvent,
  errorEvent,
  messageEvent,
} from '../../src/websocket-api/dom-events.ts';

const END = { code: 1001, reason: 'going away', wasClean: true };

afterEach(() => vi.unstubAllGlobals());

describe('closeEvent', () => {
  it('is an Event of type close with the fields of the standard', () => {
    const event = closeEvent(END);
    expect(event).toBeInstanceOf(Event);
    expect(event.type).toBe('close');
    expect(event).toMatchObject(END);
  });

  it('is a CloseEvent where the runtime has that class', () => {
    class CloseEvent extends Event {
      readonly init: object;

      constructor(type: string, init: object) {
        super(type);
        this.init = init;
      }
    }
    vi.stubGlobal('CloseEvent', CloseEvent);
    const event = closeEvent(END);
    expect(event).toBeInstanceOf(CloseEvent);
    expect(event.type).toBe('close');
    expect(event).toMatchObject({ init: END });
  });

  it('is an Event where the runtime has no such class', () => {
    vi.stubGlobal('CloseEvent', undefined);
    expect(closeEvent(END)).toMatchObject(END);
  });
});

describe('messageEvent', () => {
  it('is a MessageEvent with the data itself and the origin', () => {
    const data = new ArrayBuffer(3);
    const event = messageEvent(data, 'wss://host');
    expect(event).toBeInstanceOf(MessageEvent);
    expect(event.type).toBe('message');
    expect(event.data).toBe(data);
    expect(event.origin).toBe('wss://host');
  });
});

describe('customEvent', () => {
  it('is a CustomEvent with the detail', () => {
    const event = customEvent('retry', END);
    expect(event).toBeInstanceOf(CustomEvent);
    expect(event.type).toBe('retry');
    expect((event as CustomEvent).detail).toBe(END);
  });
});

describe('where the runtime has none of these classes', () => {
  it('each event is an Event with the same fields', () => {
    for (const name of ['CloseEvent', 'MessageEvent', 'CustomEvent']) {
      vi.stubGlobal(name, undefined);
    }
    const events = [closeEvent(END), messageEvent('hi', 'wss://host'), customEvent('retry', END)];
    for (const event of events) expect(event).toBeInstanceOf(Event);
    expect(events).toMatchObject([
      { type: 'close', ...END },
      { type: 'message', data: 'hi', origin: 'wss://host' },
      { type: 'retry', detail: END },
    ]);
  });
});

describe('errorEvent', () => {
  it('is an Event of type error with the error, if there is one to tell', () => {
    const error = new Error('ECONNREFUSED');
    expect(errorEvent(error)).toBeInstanceOf(Event);
    expect(errorEvent(error).type).toBe('error');
    expect(errorEvent(error)).toMatchObject({ error });
    expect(errorEvent(undefined)).not.toHaveProperty('error');
  });
});
