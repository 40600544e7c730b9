// How smoothly the console's list scrolls.

/**
 * Runs in the page: scrolls by one screen with each frame, and measures how long the main thread takes for each. It ends
 * after 300 steps or `withinMs`: where the map is drawn in software on a busy machine, a frame may take seconds to come.
 */
export async function scroll(withinMs = 60_000) {
  const list = document.getElementById("list");
  const took = [];
  let most = 0;
  let reached = 0;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const frame = () => Promise.race([new Promise((resolve) => requestAnimationFrame(resolve)), pause(2_000)]);
  // A message is handled after all work that the scrolling started on the main thread, and before the frame is painted.
  const rest = () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resolve;
      port2.postMessage(undefined);
    });
  const until = performance.now() + withinMs;
  for (let step = 0; step < 300 && performance.now() < until; step++) {
    await frame();
    const began = performance.now();
    list.scrollTop += list.clientHeight;
    list.dispatchEvent(new Event("scroll"));
    await rest();
    took.push(performance.now() - began);
    most = Math.max(most, list.querySelectorAll("[role=option]").length);
    const last = list.querySelector("[role=option]:last-child");
    reached = Math.max(reached, Number(last?.getAttribute("aria-posinset") ?? 0));
    // The list grows by pages: at its end there is nothing to draw until the next page has come.
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) await pause(50);
  }
  took.sort((a, b) => a - b);
  const at = (share) => took[Math.floor(took.length * share)];
  return { steps: took.length, longest: took.at(-1), p50: at(0.5), p95: at(0.95), most, reached };
}
