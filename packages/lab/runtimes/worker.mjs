// Runs the conformance suite in workerd, which does nothing outside of a request.
import { run } from './conformance.mjs';

export default {
  async fetch(request) {
    return Response.json(await run(await request.json()));
  },
};
