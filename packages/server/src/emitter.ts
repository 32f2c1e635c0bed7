import { Emitter } from '@wirebeat/core';
import { EventEmitter } from 'eventemitter3';

/** What a handle extends: an {@link Emitter} over `eventemitter3`. */
export class HandleEmitter<Events> extends Emitter<Events> {
  constructor() {
    super(new EventEmitter());
  }
}
