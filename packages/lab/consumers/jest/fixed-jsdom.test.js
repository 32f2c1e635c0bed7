/** @jest-environment jest-fixed-jsdom */
import { seePong } from './pong.js';

test('a pong is seen in the environment jest-fixed-jsdom', seePong);
