// Tells every 50 ms what its clocks say.
setInterval(() => {
  console.log(JSON.stringify({ wall: Date.now(), monotonic: performance.now() }));
}, 50);
