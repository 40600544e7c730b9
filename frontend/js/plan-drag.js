// A stop of a plan that follows a finger or a mouse, while its drawer scrolls along.

/** Less than this is a click. */
const SLACK_PX = 4;

/** The drawer scrolls while the pointer is this near to its edge, by so much with each frame at most. */
const EDGE_PX = 56;
const SCROLL_PX = 14;

/** Follows a pointer from its `pointerdown` on a handle until it is lifted. */
export function followPointer(event, handle, began, moved, ended) {
  const scroller = handle.closest(".drawer");
  const row = document.querySelector(".stop")?.offsetHeight ?? 1;
  const { pointerId, clientY: startY } = event;
  const startTop = scroller.scrollTop;
  let y = startY;
  let isMoving = false;
  let frame = 0;

  const report = () => moved(y - startY + scroller.scrollTop - startTop, row);

  const scroll = () => {
    const { top, bottom } = scroller.getBoundingClientRect();
    const beyond = Math.min(0, y - top - EDGE_PX) + Math.max(0, y - bottom + EDGE_PX);
    const before = scroller.scrollTop;
    scroller.scrollTop += Math.max(-1, Math.min(1, beyond / EDGE_PX)) * SCROLL_PX;
    if (scroller.scrollTop !== before) report();
    frame = requestAnimationFrame(scroll);
  };

  const follow = (next) => {
    if (next.pointerId !== pointerId) return;
    y = next.clientY;
    if (!isMoving) {
      if (Math.abs(y - startY) < SLACK_PX) return;
      isMoving = true;
      began();
      frame = requestAnimationFrame(scroll);
    }
    next.preventDefault();
    report();
  };

  const end = (isDropped) => {
    removeEventListener("pointermove", follow);
    removeEventListener("pointerup", lifted);
    removeEventListener("pointercancel", lost);
    removeEventListener("keydown", escaped, true);
    cancelAnimationFrame(frame);
    if (isMoving) ended(isDropped);
  };
  const lifted = (next) => next.pointerId === pointerId && end(true);
  const lost = (next) => next.pointerId === pointerId && end(false);
  const escaped = (pressed) => {
    if (pressed.key !== "Escape" || !isMoving) return;
    pressed.preventDefault();
    pressed.stopPropagation();
    end(false);
  };

  handle.setPointerCapture(pointerId);
  addEventListener("pointermove", follow, { passive: false });
  addEventListener("pointerup", lifted);
  addEventListener("pointercancel", lost);
  addEventListener("keydown", escaped, true);
}
