/** A message of an application: short, so that its own traffic costs little. */
export const MESSAGE = 'twenty bytes of text';
