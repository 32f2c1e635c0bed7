// Runs the conformance suite as a program: Node, Bun, Deno.
import process from 'node:process';
import { run } from './conformance.mjs';

const result = await run(JSON.parse(process.argv[2]));
console.log(JSON.stringify(result));
// The process must exit by itself: nothing may keep it alive.
