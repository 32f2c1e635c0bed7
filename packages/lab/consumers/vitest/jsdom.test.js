// @vitest-environment jsdom
import { it } from 'vitest';
import { seePong } from './pong.js';

it('sees a pong in the environment jsdom', () => seePong(process.env.SERVER_URL));
