// @vitest-environment happy-dom
import { it } from 'vitest';
import { seePong } from './pong.js';

it('sees a pong in the environment happy-dom', () => seePong(process.env.SERVER_URL));
