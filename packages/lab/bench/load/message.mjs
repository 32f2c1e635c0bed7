/** What an application sends: short, as its own traffic shall cost little. */
export const MESSAGE = 'twenty bytes of text';
