import { Emitter } from '@wirebeat/core';
import { EventEmitter } from 'eventemitter3';

/** The base class of handles: an {@link Emitter} that uses `eventemitter3`. */
export class HandleEmitter<Events> extends Emitter<Events> {
  constructor() {
    super(new EventEmitter());
  }
}
